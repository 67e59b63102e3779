/**
 * @file Gradient descent, the method without a Fisher matrix: v = r, U_l[n] = (1/N) sum_c r_nc Delta_l[n, c],
 * G = sum_l Theta_l / N.
 */
import { matrixBytes, vectorsBytes } from "./cost.ts";
import { sharedByLayers } from "./dual.ts";
import type { Fisher } from "./fisher.ts";

export const gradient: Fisher = {
  name: "gradient",
  title: "gradient descent",
  needs: "ntk",
  curvature: "none",
  continuous: true,
  alpha: () => undefined,
  prepare: async ({ cols }) => sharedByLayers(cols, async (residual) => residual),

  cost({ samples, outputs, layers, summed = false }) {
    const m = samples * outputs;
    return {
      prepare: { kept: 0, peak: 0 },
      solve: vectorsBytes(m, layers.length),
      onto(rows) {
        const theta = summed ? 0 : matrixBytes(rows.samples * rows.outputs, m);
        return { kept: theta, peak: theta };
      },
      operations: 0,
    };
  },
};
