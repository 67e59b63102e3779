/**
 * @file ReLU. Its duals are the arc-cosine kernels of degrees 1 and 0 (Cho & Saul 2009): with c the correlation
 * and t = arccos(c),
 *
 *     E[phi phi']         = sqrt(p q) (sin t + (pi - t) c) / (2 pi)
 *     E[phi-dot phi-dot'] = (pi - t) / (2 pi)
 */
import { relu as reluOp, step } from "../engine/ops.ts";
import { activation, type Activation } from "./activation.ts";
import type { Op } from "./op.ts";

/** Correlations this near to one are one: arccos would make 1e-8 of a rounding of 1e-16. */
const ROUNDING = 4e-15;

/** Correlation, snapped to -1 and 1. */
function correlation(k: number, norm: number): number {
  const c = k / norm;
  return 1 - Math.abs(c) < ROUNDING ? Math.sign(c) : c;
}

/** ReLU as formulas; `maps` evaluates both duals in WebAssembly (assembly/duals.ts). */
export const RELU: Activation = {
  name: "relu",
  value: reluOp,
  derivative: step,
  slope: (u) => Number(u > 0),
  activeShare: 1 / 2,
  dual(k, p, q) {
    const norm = Math.sqrt(p) * Math.sqrt(q);
    if (norm === 0) return 0;
    const c = correlation(k, norm);
    return (norm * (Math.sqrt((1 - c) * (1 + c)) + (Math.PI - Math.acos(c)) * c)) / (2 * Math.PI);
  },
  dualDerivative(k, p, q) {
    const norm = Math.sqrt(p) * Math.sqrt(q);
    return norm === 0 ? 0 : (Math.PI - Math.acos(correlation(k, norm))) / (2 * Math.PI);
  },
  maps: (tile) => tile.workspace.relu(tile),
};

/**
 * max(u, 0); the derivative at zero is zero.
 * @example
 * import { dense, relu, serial } from "natgrad";
 *
 * const network = serial(4, dense(16), relu(), dense(1));
 * console.log(network.nodes.map(({ op }) => op.name)); // dense(16), relu, dense(1)
 */
export const relu = (): Op => activation(RELU);
