/**
 * @file The ONNX operations that natgrad's graphs are made of, each a function of the graph and its operands.
 * Shapes follow the ONNX operator documents; what is said here is only what natgrad relies on.
 */
import type { Graph, Value } from "./graph.ts";

/** Options of {@link gemm}. */
export type GemmOptions = { transA?: boolean; transB?: boolean; plus?: Value; negate?: boolean };

/**
 * op(a) op(b) + plus, or plus - op(a) op(b) when `negate` is set, for matrices; a zero inner size gives `plus`. No other
 * alpha: ONNX attributes are float32, which would cost a float64 graph half its digits.
 */
export function gemm(g: Graph, a: Value, b: Value, options: GemmOptions = {}): Value {
  const { transA = false, transB = false, plus, negate = false } = options;
  return g.node("Gemm", plus ? [a, b, plus] : [a, b], [
    { name: "transA", value: { int: Number(transA) } },
    { name: "transB", value: { int: Number(transB) } },
    { name: "alpha", value: { float: negate ? -1 : 1 } },
  ]);
}

/** `a` scaled by a constant. */
export const scaleBy = (g: Graph, a: Value, factor: number): Value =>
  g.node("Mul", [a, g.constant([factor])]);

/** Elementwise product with broadcasting. */
export const mul = (g: Graph, a: Value, b: Value): Value => g.node("Mul", [a, b]);

/** Elementwise sum with broadcasting. */
export const add = (g: Graph, a: Value, b: Value): Value => g.node("Add", [a, b]);

/** Sums along one axis, which disappears. */
export const sumAlong = (g: Graph, a: Value, axis: number): Value =>
  g.node("ReduceSum", [a, g.integers(axis)], [{ name: "keepdims", value: { int: 0 } }]);

/** max(a, 0). */
export const relu = (g: Graph, a: Value): Value => g.node("Relu", [a]);

/** 1 where a > 0, else 0, in the precision of the graph. */
export const step = (g: Graph, a: Value): Value =>
  g.node(
    "Cast",
    [g.node("Greater", [a, g.constant([0])])],
    [{ name: "to", value: { int: g.precision === "float32" ? 1 : 11 } }],
  );

/** Rows [0, count) of `a`, where `count` is an int64 vector of one element. */
export const firstRows = (g: Graph, a: Value, count: Value): Value =>
  g.node("Slice", [a, g.integers(0), count, g.integers(0)]);

/** Columns [0, count) of a matrix. */
export const firstColumns = (g: Graph, a: Value, count: number): Value =>
  g.node("Slice", [a, g.integers(0), g.integers(count), g.integers(1)]);

/** A new axis of size one before axis 1. */
export const unsqueeze1 = (g: Graph, a: Value): Value => g.node("Unsqueeze", [a, g.integers(1)]);

/** `a` of three axes with the first two swapped. */
export const swapFirst = (g: Graph, a: Value): Value =>
  g.node("Transpose", [a], [{ name: "perm", value: { ints: [1, 0, 2] } }]);

/** `a` with a new shape; one size may be -1. */
export const reshape = (g: Graph, a: Value, ...shape: number[]): Value =>
  g.node("Reshape", [a, g.integers(...shape)]);

/** `a` with the shape that an int64 vector of the graph holds. */
export const reshapeTo = (g: Graph, a: Value, shape: Value): Value => g.node("Reshape", [a, shape]);

/** `a` [n, m] with a last column of the constant `value` appended: [n, m + 1]. */
export const appendColumn = (g: Graph, a: Value, value: number): Value =>
  g.node("Pad", [a, g.integers(0, 0, 0, 1), g.constant([value])], []);

/** Means along one axis, which disappears. */
export const meanAlong = (g: Graph, a: Value, axis: number): Value =>
  g.node("ReduceMean", [a, g.integers(axis)], [{ name: "keepdims", value: { int: 0 } }]);

/** Values joined along an axis. */
export const concat = (g: Graph, values: readonly Value[], axis: number): Value =>
  values.length === 1 ? values[0]! : g.node("Concat", values, [{ name: "axis", value: { int: axis } }]);

/** `a` with its axes in another order. */
export const transpose = (g: Graph, a: Value, perm: readonly number[]): Value =>
  g.node("Transpose", [a], [{ name: "perm", value: { ints: perm } }]);
