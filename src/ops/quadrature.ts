/**
 * @file Duals of an activation without formulas for them, by Gauss-Hermite quadrature: with n nodes x_i and weights w_i of the standard
 * normal,
 *
 *     E[f(u) f(v)] = sum over i, j of w_i w_j f(sqrt(p) x_i) f(sqrt(q) (c x_i + sqrt(1 - c^2) x_j)),    c = k / sqrt(p q),
 *
 * exact for polynomials up to degree 2 n - 1, and exponentially near for functions without kinks. n^2 evaluations per pair.
 */
import { demand } from "../error.ts";
import type { Activation } from "./activation.ts";

/** Nodes and weights of the standard normal, which sum to one. */
export type Quadrature = { readonly nodes: Float64Array; readonly weights: Float64Array };

/** Up to here the start of Newton's method finds every node. */
const MOST = 128;

/**
 * Gauss-Hermite quadrature with n nodes, by Newton's method on the normalised Hermite polynomials
 * sqrt(k + 1) h_{k+1} = x h_k - sqrt(k) h_{k-1}, whose derivative is sqrt(k) h_{k-1}; a root that was found is divided out.
 * @throws InputError for a number of nodes that is not from 1 to 128.
 */
export function gaussHermite(n: number): Quadrature {
  demand(Number.isInteger(n) && n >= 1 && n <= MOST, "points", `a whole number from 1 to ${MOST}`, n);
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  const found: number[] = [];
  for (let i = 0; i < n; i++) {
    // Beyond the greatest root the polynomial has no turn, so that the iteration comes down to it; then to the next one.
    let x = found.at(-1) ?? 2 * Math.sqrt(n) + 1;
    if (i > 0) x -= 1e-6;
    for (let step = 0; step < 200; step++) {
      const [value, slope] = hermite(n, x);
      const others = found.reduce((sum, root) => sum + 1 / (x - root), 0);
      const move = value / (slope - value * others);
      x -= move;
      if (Math.abs(move) <= 1e-15 * Math.max(1, Math.abs(x))) break;
    }
    found.push(x);
    const [, slope] = hermite(n, x);
    nodes[i] = x;
    weights[i] = 1 / (slope * slope);
  }
  return { nodes, weights: normalised(weights) };
}

/** h_n(x) and its derivative. */
function hermite(n: number, x: number): [value: number, slope: number] {
  let [before, now] = [0, 1];
  for (let k = 0; k < n; k++) [before, now] = [now, (x * now - Math.sqrt(k) * before) / Math.sqrt(k + 1)];
  return [now, Math.sqrt(n) * before];
}

function normalised(weights: Float64Array): Float64Array {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/**
 * What an {@link Activation} has on the host, from phi and its derivative as functions of numbers.
 * @throws InputError for a number of points that is not from 1 to 128.
 */
export function dualsByQuadrature(
  phi: (u: number) => number,
  derivative: (u: number) => number,
  { points = 32 }: { points?: number } = {},
): Pick<Activation, "slope" | "dual" | "dualDerivative"> {
  const rule = gaussHermite(points);
  return {
    slope: derivative,
    dual: (k, p, q) => expectation(rule, phi, k, p, q),
    dualDerivative: (k, p, q) => expectation(rule, derivative, k, p, q),
  };
}

/** E[f(u) f(v)]. */
function expectation(
  { nodes, weights }: Quadrature,
  f: (u: number) => number,
  k: number,
  p: number,
  q: number,
): number {
  const [left, right] = [Math.sqrt(p), Math.sqrt(q)];
  const norm = left * right;
  const c = norm === 0 ? 0 : Math.max(-1, Math.min(1, k / norm));
  const rest = Math.sqrt((1 - c) * (1 + c));
  let sum = 0;
  for (let i = 0; i < nodes.length; i++) {
    let inner = 0;
    for (let j = 0; j < nodes.length; j++)
      inner += weights[j]! * f(right * (c * nodes[i]! + rest * nodes[j]!));
    sum += weights[i]! * f(left * nodes[i]!) * inner;
  }
  return sum;
}
