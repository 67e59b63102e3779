/**
 * @file Exact NGD (paper, section 3; Zhang et al., arXiv 1905.10961): v = X(sum_l Theta_l, rho) r,
 * G = Theta X / N, which is the identity undamped. By the push-through identity this is (F + rho I)^-1 J^T r / N with
 * the full P x P Fisher matrix, at the price of an N C x N C solve.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { addDiagonal, type Matrix } from "../linalg/matrix.ts";
import { choleskyBytes, invertBytes, matrixBytes, vectorsBytes, type Memory } from "./cost.ts";
import { sharedByLayers, type DualSolve } from "./dual.ts";
import type { Fisher, PrepareOptions } from "./fisher.ts";
import { SOLVERS } from "./solver.ts";
import { BLOCK, matrixFree } from "./matrix-free.ts";
import { invert } from "./invert.ts";

export const exact: Fisher = {
  name: "exact",
  title: "NGD with the exact Fisher matrix",
  needs: "ntk",
  curvature: "folded",
  solvers: SOLVERS,
  alpha: () => 1,
  prepare: async (kernel, damping, options = {}) =>
    sharedByLayers(kernel.cols, await solver(kernel, damping, options)),

  // Theta, which becomes its factor, and Theta' of every propagator that finds none.
  cost({ samples, outputs, layers, solver = "gram", rank = 0, summed = false, ...options }) {
    const m = samples * outputs;
    return {
      prepare: solver === "gram" ? invertBytes(m, options) : iterationBytes(m, rank, outputs),
      solve: vectorsBytes(m, layers.length),
      onto(rows) {
        const theta = summed ? 0 : matrixBytes(rows.samples * rows.outputs, m);
        return { kept: theta, peak: theta };
      },
      operations: solver === "gram" ? m ** 3 / 3 : 2 * rank ** 2 * m,
    };
  },
};

/** r to X(Theta, rho) r. */
async function solver(kernel: Kernel, damping: number, options: PrepareOptions): Promise<DualSolve> {
  if (options.solver === "cg") {
    const { solve } = await matrixFree(kernel, damping, options);
    return async (residual) => solve(residual);
  }
  const gram = addDiagonal(divide(await kernel.matrix(), kernel.cols), damping);
  const { solve } = await invert(gram, { what: "exact: NTK", epsilon: kernel.epsilon }, options);
  return async (residual) => solve(residual);
}

/** F^T and a block of rows that is added to it; F^T F with its factor; some vectors. */
function iterationBytes(m: number, rank: number, outputs: number): Memory {
  const kept = matrixBytes(rank, m) + choleskyBytes(rank) + 10 * matrixBytes(m, 1);
  return { kept, peak: kept + 3 * matrixBytes(Math.min(BLOCK, rank) * outputs, m) };
}

/** a / d, in place. */
function divide(a: Matrix, d: number): Matrix {
  for (let i = 0; i < a.data.length; i++) a.data[i]! /= d;
  return a;
}
