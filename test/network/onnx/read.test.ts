/**
 * @file ONNX models as networks: outputs and kernels of those that PyTorch exported (test/fixtures/onnx/README.md), which come from torch.func.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { createEngine } from "../../../src/engine/engine.ts";
import { createLinearizer } from "../../../src/jacobian/linearize.ts";
import { createWeights } from "../../../src/jacobian/weights.ts";
import { ntk } from "../../../src/kernel/ntk.ts";
import { matrix } from "../../../src/linalg/matrix.ts";
import { readNpz } from "../../../src/linalg/npz.ts";
import { readOnnx } from "../../../src/network/onnx/read.ts";
import { externalDataOf } from "../../../src/onnx/node/external-data.ts";

const fileOf = (name: string) => new URL(`../../fixtures/onnx/${name}`, import.meta.url);
const bytesOf = (name: string) => new Uint8Array(readFileSync(fileOf(name)));

type Entry = { name: string; ops: string[]; parameters: string[] };
const entries = JSON.parse(readFileSync(fileOf("models.json"), "utf8")) as Entry[];

const engine = await createEngine({ threads: 1, precision: "float64" });
afterAll(() => engine.release());

/** The largest difference, relative to the largest number. */
function difference(wanted: ArrayLike<number>, got: ArrayLike<number>): number {
  expect(got.length).toBe(wanted.length);
  const [a, b] = [Array.from(wanted), Array.from(got)];
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / Math.max(...a.map(Math.abs));
}

/** What is put together has its constants in full; a file that writes it out has them in float32. */
const tolerance = ({ name, ops }: Entry): number =>
  /^(vit|gpt|encoder)/.test(name) && !ops.includes("Gelu") ? 5e-8 : 1e-10;

describe("readOnnx", () => {
  it.each(entries)("$name", async (entry) => {
    const { name, parameters } = entry;
    const external = externalDataOf(fileURLToPath(fileOf(`${name}.onnx`)));
    const model = await readOnnx(bytesOf(`${name}.onnx`), { external });
    expect(model.names.flat().toSorted()).toEqual(parameters.toSorted());

    const arrays = await readNpz(bytesOf(`${name}.npz`), name);
    const get = (key: string) => arrays.get(key)!;
    const { network } = model;
    const N = get("x").shape[0]!;
    const x = matrix(N, network.inputs, Float64Array.from(get("x").data));
    const weights = createWeights(network, model.weights(engine));
    const { outputs } = await (await createLinearizer(engine, network)).linearize(weights, x);
    expect(difference(get("f").data, outputs.data)).toBeLessThan(tolerance(entry));
    const theta = await ntk(network, x, x, { kind: "empirical", engine, weights });
    expect(difference(get("ntk").data, theta.data)).toBeLessThan(tolerance(entry));
  });
});

describe("write", () => {
  const names = [
    "mlp_dynamo18",
    "cnn_norm_legacy15",
    "vit_legacy13",
    "gpt_tokens_dynamo18",
    "recurrent_legacy13",
    "gated_dynamo18",
  ];
  it.each(names)("gives %s with other weights, which it is read with again", async (name) => {
    const model = await readOnnx(bytesOf(`${name}.onnx`));
    const { network } = model;
    const changed = model
      .weights(engine)
      .map((theta) => theta.map((value) => Math.fround(1.01 * value + 1e-3)));
    const bytes = model.write(changed);
    const again = await readOnnx(bytes);
    expect(again.names).toEqual(model.names);
    expect(again.weights(engine)).toEqual(changed);

    const arrays = await readNpz(bytesOf(`${name}.npz`), name);
    const { shape, data } = arrays.get("x")!;
    const x = matrix(shape[0]!, network.inputs, Float64Array.from(data));
    const linearizer = await createLinearizer(engine, network);
    const f = await linearizer.forward(createWeights(network, changed), x);
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
    const samples = name.startsWith("gpt") ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
    const { y } = await session.run({
      x: new Tensor(name.startsWith("gpt") ? "int64" : "float32", samples as never, shape),
    });
    await session.release();
    expect(difference(f.data, y!.data as Float32Array)).toBeLessThan(1e-6);
  });

  it("refuses weights of another network", async () => {
    const model = await readOnnx(bytesOf("mlp_dynamo18.onnx"));
    const weights = model.weights(engine);
    expect(() => model.write(weights.slice(1))).toThrow(/^weights: wanted 3 blocks, got 2 blocks$/);
    expect(() => model.write(weights.with(1, new Float64Array(3)))).toThrow(
      /^weights of block 2: wanted 63, got 3$/,
    );
  });
});
