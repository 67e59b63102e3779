/**
 * @file The sum of values of one shape: where branches of a network meet.
 */
import { agree } from "../error.ts";
import { add } from "../engine/ops.ts";
import type { Op } from "./op.ts";

/**
 * The op that adds up its inputs, two or more of one shape.
 * @example
 * import { sum } from "natgrad/network";
 *
 * console.log(sum().shape([[4], [4]])); // [ 4 ]
 */
export const sum = (): Op => ({
  name: "sum",
  shape([first, ...rest]) {
    agree("sum", "2 inputs or more", rest.length > 0 ? "2 inputs or more" : `${first ? 1 : 0} inputs`);
    for (const shape of rest) agree("sum", `values [${first!.join(", ")}]`, `values [${shape.join(", ")}]`);
    return first!;
  },
  forward: (g, { inputs: [first, ...rest] }) => ({
    output: rest.reduce((total, value) => add(g, total, value), first!),
  }),
  backward: (_g, at, ct) => at.inputs.map(() => ct),
});
