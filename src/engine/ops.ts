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

/** a - b, elementwise with broadcasting. */
export const sub = (g: Graph, a: Value, b: Value): Value => g.node("Sub", [a, b]);

/** a / b, elementwise with broadcasting. */
export const div = (g: Graph, a: Value, b: Value): Value => g.node("Div", [a, b]);

/** A function of every number. */
export const map = (g: Graph, of: "Abs" | "Exp" | "Log" | "Neg" | "Reciprocal" | "Sqrt", a: Value): Value =>
  g.node(of, [a]);

/** `a` where `mask` holds, else `b`; with broadcasting. */
export const where = (g: Graph, mask: Value, a: Value, b: Value): Value => g.node("Where", [mask, a, b]);

/** Products of the matrices in the last two axes; those before them are broadcast. */
export const matMul = (g: Graph, a: Value, b: Value): Value => g.node("MatMul", [a, b]);

/** Sums, means or maxima along axes, which stay with size one. */
export const reduce = (
  g: Graph,
  by: "ReduceSum" | "ReduceMean" | "ReduceMax",
  a: Value,
  axes: readonly number[],
): Value => g.node(by, [a, g.integers(...axes)], [{ name: "keepdims", value: { int: 1 } }]);

/** Sums along one axis, which disappears. */
export const sumAlong = (g: Graph, a: Value, axis: number): Value =>
  g.node("ReduceSum", [a, g.integers(axis)], [{ name: "keepdims", value: { int: 0 } }]);

/** max(a, 0). */
export const relu = (g: Graph, a: Value): Value => g.node("Relu", [a]);

/** ONNX's numbers of element types. */
const TYPES = { float32: 1, int64: 7, bool: 9, float64: 11 } as const;

/** `a` as numbers of another type. */
export const cast = (g: Graph, a: Value, to: keyof typeof TYPES): Value =>
  g.node("Cast", [a], [{ name: "to", value: { int: TYPES[to] } }]);

/** 1 where a > 0, else 0, in the precision of the graph. */
export const step = (g: Graph, a: Value): Value =>
  cast(g, g.node("Greater", [a, g.constant([0])]), g.precision);

/** 1 where a = b, else 0, in the precision of the graph. */
export const equal = (g: Graph, a: Value, b: Value): Value => cast(g, g.node("Equal", [a, b]), g.precision);

/** Rows [0, count) of `a`, where `count` is an int64 vector of one element. */
export const firstRows = (g: Graph, a: Value, count: Value): Value =>
  g.node("Slice", [a, g.integers(0), count, g.integers(0)]);

/** Columns [0, count) of a matrix. */
export const firstColumns = (g: Graph, a: Value, count: number): Value =>
  g.node("Slice", [a, g.integers(0), g.integers(count), g.integers(1)]);

/** Indices [from, to) of an axis. */
export const sliceAxis = (g: Graph, a: Value, axis: number, from: number, to: number): Value =>
  g.node("Slice", [a, g.integers(from), g.integers(to), g.integers(axis)]);

/** The same by an int64 value of any shape: its axes take the place of that axis. */
export const gatherBy = (g: Graph, a: Value, indices: Value, axis: number): Value =>
  g.node("Gather", [a, indices], [{ name: "axis", value: { int: axis } }]);

/** `a` with `value` before and after it in each of its axes, as often as `before` and `after` say. */
export const padWith = (
  g: Graph,
  a: Value,
  before: readonly number[],
  after: readonly number[],
  value = 0,
): Value => g.node("Pad", [a, g.integers(...before, ...after), g.constant([value])]);

/** `a` broadcast to the last axes of a shape. */
export const expand = (g: Graph, a: Value, shape: readonly number[]): Value =>
  g.node("Expand", [a, g.integers(...shape)]);

/** A new axis of size one, which a negative number counts from the end. */
export const unsqueeze = (g: Graph, a: Value, axis: number): Value =>
  g.node("Unsqueeze", [a, g.integers(axis)]);

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

/** The slices of `a` along an axis that a list of whole numbers names, in its order. */
export const gather = (g: Graph, a: Value, indices: readonly number[], axis: number): Value =>
  gatherBy(g, a, g.indices(indices), axis);

/** Largest values along one axis, which disappears, or stays with one entry. */
export const maxAlong = (g: Graph, a: Value, axis: number, keep = false): Value =>
  g.node("ReduceMax", [a, g.integers(axis)], [{ name: "keepdims", value: { int: Number(keep) } }]);

/** Means along one axis, which disappears. */
export const meanAlong = (g: Graph, a: Value, axis: number): Value =>
  g.node("ReduceMean", [a, g.integers(axis)], [{ name: "keepdims", value: { int: 0 } }]);

/** Values joined along an axis. */
export const concat = (g: Graph, values: readonly Value[], axis: number): Value =>
  values.length === 1 ? values[0]! : g.node("Concat", values, [{ name: "axis", value: { int: axis } }]);

/** `a` with its axes in another order. */
export const transpose = (g: Graph, a: Value, perm: readonly number[]): Value =>
  g.node("Transpose", [a], [{ name: "perm", value: { ints: perm } }]);
