/**
 * @file Small ONNX models by hand, for tests.
 */
import { encodeOnnx } from "../../src/onnx/encode.ts";
import type { Attribute, OnnxModel, OnnxNode, OnnxValue, Tensor } from "../../src/onnx/model.ts";

/** A float32 tensor whose numbers are a sine, so that no two are equal. */
export const wave = (...dims: number[]): Tensor => ({
  type: "float32",
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1 + i * i) / 2),
});

export const floats = (dims: readonly number[], ...data: number[]): Tensor => ({
  type: "float32",
  dims,
  data: Float32Array.from(data),
});

export const ints = (...data: number[]): Tensor => ({
  type: "int64",
  dims: [data.length],
  data: Float64Array.from(data),
});

export const node = (
  op: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: Record<string, Attribute> = {},
): OnnxNode => {
  const names = typeof outputs === "string" ? [outputs] : outputs;
  return {
    name: `${op}:${names[0]}`,
    op,
    inputs,
    outputs: names,
    attributes: new Map(Object.entries(attributes)),
  };
};

export const value = (
  name: string,
  dims: OnnxValue["dims"],
  type: OnnxValue["type"] = "float32",
): OnnxValue => ({ name, type, dims });

/** A model of these nodes, from `x` [N, 3] to `y`. */
export const model = (
  nodes: readonly OnnxNode[],
  initialisers: Record<string, Tensor> = {},
  rest: Partial<OnnxModel> = {},
): OnnxModel => ({
  ir: 10,
  opset: 21,
  producer: "test",
  inputs: [value("x", ["N", 3])],
  outputs: [value("y", undefined)],
  nodes,
  initialisers: new Map(Object.entries(initialisers)),
  ...rest,
});

/** Its bytes. */
export const bytesOf = (...args: Parameters<typeof model>): Uint8Array => encodeOnnx(model(...args));

/** Two dense layers with a ReLU between them, 3 - 4 - 2. */
export const mlpModel = (): OnnxModel =>
  model(
    [
      node("Gemm", ["x", "a.weight", "a.bias"], "u", { transB: { int: 1 } }),
      node("Relu", ["u"], "h"),
      node("Gemm", ["h", "b.weight", "b.bias"], "y", { transB: { int: 1 } }),
    ],
    { "a.weight": wave(4, 3), "a.bias": wave(4), "b.weight": wave(2, 4), "b.bias": wave(2) },
  );
