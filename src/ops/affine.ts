/**
 * @file The gain and shift behind a normalisation, y = n gain + shift, as one block: theta [O, 2] = [gain, shift], or one column of
 * them, with O numbers each. Its rows are sums over the T positions that share them:
 *
 *     J[n, c, o] = [sum_t ct[c, n, t, o] n[n, t, o],  sum_t ct[c, n, t, o]]
 */
import type { Graph, Value } from "../engine/graph.ts";
import { add, concat, mul, reshape, sliceAxis, sumAlong, unsqueeze } from "../engine/ops.ts";
import { viewed } from "./axes.ts";
import {
  PLAIN_SCALES,
  sizeOf,
  type BlockJacobian,
  type BlockShape,
  type Point,
  type Shape,
  type WeightValues,
} from "./op.ts";

/** Which of both a normalisation has. */
export type AffineOptions = {
  /** Default: true. */
  gain?: boolean;
  /** Default: true. */
  shift?: boolean;
};

/** Gains and shifts of the last `axes` axes of a value. */
export type Affine = {
  block(shape: Shape): BlockShape;
  /** n gain + shift. */
  apply(g: Graph, n: Value, shape: Shape, weights: WeightValues): Value;
  /** The cotangent of n. */
  back(g: Graph, ct: Value, shape: Shape, weights: WeightValues): Value;
  jacobian(g: Graph, at: Point, ct: Value, n: Value): BlockJacobian;
};

/** Undefined where a normalisation has neither. */
export function affine(axes: number, { gain = true, shift = true }: AffineOptions): Affine | undefined {
  if (!gain && !shift) return undefined;
  const start = [...(gain ? [1] : []), ...(shift ? [0] : [])];
  const own = (shape: Shape): Shape => shape.slice(-axes);
  const column = (g: Graph, { base }: WeightValues, i: number, shape: Shape): Value =>
    reshape(g, start.length === 1 ? base : sliceAxis(g, base, 1, i, i + 1), ...own(shape));
  const scaled = (g: Graph, value: Value, shape: Shape, weights: WeightValues): Value =>
    gain ? mul(g, value, column(g, weights, 0, shape)) : value;
  return {
    block: (shape) => ({
      fanIn: 1,
      columns: start.length,
      fanOut: sizeOf(own(shape)),
      form: "rows",
      start,
      scales: PLAIN_SCALES,
    }),
    apply(g, n, shape, weights) {
      const value = scaled(g, n, shape, weights);
      return shift ? add(g, value, column(g, weights, start.length - 1, shape)) : value;
    },
    back: scaled,
    jacobian(g, at, ct, n) {
      const shape = at.shapes[0]!;
      const O = sizeOf(own(shape));
      const T = sizeOf(shape) / O;
      // [C, N, ...shape] to [C, N, O, 1].
      const perUnit = (value: Value): Value => {
        const units =
          T === 1 ? viewed(at, value, shape, [O]) : sumAlong(g, viewed(at, value, shape, [T, O]), -2);
        return unsqueeze(g, units, -1);
      };
      const columns = [...(gain ? [perUnit(mul(g, ct, n))] : []), ...(shift ? [perUnit(ct)] : [])];
      return { kind: "rows", J: concat(g, columns, -1) };
    },
  };
}
