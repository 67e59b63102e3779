/**
 * @file One value as several: the parts of an axis.
 */
import { agree, demandWhole } from "../error.ts";
import { axisOf } from "../ops/axes.ts";
import { slice } from "../ops/pick.ts";
import type { Composite } from "./layers.ts";

/** Options of {@link split}. */
export type SplitOptions = {
  /** Along which axis. Default: the last. */
  axis?: number;
  /** Of the parts, first to last. */
  sizes: readonly number[];
};

/**
 * The layer that makes several values of one, parts of an axis; the next layer takes them all.
 * @throws InputError for sizes that are no whole numbers above 0; RangeError, when the network is made, where there is no such axis or
 * it has another size than all parts together.
 * @example
 * import { dense, serial } from "natgrad";
 * import { mul, split } from "natgrad/network";
 *
 * const network = serial(8, dense(32), split({ sizes: [16, 16] }), mul(), dense(1)); // a product of both halves
 * console.log(network.outputs); // 1
 */
export function split({ axis = -1, sizes }: SplitOptions): Composite {
  for (const size of sizes) demandWhole("split", size);
  return {
    name: "split",
    append(b, inputs) {
      agree("split", "1 input", inputs.length === 1 ? "1 input" : `${inputs.length} inputs`);
      const shape = b.shape(inputs[0]!);
      const own = axisOf("split", axis, shape);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      agree("split", `${shape[own]!} entries`, `${total} entries`);
      let start = 0;
      return sizes.map((size) => b.apply(slice({ axis: own, start, end: (start += size) }), [inputs[0]!]));
    },
  };
}
