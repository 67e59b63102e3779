/**
 * @file Steps of methods whose coefficients are one number v_l[n, c] a sample and output: the change of the outputs
 * is sum over l of Theta'_l v_l / N.
 */
import { layerNtk, ntk, type Kernel } from "../kernel/kernel.ts";
import type { Matrix } from "../matrix/matrix.ts";
import { addTimes } from "../matrix/vector-product.ts";
import type { Coefficients, NetworkSolve, Propagator } from "./fisher.ts";

/** U_l[n] = (1/N) sum_c v[n, c] Delta_l[n, c]. */
export const perSample = (v: Float64Array, samples: number): Coefficients => ({
  kind: "per-sample",
  values: v.map((x) => x / samples),
});

/** r to sum over l of Theta'_l v_l / N, with v_l = solve(r)[l]. */
export function layerwisePropagator(
  cross: Kernel,
  solve: (residual: Float64Array) => readonly (Float64Array | undefined)[],
): (residual: Float64Array) => Float64Array {
  const thetas = cross.layers.map(layerNtk);
  return (residual) => {
    const out = new Float64Array(thetas[0]!.rows);
    for (const [l, v] of solve(residual).entries()) {
      if (v) addTimes(out, 1 / cross.samples, thetas[l]!, v);
    }
    return out;
  };
}

/** r to Theta' v / N with Theta' the NTK of all layers and v = solve(r). */
export const networkPropagator = (cross: Kernel, solve: NetworkSolve): Propagator =>
  thetaPropagator(ntk(cross), cross.samples, solve);

/** The same for Theta' [N' C, N C] and N as they are. */
export function thetaPropagator(theta: Matrix, samples: number, solve: NetworkSolve): Propagator {
  return async (residual) => {
    const out = new Float64Array(theta.rows);
    addTimes(out, 1 / samples, theta, await solve(residual));
    return out;
  };
}
