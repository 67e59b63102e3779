/**
 * @file Windows of convolutions and pooling: strides, dilations and pads made explicit, and the sizes that they give.
 */
import { InputError } from "../../../error.ts";
import type { OnnxNode } from "../../model.ts";
import { intOf, intsOf, named, stringOf } from "../arguments.ts";

/** Windows over the axes of space. Pads: of all beginnings, then of all ends. */
export type Windows = {
  readonly sizes: number[];
  readonly strides: number[];
  readonly dilations: number[];
  readonly pads: number[];
};

/**
 * The windows of a node.
 * @throws InputError for attributes that do not fit, or a window that is larger than what it slides over.
 */
export function windows(node: OnnxNode, space: readonly number[], kernel: readonly number[]): Windows {
  const what = named(node);
  const rank = space.length;
  const of = (name: string, length: number, otherwise: number, least: number) => {
    const given = intsOf(node, name) ?? Array.from({ length }, () => otherwise);
    if (given.length === length && given.every((n) => Number.isInteger(n) && n >= least)) return [...given];
    const wanted = `${length} whole numbers >= ${least}`;
    throw new InputError({ what: `${what}, ${name}`, wanted, got: `[${given.join(", ")}]` });
  };
  const strides = of("strides", rank, 1, 1);
  const dilations = of("dilations", rank, 1, 1);
  const pads = of("pads", 2 * rank, 0, 0);
  if (kernel.length !== rank)
    throw new InputError({ what, wanted: `a window of ${rank} axes`, got: `[${kernel.join(", ")}]` });
  const mode = stringOf(node, "auto_pad", "NOTSET");
  const sizes = space.map((size, axis) => {
    const reach = dilations[axis]! * (kernel[axis]! - 1) + 1;
    const stride = strides[axis]!;
    if (mode === "VALID") pads[axis] = pads[axis + rank] = 0;
    if (mode === "SAME_UPPER" || mode === "SAME_LOWER") {
      const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
      const [small, large] = [Math.floor(total / 2), Math.ceil(total / 2)];
      pads[axis] = mode === "SAME_UPPER" ? small : large;
      pads[axis + rank] = mode === "SAME_UPPER" ? large : small;
    }
    const room = size + pads[axis]! + pads[axis + rank]! - reach;
    if (room < 0) {
      throw new InputError({
        what,
        wanted: `at least ${reach} positions for its window`,
        got: `${room + reach}`,
      });
    }
    if (intOf(node, "ceil_mode", 0) === 0) return Math.floor(room / stride) + 1;
    const most = Math.ceil(room / stride) + 1;
    // The last window begins inside of the input or of the padding in front.
    return (most - 1) * stride >= size + pads[axis]! ? most - 1 : most;
  });
  return { sizes, strides, dilations, pads };
}
