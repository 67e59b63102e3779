/**
 * @file erf u and GELU u Phi(u). Duals of erf: Williams, "Computing with infinite networks" (1996); of GELU: Tsuchida et al., arXiv
 * 2002.08517, with d^2 = (1 + p) (1 + q) - k^2.
 */
import { add, mul, scaleBy } from "../../engine/ops.ts";
import type { Activation } from "../activation.ts";
import { erf, exp, normalCdf, normalDensity } from "./formulas.ts";

/** erf'(0). */
const SLOPE = 2 / Math.sqrt(Math.PI);

/** erf(u). */
export const ERF: Activation = {
  name: "erf",
  value: erf,
  derivative: (g, u) => scaleBy(g, exp(g, scaleBy(g, mul(g, u, u), -1)), SLOPE),
  slope: (u) => SLOPE * Math.exp(-u * u),
  dual: (k, p, q) => {
    // asin by atan2, which keeps its digits next to 1.
    const rest = (1 + 2 * p) * (1 + 2 * q) - 4 * k * k;
    return (2 / Math.PI) * Math.atan2(2 * k, Math.sqrt(rest));
  },
  dualDerivative: (k, p, q) => 4 / (Math.PI * Math.sqrt((1 + 2 * p) * (1 + 2 * q) - 4 * k * k)),
};

/** Phi(u) on the host, by the continued fraction or the series of Phi - 1/2 (Marsaglia, J. Stat. Software 11, 2004). */
function cdf(u: number): number {
  const x = Math.abs(u);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x > 4) {
    let fraction = 0;
    for (let k = 60; k >= 1; k--) fraction = k / (x + fraction);
    const tail = density / (x + fraction);
    return u > 0 ? 1 - tail : tail;
  }
  let [term, sum] = [x, x];
  for (let k = 3; term > 1e-17 * sum; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return u > 0 ? 0.5 + density * sum : 0.5 - density * sum;
}

/** u Phi(u). */
export const GELU: Activation = {
  name: "gelu",
  value: (g, u) => mul(g, u, normalCdf(g, u)),
  derivative: (g, u) => add(g, normalCdf(g, u), mul(g, u, normalDensity(g, u))),
  slope: (u) => cdf(u) + (u * Math.exp((-u * u) / 2)) / Math.sqrt(2 * Math.PI),
  dual(k, p, q) {
    const whole = (1 + p) * (1 + q);
    const square = whole - k * k;
    const d = Math.sqrt(square);
    const angle = Math.atan2(k, d);
    return ((k * k + p * q * square) / (whole * d) + k * angle) / (2 * Math.PI) + k / 4;
  },
  dualDerivative(k, p, q) {
    const whole = (1 + p) * (1 + q);
    const square = whole - k * k;
    const d = Math.sqrt(square);
    const first = (k / d) * (1 / square + (1 - p * q) / whole + 1);
    return (first + Math.atan2(k, d)) / (2 * Math.PI) + 0.25;
  },
};
