/**
 * @file The eigenvalues of a diagonal matrix plus one of rank one, D + rho z z^T with rho > 0: the roots of
 *
 *     f(lambda) = 1 / rho + sum over i of z_i^2 / (d_i - lambda),
 *
 * one in each interval (d_j, d_{j+1}) and one beyond d_k (Li, LAPACK Working Note 89, 1993, "the middle way"; LAPACK's
 * dlaed4). Each is found as a distance tau from the nearer end of its interval, so that all d_i - lambda_j, from which
 * the eigenvectors follow, have full relative precision.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { zeros, type Matrix } from "./matrix.ts";

/** Roots, and distances of poles from them. */
export type Roots = {
  /** lambda [k], ascending. */
  readonly values: Float64Array;
  /** Entry (j, i) is d_i - lambda_j [k, k]. */
  readonly distances: Matrix;
};

const EPSILON = 2 ** -53;
/** After this many steps every other one halves the bracket. */
const PATIENCE = 12;
/** The most steps for one root. Its bracket is then so narrow that any point of it will do. */
const MAX_STEPS = 400;

/**
 * All roots, for poles d [k] that are ascending and distinct, and a z [k] without zeros.
 */
export async function secularRoots(
  d: Float64Array,
  z: Float64Array,
  rho: number,
  { signal }: Stoppable = {},
): Promise<Roots> {
  const k = d.length;
  const squares = z.map((x) => x * x);
  const values = new Float64Array(k);
  const distances = zeros(k, k);
  for (let j = 0; j < k; j++) {
    await breathe(signal);
    const start = j === k - 1 ? lastStart(d, squares, rho) : interiorStart(d, squares, rho, j);
    const tau = findRoot(d, squares, rho, Math.max(0, Math.min(j, k - 2)), start);
    const origin = d[start.origin]!;
    values[j] = origin + tau;
    for (let i = 0, at = j * k; i < k; i++, at++) distances.data[at] = d[i]! - origin - tau;
  }
  return { values, distances };
}

/** A first guess of tau = lambda - d[origin], and the bracket that tau lies in. */
type Start = { readonly origin: number; readonly tau: number; readonly low: number; readonly high: number };

/** Between d_j and d_{j+1}: both of their terms as they are, the others as in the middle. */
function interiorStart(d: Float64Array, squares: Float64Array, rho: number, j: number): Start {
  const gap = d[j + 1]! - d[j]!;
  const half = gap / 2;
  let c = 1 / rho;
  for (let i = 0; i < d.length; i++) {
    if (i !== j && i !== j + 1) c += squares[i]! / (d[i]! - d[j]! - half);
  }
  const [left, right] = [squares[j]!, squares[j + 1]!];
  if (c + (right - left) / half > 0) {
    const a = c * gap + left + right;
    return { origin: j, tau: quadraticRoot(c, a, left * gap), low: 0, high: half };
  }
  const a = c * gap - left - right;
  const tau = -quadraticRoot(-c, -a, right * gap);
  return { origin: j + 1, tau, low: -half, high: 0 };
}

/** The root of c x^2 - a x + b = 0 that tends to b / a as c vanishes. */
function quadraticRoot(c: number, a: number, b: number): number {
  const root = Math.sqrt(Math.abs(a * a - 4 * b * c));
  return a > 0 ? (2 * b) / (a + root) : (a - root) / (2 * c);
}

/** Beyond the last pole: the last two terms as they are, the others as halfway to the bound d_k + rho |z|^2. */
function lastStart(d: Float64Array, squares: Float64Array, rho: number): Start {
  const k = d.length;
  const bound = rho * squares.reduce((sum, x) => sum + x, 0);
  const start = { origin: k - 1, low: 0, high: bound * (1 + 4 * EPSILON) };
  if (k === 1) return { ...start, tau: bound };
  const last = d[k - 1]!;
  const gap = last - d[k - 2]!;
  let c = 1 / rho;
  for (let i = 0; i < k - 2; i++) c += squares[i]! / (d[i]! - last - bound / 2);
  // c tau^2 + (c gap - a^2 - b^2) tau - b^2 gap = 0, which has one positive root where c > 0.
  const middle = c * gap - squares[k - 2]! - squares[k - 1]!;
  const product = squares[k - 1]! * gap;
  const root = Math.sqrt(middle * middle + 4 * c * product);
  const tau = middle > 0 ? (2 * product) / (middle + root) : (root - middle) / (2 * c);
  return { ...start, tau: c > 0 ? tau : bound / 2 };
}

/**
 * Refines tau. With psi the sum of the terms up to `split` and phi that of the rest, a step goes to the zero of
 * c + s / (d_split - lambda) + t / (d_{split+1} - lambda) that has their values and slopes.
 */
function findRoot(d: Float64Array, squares: Float64Array, rho: number, split: number, start: Start): number {
  const k = d.length;
  const origin = d[start.origin]!;
  const noise = EPSILON * (8 + Math.sqrt(k));
  const beyond = start.origin === k - 1 && start.low === 0;
  let { tau, low, high } = start;
  if (!(tau > low && tau < high)) tau = halve(low, high);
  for (let step = 0; step < MAX_STEPS; step++) {
    let [psi, psiSlope, phi, phiSlope] = [0, 0, 0, 0];
    for (let i = 0; i <= split; i++) {
      const distance = d[i]! - origin - tau;
      const term = squares[i]! / distance;
      psi += term;
      psiSlope += term / distance;
    }
    for (let i = split + 1; i < k; i++) {
      const distance = d[i]! - origin - tau;
      const term = squares[i]! / distance;
      phi += term;
      phiSlope += term / distance;
    }
    const f = 1 / rho + psi + phi;
    const slope = psiSlope + phiSlope;
    const size = 1 / rho + Math.abs(psi) + Math.abs(phi);
    if (Math.abs(f) <= noise * size + EPSILON * Math.abs(tau) * slope) return tau;
    if (f < 0) low = tau;
    else high = tau;
    const left = d[split]! - origin - tau;
    const right = split + 1 < k ? d[split + 1]! - origin - tau : left;
    let next = tau + towardsZero(f, slope, f - left * psiSlope - right * phiSlope, left, right, beyond);
    if (!(next > low && next < high) || (step > PATIENCE && step % 2 === 0)) next = halve(low, high);
    if (next === tau || !(next > low && next < high)) return tau;
    tau = next;
  }
  return tau;
}

/** The step of the middle way, or of Newton's method where that points the wrong way. */
function towardsZero(
  f: number,
  slope: number,
  c: number,
  left: number,
  right: number,
  beyond: boolean,
): number {
  const a = (left + right) * f - left * right * slope;
  const b = left * right * f;
  const root = Math.sqrt(Math.abs(a * a - 4 * b * c));
  let step: number;
  if (beyond) step = a >= 0 ? (a + root) / (2 * Math.abs(c)) : (2 * b) / (a - root);
  else step = a <= 0 ? (a - root) / (2 * c) : (2 * b) / (a + root);
  return f * step < 0 ? step : -f / slope;
}

/** A point inside the bracket: its middle, or, where tau = 0 (the pole) is one end, a point much nearer to it. */
function halve(low: number, high: number): number {
  if (low === 0) return high / 16;
  return high === 0 ? low / 16 : low + (high - low) / 2;
}
