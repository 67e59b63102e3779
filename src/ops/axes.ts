/**
 * @file Axes and shapes of values and cotangents. An axis of a sample counts from its front, or, negative, from its end. In a graph
 * axes count from the end, as cotangents have one axis more in front than values.
 */
import type { Graph, Value } from "../engine/graph.ts";
import { reduce, reshape } from "../engine/ops.ts";
import type { Point, Shape } from "./op.ts";

/**
 * An axis of a shape, counted from the front.
 * @throws RangeError where there is none.
 */
export function axisOf(what: string, axis: number, shape: Shape): number {
  const rank = shape.length;
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  const known = rank === 0 ? "values with an axis" : `an axis from ${-rank} to ${rank - 1}`;
  throw new RangeError(`${what}: wanted ${known}, got ${rank === 0 ? "one number per sample" : axis}`);
}

/** Several axes of a shape, counted from the front, in ascending order; none twice. */
export const axesOf = (what: string, axes: readonly number[], shape: Shape): number[] =>
  [...new Set(axes.map((axis) => axisOf(what, axis, shape)))].sort((a, b) => a - b);

/** A shape as errors print it. */
export const printed = (shape: Shape): string => `[${shape.join(", ")}]`;

/** A cotangent of values [...from] as one of the same numbers as [...to]. */
export const viewed = (at: Point, ct: Value, from: Shape, to: Shape): Value =>
  from.join() === to.join() ? ct : at.cotangent(at.matrix(ct, from), to);

/**
 * The shape of two that are broadcast: axes are aligned from the end, and sizes of one are repeated.
 * @throws RangeError where sizes disagree.
 */
export function broadcastShape(what: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const sizes = (shape: Shape): number[] => [...ones(rank - shape.length), ...shape];
  const [left, right] = [sizes(a), sizes(b)];
  return left.map((size, i) => {
    const other = right[i]!;
    if (size === other || other === 1) return size;
    if (size === 1) return other;
    throw new RangeError(`${what}: wanted shapes that broadcast, got ${printed(a)} and ${printed(b)}`);
  });
}

/** Axes of size one. */
export const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

/** A value [N, ...shape] with axes of size one after N, so that a sample has `rank` axes. */
export const aligned = (g: Graph, value: Value, shape: Shape, rank: number): Value =>
  shape.length >= rank ? value : reshape(g, value, -1, ...ones(rank - shape.length), ...shape);

/** The cotangent of a value [...to] that was broadcast to [...from], from that of the result: summed over where it was repeated. */
export function unbroadcast(g: Graph, at: Point, ct: Value, from: Shape, to: Shape): Value {
  const rank = from.length;
  const own = [...ones(rank - to.length), ...to];
  const repeated = from.flatMap((size, i) => (size === own[i] ? [] : [i - rank]));
  const summed = repeated.length === 0 ? ct : reduce(g, "ReduceSum", ct, repeated);
  return viewed(at, summed, own, to);
}
