/**
 * @file A method that checks its arguments: a damping that is a number, kernels and residuals whose sizes agree. Wrong ones
 * would otherwise give results that are finite and wrong.
 */
import { agree, demandDamping } from "../error.ts";
import { blocksOf, checkKernel } from "../kernel/kernel.ts";
import type { Fisher } from "./fisher.ts";

/** `fisher`, whose functions throw InputError for a damping that is none, and RangeError where sizes disagree. */
export const guarded = (fisher: Fisher): Fisher => ({
  ...fisher,
  async prepare(...args) {
    const [kernel, damping] = args;
    demandDamping(damping);
    checkKernel(kernel);
    const size = kernel.cols * kernel.outputs;
    agree("kernel", `${size} rows`, `${kernel.rows * kernel.rowOutputs} rows`);
    if (fisher.needs !== "ntk") blocksOf(kernel, fisher.name);
    const prepared = await fisher.prepare(...args);
    return {
      ...prepared,
      async solve(residual) {
        checkResidual(residual, size);
        return prepared.solve(residual);
      },
      async onto(cross) {
        checkKernel(cross, kernel);
        const G = await prepared.onto(cross);
        return (residual) => {
          checkResidual(residual, size);
          return G(residual);
        };
      },
    };
  },
});

const checkResidual = ({ length }: Float64Array, wanted: number): void =>
  agree("residual", `${wanted} numbers`, `${length} numbers`);
