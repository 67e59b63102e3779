/**
 * @file Layer-wise (block-diagonal) NGD (paper, section 4.1): each layer inverts its own block,
 * v_l = X(Theta_l, rho) r, G = sum_l Theta_l X_l / N, which tends to L I undamped.
 */
import { blocksOf } from "../kernel/kernel.ts";
import type { InverseSolver } from "../linalg/linear-solver.ts";
import { addDiagonal, scale } from "../linalg/matrix.ts";
import { invertBytes, matrixBytes, vectorsBytes } from "./cost.ts";
import type { Fisher } from "./fisher.ts";
import { invert } from "./invert.ts";
import { layerwisePropagator, perSample } from "./dual.ts";

export const blockDiagonal: Fisher = {
  name: "block_diagonal",
  title: "NGD with one block of the Fisher matrix per layer",
  needs: "blocks",
  curvature: "folded",
  alpha: ({ layers }) => layers,
  async prepare(kernel, damping, options = {}) {
    const { cols: samples, epsilon } = kernel;
    const blocks: InverseSolver[] = [];
    for (const [l, layer] of blocksOf(kernel).entries()) {
      const gram = addDiagonal(scale(await layer.ntk(), 1 / samples), damping);
      blocks.push(await invert(gram, { what: `block_diagonal: NTK of layer ${l + 1}`, epsilon }, options));
    }
    return {
      solve: async (residual) => blocks.map(({ solve }) => perSample(solve(residual), samples)),
      onto: (cross) => layerwisePropagator(cross, (residual) => blocks.map(({ solve }) => solve(residual))),
    };
  },

  // Theta_l, which becomes its factor, and Theta'_l of every propagator.
  cost({ samples, outputs, layers: { length: L }, ...options }) {
    const m = samples * outputs;
    const { kept, peak } = invertBytes(m, options);
    return {
      prepare: { kept: L * kept, peak: (L - 1) * kept + peak + 2 * matrixBytes(m) },
      solve: vectorsBytes(m, L),
      onto(rows) {
        const thetas = L * matrixBytes(rows.samples * rows.outputs, m);
        return { kept: thetas, peak: thetas };
      },
      operations: (L * m ** 3) / 3,
    };
  },
};
