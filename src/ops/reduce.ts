/**
 * @file Sums, means and maxima along axes. The cotangent of a sum goes to every number that was added, that of a mean divided by their
 * count, and that of a maximum in equal parts to those that have it.
 */
import type { Graph, Value } from "../engine/graph.ts";
import { div, equal, expand, mul, reduce, reshape, scaleBy } from "../engine/ops.ts";
import { axesOf, viewed } from "./axes.ts";
import { only, sizeOf, type Op, type Point, type Shape } from "./op.ts";

/** Options of reductions. */
export type ReduceOptions = {
  /** Which axes of a sample. Default: all. */
  axes?: readonly number[];
  /** Whether they stay, with size one. Default: false. */
  keep?: boolean;
};

/**
 * The op that averages along axes.
 * @throws RangeError (the op) where there is no such axis.
 * @example
 * import { reduceMean } from "natgrad/network";
 *
 * console.log(reduceMean({ axes: [0] }).shape([[5, 8]])); // [ 8 ]
 */
export const reduceMean = (options: ReduceOptions = {}): Op =>
  reduction("reduceMean", "ReduceMean", options, (g, { ct, count }) => scaleBy(g, ct, 1 / count));

/**
 * The op that sums along axes.
 * @throws as {@link reduceMean} does.
 * @example
 * import { reduceSum } from "natgrad/network";
 *
 * console.log(reduceSum({ axes: [-1], keep: true }).shape([[5, 8]])); // [ 5, 1 ]
 */
export const reduceSum = (options: ReduceOptions = {}): Op =>
  reduction("reduceSum", "ReduceSum", options, (_g, { ct }) => ct);

/**
 * The op that takes the largest values along axes; where several are, each has an equal part of the derivative.
 * @throws as {@link reduceMean} does.
 * @example
 * import { reduceMax } from "natgrad/network";
 *
 * console.log(reduceMax().shape([[5, 8]])); // []
 */
export const reduceMax = (options: ReduceOptions = {}): Op =>
  reduction("reduceMax", "ReduceMax", options, (g, { ct, at, axes }) => {
    const x = at.first(at.inputs[0]!);
    const held = equal(g, x, reduce(g, "ReduceMax", x, axes));
    return mul(g, ct, div(g, held, reduce(g, "ReduceSum", held, axes)));
  });

/** What the way back knows: the cotangent with the axes in their places, and how many numbers each of its own came from. */
type Back = {
  readonly ct: Value;
  readonly at: Point;
  readonly axes: readonly number[];
  readonly count: number;
};

function reduction(
  name: string,
  by: "ReduceSum" | "ReduceMean" | "ReduceMax",
  { axes, keep = false }: ReduceOptions,
  back: (g: Graph, of: Back) => Value,
): Op {
  const partsOf = (inputs: readonly Shape[]) => {
    const shape = only(name, inputs);
    const own = axesOf(name, axes ?? shape.map((_, i) => i), shape);
    const kept = shape.map((size, i) => (own.includes(i) ? 1 : size));
    const result = keep ? kept : shape.filter((_, i) => !own.includes(i));
    return { shape, kept, result, fromEnd: own.map((axis) => axis - shape.length) };
  };
  return {
    name,
    shape: (inputs) => partsOf(inputs).result,
    forward(g, { inputs, shapes }) {
      const { kept, result, fromEnd } = partsOf(shapes);
      if (fromEnd.length === 0) return { output: inputs[0]! };
      const output = reduce(g, by, inputs[0]!, fromEnd);
      return { output: kept.length === result.length ? output : reshape(g, output, -1, ...result) };
    },
    backward(g, at, ct) {
      const { shape, kept, result, fromEnd } = partsOf(at.shapes);
      if (fromEnd.length === 0) return [ct];
      const count = sizeOf(shape) / sizeOf(kept);
      const own = back(g, { ct: viewed(at, ct, result, kept), at, axes: fromEnd, count });
      return [expand(g, own, shape)];
    },
  };
}
