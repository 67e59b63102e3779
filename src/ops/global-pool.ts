/**
 * @file Pooling over all positions of a sample: one number per channel.
 */
import { agree } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { maxAlong, meanAlong, mul, reshape, sumAlong } from "../engine/ops.ts";
import { only, sizeOf, type Op, type Point, type Shape } from "./op.ts";
import { firstLargest } from "./pool.ts";

/**
 * The average over all positions.
 * @throws RangeError, when the network is made, for values without positions.
 * @example
 * import { globalAveragePool } from "natgrad/network";
 *
 * console.log(globalAveragePool().shape([[8, 8, 3]])); // [ 3 ]
 */
export const globalAveragePool = (): Op =>
  globalPool("globalAveragePool", meanAlong, (g, _at, { P }) => even(g, P, 1 / P));

/**
 * The sum over all positions.
 * @throws as {@link globalAveragePool} does.
 */
export const globalSumPool = (): Op =>
  globalPool("globalSumPool", sumAlong, (g, _at, { P }) => even(g, P, 1));

/**
 * The largest value of all positions; its derivative goes to the first that has it.
 * @throws as {@link globalAveragePool} does.
 */
export const globalMaxPool = (): Op =>
  globalPool("globalMaxPool", maxAlong, (g, at, { P, channels }) => {
    const values = reshape(g, at.first(at.inputs[0]!), -1, 1, P, channels);
    return reshape(g, firstLargest(g, values, P), -1, P, channels);
  });

/** Sizes of a value [...positions, channels]. */
type Sizes = { readonly P: number; readonly channels: number };

/** `slopes`: of the value by those of each position, [P, 1] or [N, P, channels]. */
function globalPool(
  name: string,
  along: (g: Graph, value: Value, axis: number) => Value,
  slopes: (g: Graph, at: Point, sizes: Sizes) => Value,
): Op {
  const sizesOf = (inputs: readonly Shape[]): Sizes => {
    const shape = only(name, inputs);
    const wanted = "values with two axes or more";
    agree(name, wanted, shape.length > 1 ? wanted : "values with one axis");
    return { P: sizeOf(shape.slice(0, -1)), channels: shape.at(-1)! };
  };
  return {
    name,
    shape: (inputs) => [sizesOf(inputs).channels],
    forward(g, { inputs, shapes }) {
      const { P, channels } = sizesOf(shapes);
      return { output: along(g, reshape(g, inputs[0]!, -1, P, channels), 1) };
    },
    backward(g, at, ct) {
      const sizes = sizesOf(at.shapes);
      const { P, channels } = sizes;
      const delta = at.cotangent(at.matrix(ct, [channels]), [1, channels]);
      const back = at.flat(mul(g, delta, slopes(g, at, sizes)), [P, channels]);
      return [at.cotangent(back, at.shapes[0]!)];
    },
  };
}

/** The same slope for every position. */
const even = (g: Graph, P: number, slope: number): Value =>
  g.constant(
    Array.from({ length: P }, () => slope),
    [P, 1],
  );
