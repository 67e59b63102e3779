/**
 * @file Values joined along an axis.
 */
import { agree } from "../error.ts";
import { concat, sliceAxis } from "../engine/ops.ts";
import { axisOf, printed } from "./axes.ts";
import type { Op, Shape } from "./op.ts";

/**
 * The op that joins its inputs along an axis; their other sizes are the same.
 * @throws RangeError (the op) where there is no such axis, or sizes disagree.
 * @example
 * import { concatenate } from "natgrad/network";
 *
 * console.log(concatenate({ axis: 0 }).shape([[1, 8], [5, 8]])); // [ 6, 8 ]
 */
export function concatenate({ axis = -1 }: { axis?: number } = {}): Op {
  const sizesOf = (inputs: readonly Shape[]): { own: number; sizes: number[] } => {
    const [first] = inputs;
    agree("concatenate", "1 input or more", first ? "1 input or more" : "none");
    const own = axisOf("concatenate", axis, first!);
    const rest = (shape: Shape): string => printed(shape.map((size, i) => (i === own ? -1 : size)));
    for (const shape of inputs) {
      if (rest(shape) === rest(first!)) continue;
      throw new RangeError(
        `concatenate: wanted values as ${printed(first!)} but in axis ${own}, got ${printed(shape)}`,
      );
    }
    return { own, sizes: inputs.map((shape) => shape[own]!) };
  };
  return {
    name: "concatenate",
    shape(inputs) {
      const { own, sizes } = sizesOf(inputs);
      return inputs[0]!.with(
        own,
        sizes.reduce((sum, size) => sum + size),
      );
    },
    forward(g, { inputs, shapes }) {
      const { own } = sizesOf(shapes);
      return { output: concat(g, inputs, own - shapes[0]!.length) };
    },
    backward(g, at, ct) {
      const { own, sizes } = sizesOf(at.shapes);
      let from = 0;
      return sizes.map((size) => sliceAxis(g, ct, own - at.shapes[0]!.length, from, (from += size)));
    },
  };
}
