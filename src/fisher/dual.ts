/**
 * @file Steps of methods whose coefficients are one number v_l[n, c] per sample and output: the change of the outputs
 * is sum over l of Theta'_l v_l / N.
 */
import { blocksOf, type Kernel } from "../kernel/kernel.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { addTimes } from "../linalg/vector-product.ts";
import type { Coefficients, Prepared, Propagator } from "./fisher.ts";

/** r [N C] to v [N C], one number per sample and output for all layers. */
export type DualSolve = (residual: Float64Array) => Promise<Float64Array>;

/** U_l[n] = (1/N) sum_c v[n, c] Delta_l[n, c]. */
export const perSample = (v: Float64Array, samples: number): Coefficients => ({
  kind: "per-sample",
  values: v.map((x) => x / samples),
});

/** A method that looks at no layer by itself, on N samples: U_l is of the same v = solve(r) in every layer. */
export const sharedByLayers = (samples: number, solve: DualSolve): Prepared => ({
  solve: async (residual) => perSample(await solve(residual), samples),
  async onto(cross) {
    const theta = await cross.matrix({ shared: true });
    return async (residual) => {
      const out = new Float64Array(theta.rows);
      addTimes(out, 1 / samples, theta, await solve(residual));
      return out;
    };
  },
});

/** r to sum over l of Theta'_l v_l / N, with v_l = solve(r)[l]. */
export async function layerwisePropagator(
  cross: Kernel,
  solve: (residual: Float64Array) => readonly (Float64Array | undefined)[],
): Promise<Propagator> {
  const thetas: Matrix[] = [];
  for (const block of blocksOf(cross)) thetas.push(await block.ntk());
  const { cols: samples } = cross;
  return (residual) => {
    const out = new Float64Array(thetas[0]!.rows);
    for (const [l, v] of solve(residual).entries()) {
      if (v) addTimes(out, 1 / samples, thetas[l]!, v);
    }
    return out;
  };
}
