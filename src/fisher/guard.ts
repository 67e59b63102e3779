/**
 * @file A method that looks at what it is given: a damping that is a number, kernels and residuals whose sizes agree. A wrong
 * one would otherwise end in numbers that are finite and wrong.
 */
import { agree, demandDamping } from "../error.ts";
import { checkKernel } from "../kernel/kernel.ts";
import type { Fisher, NetworkSolve } from "./fisher.ts";

/** `fisher`, whose functions throw InputError for a damping that is none, and RangeError where sizes disagree. */
export function guarded(fisher: Fisher): Fisher {
  const { fromTangent } = fisher;
  return {
    ...fisher,
    async prepare(...args) {
      const [kernel, damping] = args;
      demandDamping(damping);
      checkKernel(kernel);
      const size = kernel.samples * kernel.outputs;
      agree("kernel", `${size} rows`, `${kernel.layers[0]!.signalGram.rows} rows`);
      const preconditioner = await fisher.prepare(...args);
      return {
        ...preconditioner,
        coefficients(residual) {
          checkResidual(residual, size);
          return preconditioner.coefficients(residual);
        },
        async propagator(cross) {
          checkKernel(cross, kernel);
          const G = await preconditioner.propagator(cross);
          return (residual) => {
            checkResidual(residual, size);
            return G(residual);
          };
        },
      };
    },
    ...(fromTangent
      ? {
          async fromTangent(...args: Parameters<typeof fromTangent>): Promise<NetworkSolve> {
            const [tangent, damping] = args;
            demandDamping(damping);
            const solve = await fromTangent(...args);
            return async (residual) => {
              checkResidual(residual, tangent.samples * tangent.outputs);
              return solve(residual);
            };
          },
        }
      : {}),
  };
}

const checkResidual = ({ length }: Float64Array, wanted: number): void =>
  agree("residual", `${wanted} numbers`, `${length} numbers`);
