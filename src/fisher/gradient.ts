/**
 * @file Gradient descent, the method without a Fisher matrix: v = r, U_l[n] = (1/N) sum_c r_nc Delta_l[n, c],
 * G = sum_l Theta_l / N.
 */
import { matrixBytes, vectorsBytes } from "./cost.ts";
import type { Fisher } from "./fisher.ts";
import { networkPropagator, perSample } from "./tangent.ts";

export const gradient: Fisher = {
  name: "gradient",
  title: "gradient descent",
  usesCurvature: false,
  alpha: () => undefined,
  fromTangent: async () => async (residual) => residual,
  prepare: async (kernel) => ({
    coefficients: async (residual) => kernel.layers.map(() => perSample(residual, kernel.samples)),
    propagator: async (cross) => networkPropagator(cross, async (residual) => residual),
  }),

  cost({ samples, outputs, layers }) {
    const m = samples * outputs;
    return {
      prepare: { kept: 0, peak: 0 },
      coefficients: vectorsBytes(m, layers.length),
      propagator(rows) {
        const theta = matrixBytes(rows.samples * rows.outputs, m);
        return { kept: theta, peak: theta };
      },
      operations: 0,
    };
  },
};
