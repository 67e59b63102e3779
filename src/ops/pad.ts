/**
 * @file Values with a border of one number.
 */
import { agree, demand, demandWhole } from "../error.ts";
import { padWith } from "../engine/ops.ts";
import { only, type Op, type Shape } from "./op.ts";

/** Options of {@link pad}: one number per axis of a sample. */
export type PadOptions = {
  /** Entries before the first. */
  before: readonly number[];
  /** Entries after the last. */
  after: readonly number[];
  /** What stands there. Default: 0. */
  value?: number;
};

/**
 * The op that puts entries of one value before and after its input, along each axis. Reflections and repeated borders: `gather`.
 * @throws InputError for counts that are no whole numbers >= 0; RangeError for as many counts before as there are not after, and (the op) for
 * values with another number of axes.
 * @example
 * import { pad } from "natgrad/network";
 *
 * console.log(pad({ before: [1, 0], after: [0, 2] }).shape([[5, 8]])); // [ 6, 10 ]
 */
export function pad({ before, after, value = 0 }: PadOptions): Op {
  for (const count of [...before, ...after]) demandWhole("pad", count, 0);
  agree("pad", `${before.length} counts after`, `${after.length} counts after`);
  // -Infinity is what a maximum leaves out.
  demand(typeof value === "number" && !Number.isNaN(value), "value", "a number", value);
  const shapeOf = (inputs: readonly Shape[]): Shape => {
    const shape = only("pad", inputs);
    agree("pad", `values with ${before.length} axes`, `values with ${shape.length} axes`);
    return shape.map((size, i) => size + before[i]! + after[i]!);
  };
  return {
    name: "pad",
    shape: shapeOf,
    forward: (g, { inputs }) => ({
      output: padWith(g, inputs[0]!, [0, ...before], [0, ...after], value),
    }),
    backward(g, at, ct) {
      const [shape] = at.shapes;
      const axes = shape!.map((_, i) => i - shape!.length);
      const ends = shape!.map((size, i) => before[i]! + size);
      return [g.node("Slice", [ct, g.integers(...before), g.integers(...ends), g.integers(...axes)])];
    },
  };
}
