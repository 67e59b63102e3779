/**
 * @file Exact NGD (paper, section 3; Zhang et al., arXiv 1905.10961): v = X(sum_l Theta_l, rho) r,
 * G = Theta X / N, which is the identity undamped. By the push-through identity this is (F + rho I)^-1 J^T r / N with
 * the full P x P Fisher matrix, at the price of an N C x N C solve.
 */
import { kernelTangent } from "../kernel/tangent.ts";
import { addDiagonal, type Matrix } from "../matrix/matrix.ts";
import { choleskyBytes, invertBytes, matrixBytes, vectorsBytes } from "./cost.ts";
import type { Fisher } from "./fisher.ts";
import { BLOCK, matrixFree } from "./matrix-free.ts";
import { invert } from "./invert.ts";
import { networkPropagator, perSample } from "./tangent.ts";

const fromTangent: NonNullable<Fisher["fromTangent"]> = async (tangent, damping, options = {}) => {
  if (options.solver === "cg") {
    const { solve } = await matrixFree(tangent, damping, options);
    return async (residual) => solve(residual);
  }
  const gram = addDiagonal(divide(await tangent.gram(), tangent.samples), damping);
  const { solve } = await invert(gram, { what: "exact: NTK", epsilon: tangent.epsilon }, options);
  return async (residual) => solve(residual);
};

export const exact: Fisher = {
  name: "exact",
  title: "NGD with the exact Fisher matrix",
  usesCurvature: true,
  solvesTangent: true,
  alpha: () => 1,
  fromTangent,
  async prepare(kernel, damping, options) {
    const solve = await fromTangent(kernelTangent(kernel), damping, options);
    return {
      async coefficients(residual) {
        const shared = perSample(await solve(residual), kernel.samples);
        return kernel.layers.map(() => shared);
      },
      propagator: async (cross) => networkPropagator(cross, solve),
    };
  },

  // Theta, which becomes its factor, and Theta' of every propagator.
  cost({ samples, outputs, layers, ...options }) {
    const m = samples * outputs;
    return {
      prepare: invertBytes(m, options),
      coefficients: vectorsBytes(m, layers.length),
      propagator(rows) {
        const theta = matrixBytes(rows.samples * rows.outputs, m);
        return { kept: theta, peak: theta };
      },
      operations: m ** 3 / 3,
    };
  },
  tangentCost({ samples, outputs, solver, rank, ...options }) {
    const m = samples * outputs;
    if (solver === "gram") return { ...invertBytes(m, options), operations: m ** 3 / 3 };
    // F^T and a block of rows that is added to it; F^T F with its factor; some vectors.
    const kept = matrixBytes(rank, m) + choleskyBytes(rank) + 10 * matrixBytes(m, 1);
    return {
      kept,
      peak: kept + 3 * matrixBytes(Math.min(BLOCK, rank) * outputs, m),
      operations: 2 * rank ** 2 * m,
    };
  },
};

/** a / d, in place. */
function divide(a: Matrix, d: number): Matrix {
  for (let i = 0; i < a.data.length; i++) a.data[i]! /= d;
  return a;
}
