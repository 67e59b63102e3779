/**
 * @file Whether a model's normal form computes what the model does: both run on ONNX Runtime, the normal form written as a model again.
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect } from "vitest";
import { decodeOnnx } from "../../../src/onnx/decode.ts";
import { encodeOnnx } from "../../../src/onnx/encode.ts";
import { count, type OnnxModel } from "../../../src/onnx/model.ts";
import type { NormalGraph } from "../../../src/onnx/normal/graph.ts";
import { normalise, type NormaliseOptions } from "../../../src/onnx/normal/normalise.ts";
import { modelOf } from "../../../src/onnx/normal/write.ts";

type Numbers = Float32Array | Float64Array | BigInt64Array;

/** Samples of a sine, or tokens below 5. */
function samplesOf({ input: { type, shape } }: NormalGraph, samples: number): Numbers {
  const length = samples * count(shape);
  if (type === "int64") return BigInt64Array.from({ length }, (_, i) => BigInt((7 * i) % 5));
  const sine = { length };
  const value = (_: unknown, i: number) => Math.sin(1 + i * i);
  return type === "float64" ? Float64Array.from(sine, value) : Float32Array.from(sine, value);
}

/** The output of a model in a file. */
export async function outputOf(bytes: Uint8Array, graph: NormalGraph, data: Numbers, samples: number) {
  const { name, type, shape } = graph.input;
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const tensor = new Tensor(type as "float32", data as Float32Array, [samples, ...shape]);
  const { [graph.output.name]: output } = await session.run({ [name]: tensor });
  await session.release();
  return { dims: output!.dims, data: Array.from(output!.data as Float32Array) };
}

/** The largest difference of two outputs, relative to the largest number or 1. */
export function difference(a: readonly number[], b: readonly number[]): number {
  const scale = Math.max(1, ...a.filter(Number.isFinite).map(Math.abs));
  return Math.max(...a.map((value, i) => (Object.is(value, b[i]) ? 0 : Math.abs(value - b[i]!)))) / scale;
}

/** Checks that the normal form of a file computes the same as the file, and returns it. */
export async function sameFile(
  bytes: Uint8Array,
  samples = 3,
  options: NormaliseOptions = {},
): Promise<NormalGraph> {
  const graph = normalise(await decodeOnnx(bytes), options);
  const data = samplesOf(graph, samples);
  const wanted = await outputOf(bytes, graph, data, samples);
  const got = await outputOf(encodeOnnx(modelOf(graph)), graph, data, samples);
  expect(got.dims).toEqual(wanted.dims);
  expect([samples, ...graph.output.shape]).toEqual(wanted.dims);
  expect(difference(wanted.data, got.data)).toBeLessThan(2e-6);
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
