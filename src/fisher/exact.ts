/**
 * @file Exact NGD (paper, section 3; Zhang et al., arXiv 1905.10961): v = X(sum_l Theta_l, rho) r,
 * G = Theta X / N, which is the identity undamped. By the push-through identity this is (F + rho I)^-1 J^T r / N with
 * the full P x P Fisher matrix, at the price of an N C x N C solve.
 */
import { ntk } from "../kernel/kernel.ts";
import { factorize } from "../matrix/cholesky.ts";
import { addDiagonal, scale } from "../matrix/matrix.ts";
import type { Fisher } from "./fisher.ts";
import { networkPropagator, perSample } from "./tangent.ts";

export const exact: Fisher = {
  name: "exact",
  title: "NGD with the exact Fisher matrix",
  usesCurvature: true,
  alpha: () => 1,
  async prepare(kernel, damping) {
    const { samples, epsilon } = kernel;
    const gram = addDiagonal(scale(ntk(kernel), 1 / samples), damping);
    const { solve } = await factorize(gram, { what: "exact: NTK", epsilon, overwrite: true });
    return {
      async coefficients(residual) {
        const shared = perSample(solve(residual), samples);
        return kernel.layers.map(() => shared);
      },
      propagator: async (cross) => networkPropagator(cross, solve),
    };
  },
};
