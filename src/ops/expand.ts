/**
 * @file Axes of size one: repeated, made and taken away.
 */
import { demand, demandWhole } from "../error.ts";
import { expand as expandValue } from "../engine/ops.ts";
import { aligned, axesOf, broadcastShape, printed, unbroadcast } from "./axes.ts";
import { only, type Op, type Shape } from "./op.ts";
import { reshaping } from "./reshape.ts";

/**
 * The op that broadcasts its input to a shape, as in NumPy: axes are aligned from the end, and sizes of one are repeated.
 * @throws InputError for sizes that are no whole numbers above 0; RangeError (the op) for values that do not broadcast.
 * @example
 * import { expand } from "natgrad/network";
 *
 * console.log(expand(3, 4).shape([[1, 4]])); // [ 3, 4 ]
 */
export function expand(...shape: number[]): Op {
  for (const size of shape) demandWhole("expand", size);
  const name = `expand(${shape.join(", ")})`;
  const shapeOf = (inputs: readonly Shape[]): Shape => broadcastShape(name, only(name, inputs), shape);
  return {
    name,
    shape: shapeOf,
    forward(g, { inputs, shapes }) {
      const to = shapeOf(shapes);
      return { output: expandValue(g, aligned(g, inputs[0]!, shapes[0]!, to.length), to) };
    },
    backward: (g, at, ct) => [unbroadcast(g, at, ct, shapeOf(at.shapes), at.shapes[0]!)],
  };
}

/**
 * The op that takes axes of size one away.
 * @throws RangeError (the op) where there is no such axis, or it has another size.
 * @example
 * import { squeeze } from "natgrad/network";
 *
 * console.log(squeeze(0).shape([[1, 4]])); // [ 4 ]
 */
export function squeeze(...axes: number[]): Op {
  const name = `squeeze(${axes.join(", ")})`;
  return reshaping(name, (inputs) => {
    const shape = only(name, inputs);
    const own = axesOf(name, axes, shape);
    if (own.every((axis) => shape[axis] === 1)) return shape.filter((_, i) => !own.includes(i));
    throw new RangeError(`${name}: wanted axes of size 1, got ${printed(shape)}`);
  });
}

/**
 * The op that makes an axis of size one, which stands at `axis` of the result; negative ones count from its end.
 * @throws InputError for an axis that is no whole number; RangeError (the op) for one beyond the result.
 * @example
 * import { unsqueeze } from "natgrad/network";
 *
 * console.log(unsqueeze(0).shape([[4]]), unsqueeze(-1).shape([[4]])); // [ 1, 4 ] [ 4, 1 ]
 */
export function unsqueeze(axis: number): Op {
  demand(Number.isInteger(axis), "unsqueeze", "a whole number", axis);
  const name = `unsqueeze(${axis})`;
  return reshaping(name, (inputs) => {
    const shape = only(name, inputs);
    const rank = shape.length + 1;
    const own = axis < 0 ? axis + rank : axis;
    if (own >= 0 && own < rank) return shape.toSpliced(own, 0, 1);
    throw new RangeError(`${name}: wanted an axis from ${-rank} to ${rank - 1}, got ${axis}`);
  });
}
