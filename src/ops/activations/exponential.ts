/**
 * @file sin, cos, exp, and the feature of the Gaussian kernel. With h = (p + q) / 2 their duals are
 *
 *     E[sin u sin v] = exp(-h) sinh(k),   E[cos u cos v] = exp(-h) cosh(k),   E[exp u exp v] = exp(h + k).
 */
import { add, scaleBy } from "../../engine/ops.ts";
import { demand } from "../../error.ts";
import type { Activation } from "../activation.ts";
import { cos, exp, plus, sin } from "./formulas.ts";

/** exp(-h) sinh(k) and exp(-h) cosh(k) without overflow: |k| <= h. */
function sinh(k: number, p: number, q: number): number {
  const size = Math.abs(k);
  return -0.5 * Math.sign(k) * Math.exp(size - (p + q) / 2) * Math.expm1(-2 * size);
}
function cosh(k: number, p: number, q: number): number {
  const size = Math.abs(k);
  return 0.5 * Math.exp(size - (p + q) / 2) * (1 + Math.exp(-2 * size));
}

/** sin(u). */
export const SIN: Activation = {
  name: "sin",
  value: sin,
  derivative: cos,
  slope: Math.cos,
  dual: sinh,
  dualDerivative: cosh,
};

/** cos(u). */
export const COS: Activation = {
  name: "cos",
  value: cos,
  derivative: (g, u) => scaleBy(g, sin(g, u), -1),
  slope: (u) => -Math.sin(u),
  dual: cosh,
  dualDerivative: sinh,
};

/** E[exp u exp v]. */
const grown = (k: number, p: number, q: number): number => Math.exp((p + q) / 2 + k);

/** exp(u). */
export const EXP: Activation = {
  name: "exp",
  value: exp,
  derivative: exp,
  slope: Math.exp,
  dual: grown,
  dualDerivative: grown,
};

/**
 * sqrt(2) sin(sqrt(2 gamma) u + pi / 4) = sin(a u) + cos(a u), whose dual is the Gaussian kernel exp(-gamma (p + q - 2 k)) (Rahimi &
 * Recht 2007), as Rbf in Neural Tangents.
 * @throws InputError for a gamma that is no finite number above 0.
 */
export function rbf(gamma = 1): Activation {
  demand(gamma > 0 && Number.isFinite(gamma), "gamma", "a finite number > 0", gamma);
  const a = Math.sqrt(2 * gamma);
  const dual = (k: number, p: number, q: number): number => Math.exp(-gamma * (p + q - 2 * k));
  return {
    name: "rbf",
    value(g, u) {
      const scaled = scaleBy(g, u, a);
      return g.precision === "float32"
        ? scaleBy(g, sin(g, plus(g, scaled, Math.PI / 4)), Math.SQRT2)
        : add(g, sin(g, scaled), cos(g, scaled));
    },
    derivative(g, u) {
      const scaled = scaleBy(g, u, a);
      return scaleBy(g, add(g, cos(g, scaled), scaleBy(g, sin(g, scaled), -1)), a);
    },
    slope: (u) => a * (Math.cos(a * u) - Math.sin(a * u)),
    dual,
    dualDerivative: (k, p, q) => a * a * dual(k, p, q),
  };
}

export const RBF: Activation = rbf();
