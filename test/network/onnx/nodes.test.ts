/**
 * @file The node tests of the Python package onnx (test/fixtures/onnx/README.md): one node each, with its inputs and outputs, for opsets 9 to 24. Axis 0 of
 * the first input of floats is the batch; all other inputs are constants. Where samples would mix, the whole input is one sample instead, with an axis in
 * front of it. What natgrad gives back is the output, or a refusal of one line; docs/onnx.md has how many of either, by op.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { readFileSync } from "node:fs";
import {
  ModelProtoSchema,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  type ModelProto,
} from "onnx-buf";
import { afterAll, describe, expect, it } from "vitest";
import { createEngine } from "../../../src/engine/engine.ts";
import { InputError } from "../../../src/error.ts";
import { createLinearizer } from "../../../src/jacobian/linearize.ts";
import { createWeights } from "../../../src/jacobian/weights.ts";
import { matrix } from "../../../src/linalg/matrix.ts";
import { readNpz } from "../../../src/linalg/npz.ts";
import type { NpyArray } from "../../../src/linalg/npy.ts";
import { convert } from "../../../src/network/onnx/read.ts";
import { decodeOnnx } from "../../../src/onnx/decode.ts";
import { normalise } from "../../../src/onnx/normal/normalise.ts";
import { shift } from "../../../src/ops/parameter.ts";

const fixture = new URL("../../fixtures/onnx/nodes.npz", import.meta.url);
const arrays = await readNpz(new Uint8Array(readFileSync(fixture)), "nodes");
const cases = [...arrays.keys()].flatMap((key) =>
  key.endsWith("/model") ? [key.slice(0, -"/model".length)] : [],
);

const engine = await createEngine({ threads: 1, precision: "float64" });
afterAll(() => engine.release());

const FLOAT = 1;
const DOUBLE = 11;

/** The model with all inputs but the one of samples as initialisers; undefined where no input can be samples. */
function withConstants(proto: ModelProto, inputs: readonly NpyArray[]): number | undefined {
  const graph = proto.graph!;
  const types = graph.input.map(({ type }) => (type!.value.value as { elemType: number }).elemType);
  const samples = types.findIndex(
    (type, i) => (type === FLOAT || type === DOUBLE) && inputs[i]!.shape.length > 0,
  );
  if (samples < 0) return undefined;
  for (const [i, { name }] of graph.input.entries()) {
    if (i === samples) continue;
    const { shape, data } = inputs[i]!;
    const dataType = types[i]!;
    const numbers = Array.from(data);
    const field = { 1: "floatData", 11: "doubleData", 7: "int64Data" }[dataType] ?? "int32Data";
    const values = dataType === 7 ? numbers.map(BigInt) : numbers;
    graph.initializer.push(
      create(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType, [field]: values }),
    );
  }
  graph.input = [graph.input[samples]!];
  graph.output = [graph.output[0]!];
  return samples;
}

/** Ops whose other operands broadcast to a sample as they did to the whole input. */
const BROADCAST = "Add Clip Div Max Mean Min Mul PRelu Pow Sub Sum Where".split(" ");

/** Adds an axis for the batch in front of the input: axes count from one more. False where that is another op. */
function withBatch({ graph }: ModelProto): boolean {
  const [node] = graph!.node as [NonNullable<typeof graph>["node"][number]];
  const input = graph!.input[0]!.type!.value.value as { shape: { dim: unknown[] } };
  const isAxis = (name: string) => ["axis", "axes", "perm"].includes(name);
  const shifted = (axis: bigint) => (axis >= 0n ? axis + 1n : axis);
  if (BROADCAST.includes(node.opType)) {
    // Nothing changes.
  } else if (node.opType === "Concat" || node.opType === "Split" || node.opType === "Transpose") {
    for (const attribute of node.attribute.filter(({ name }) => isAxis(name))) {
      attribute.i = shifted(attribute.i);
      attribute.ints = attribute.ints.map(shifted);
      if (attribute.name === "perm") attribute.ints.unshift(0n);
    }
    if (node.opType === "Transpose" && node.attribute.length === 0) return false;
    if (node.opType === "Split" && !node.attribute.some(({ name }) => name === "axis")) return false;
    if (node.opType === "Concat") for (const tensor of graph!.initializer) tensor.dims.unshift(1n);
  } else if (/^Reduce|^(Log)?Softmax$/.test(node.opType)) {
    const axes = graph!.initializer.find(({ name }) => name === node.input[1]);
    const given = node.attribute.filter(({ name }) => isAxis(name));
    if (!axes && given.length === 0) return false;
    if (axes) axes.int64Data = axes.int64Data.map(shifted);
    if (axes?.int64Data.length === 0) return false;
    for (const attribute of given) {
      attribute.i = shifted(attribute.i);
      attribute.ints = attribute.ints.map(shifted);
    }
  } else return false;
  input.shape.dim.unshift(
    create(TensorShapeProto_DimensionSchema, { value: { case: "dimParam", value: "N" } }),
  );
  return true;
}

/** The first output of a case, by natgrad: with its first axis as the batch, or as one sample. */
async function outputOf(name: string): Promise<ArrayLike<number>> {
  const first: unknown = await runOf(name, false).catch((error: unknown) => error);
  if (!(first instanceof Error)) return first as ArrayLike<number>;
  return runOf(name, true).catch(() => {
    throw first;
  });
}

async function runOf(name: string, whole: boolean): Promise<ArrayLike<number>> {
  const get = (key: string) => arrays.get(`${name}/${key}`);
  const proto = fromBinary(ModelProtoSchema, Uint8Array.from(get("model")!.data));
  const inputs = proto.graph!.input.map((_, i) => get(`input_${i}`)!);
  const samples = withConstants(proto, inputs);
  if (samples === undefined) throw new InputError("input: wanted samples, got single numbers");
  if (whole && !withBatch(proto)) throw new InputError("batch: wanted an axis of its own, got none");
  const graph = normalise(await decodeOnnx(toBinary(ModelProtoSchema, proto)));
  const { c, output } = convert(graph);
  // A network has parameters: here one, which is 0.
  const network = c.b.finish(c.b.apply(shift([1]), [output]));
  const { shape, data } = inputs[samples]!;
  const x = matrix(whole ? 1 : shape[0]!, network.inputs, Float64Array.from(data));
  const own = network.blocks.map(({ id, fanOut, columns }) => {
    const block = c.blocks[id!];
    if (!block) return engine.floats(fanOut * columns);
    const theta = engine.floats(fanOut * columns);
    return theta.map((_, k) => {
      const [parameter, index] = block.source(Math.floor(k / columns), k % columns);
      return graph.parameters[parameter]!.values()[index]!;
    });
  });
  const linearizer = await createLinearizer(engine, network);
  return (await linearizer.forward(createWeights(network, own), x)).data;
}

const opOf = (name: string): string =>
  fromBinary(ModelProtoSchema, Uint8Array.from(arrays.get(`${name}/model`)!.data)).graph!.node[0]!.opType;

/** Passed and all, by op. */
const counts = new Map<string, [passed: number, all: number]>();

describe("node tests of onnx", () => {
  it.each(cases)("%s", async (name) => {
    const op = opOf(name);
    const count = counts.get(op) ?? [0, 0];
    counts.set(op, count);
    count[1]++;
    const got: unknown = await outputOf(name).catch((error: unknown) => error);
    if (got instanceof Error) {
      if (!(got instanceof InputError)) throw got;
      expect(got.message).toMatch(/^[^\n]+: wanted [^\n]+, got [^\n]+$/);
      if (process.env["NATGRAD_NODES"]) console.log(`${name}: ${got.message}`);
      return;
    }
    const wanted = arrays.get(`${name}/output_0`)!.data;
    const numbers = got as ArrayLike<number>;
    expect(numbers.length).toBe(wanted.length);
    for (const [i, value] of wanted.entries()) {
      if (numbers[i] !== value)
        expect(Math.abs(numbers[i]! - value)).toBeLessThan(1e-3 * Math.abs(value) + 1e-6);
    }
    count[0]++;
  });

  it("are counted in docs/onnx.md", () => {
    const cells = [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([op, [passed, all]]) => `${op} ${passed}/${all}`);
    const passed = [...counts.values()].reduce((sum, [passed]) => sum + passed, 0);
    const text = readFileSync(new URL("../../../docs/onnx.md", import.meta.url), "utf8").replaceAll(
      /\s+/g,
      " ",
    );
    expect(text).toContain(`${passed} of ${cases.length}: ${cells.join(", ")}.`);
  });
});
