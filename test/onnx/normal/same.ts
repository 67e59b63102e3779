/**
 * @file Whether a model's normal form computes what the model does: both run on ONNX Runtime, the normal form written as a model again.
 */
import { expect } from "vitest";
import { decodeOnnx } from "../../../src/onnx/decode.ts";
import { encodeOnnx } from "../../../src/onnx/encode.ts";
import { count, type OnnxModel } from "../../../src/onnx/model.ts";
import type { NormalGraph } from "../../../src/onnx/normal/graph.ts";
import { normalise, type NormaliseOptions } from "../../../src/onnx/normal/normalise.ts";
import { modelOf } from "../../../src/onnx/normal/write.ts";
import { loadOrt } from "../../../src/ort.ts";

const ort = (await loadOrt()).ort;

/** The output of a model in a file on samples [N, ...] of a sine, or of tokens below 5. */
export async function outputOf(bytes: Uint8Array, graph: NormalGraph, samples: number) {
  const { name, type, shape } = graph.input;
  const dims = [samples, ...shape];
  const size = count(dims);
  const data =
    type === "int64"
      ? BigInt64Array.from({ length: size }, (_, i) => BigInt((7 * i) % 5))
      : (type === "float64" ? Float64Array : Float32Array).from({ length: size }, (_, i) =>
          Math.sin(1 + i * i),
        );
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const results = await session.run({
    [name]: new ort.Tensor(type as "float32", data as Float32Array, dims),
  });
  await session.release();
  const tensor = results[graph.output.name]!;
  return { dims: tensor.dims, data: Array.from(tensor.data as Float32Array) };
}

/** Normalises a file, checks that it computes the same, and returns the normal form. */
export async function sameFile(
  bytes: Uint8Array,
  samples = 3,
  options: NormaliseOptions = {},
): Promise<NormalGraph> {
  const graph = normalise(await decodeOnnx(bytes), options);
  const wanted = await outputOf(bytes, graph, samples);
  const got = await outputOf(encodeOnnx(modelOf(graph)), graph, samples);
  expect(got.dims).toEqual(wanted.dims);
  expect([samples, ...graph.output.shape]).toEqual(wanted.dims);
  const scale = Math.max(1, ...wanted.data.filter(Number.isFinite).map(Math.abs));
  const differences = wanted.data.map((value, i) =>
    value === got.data[i] ? 0 : Math.abs(value - got.data[i]!),
  );
  expect(Math.max(...differences) / scale).toBeLessThan(2e-6);
  return graph;
}

/** The same of a model. */
export const same = (model: OnnxModel, samples = 3, options: NormaliseOptions = {}): Promise<NormalGraph> =>
  sameFile(encodeOnnx(model), samples, options);

/** Its ops, first to last. */
export const opsOf = ({ nodes }: NormalGraph): string[] => nodes.map(({ op }) => op);

/** Its parameters by the nodes that use them: `Dense kernel:a.weight bias:a.bias`. */
export const usesOf = ({ nodes, parameters }: NormalGraph): string[] =>
  nodes
    .filter((node) => node.parameters.length > 0)
    .map(({ op, parameters: uses }) =>
      [op, ...uses.map(({ role, parameter }) => `${role}:${parameters[parameter]!.name}`)].join(" "),
    );
