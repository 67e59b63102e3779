/**
 * @file Duals of a smooth activation without formulas for them, by its expansion in normalised Hermite polynomials h_n: for u, v of variances p
 * and q and correlation c
 *
 *     E[f(u) f(v)] = sum over n of a_n(sqrt p) a_n(sqrt q) c^n,    a_n(s) = E[f(s z) h_n(z)],    z standard normal
 *
 * (Daniely et al., arXiv 1602.05897). The coefficients of a variance are computed once, by the trapezoidal rule, which is exponentially near
 * for functions without kinks; a pair then takes one product per term. quadrature.ts is the plain way, for one pair at a time.
 */
import { demand } from "../error.ts";
import type { Activation } from "./activation.ts";
import type { Tile } from "./tile.ts";

/** Nodes of the trapezoidal rule: from -13, where exp(-z^2 / 4) ends in rounding, to 13. */
const STEP = 1 / 32;
const NODES = 2 * 13 * 32 + 1;
const node = (i: number): number => STEP * (i - (NODES - 1) / 2);

/** Terms at the most: tanh(3 z) takes as many, tanh(z) takes 140. */
const TERMS = 512;

/** The share of E[f^2] that terms may leave out, and how small beside its root the last ones are (one in two is 0 for odd and even f). */
const [REST, LAST] = [1e-13, 1e-11];
const ENDING = 6;

/** Variances whose coefficients are kept. */
const KEPT = 1024;

/** Row n: STEP h_n(z) times the density of z, at the nodes; made when they are first used. */
const rows: Float64Array[] = [];

/** Row n; h_n by sqrt(n) h_n = z h_{n-1} - sqrt(n - 1) h_{n-2}, times the root of the density so that nothing overflows. */
const halves: Float64Array[] = [];
function row(n: number): Float64Array {
  for (let m = rows.length; m <= n; m++) {
    const [before, last] = [halves[m - 2], halves[m - 1]];
    const half = new Float64Array(NODES);
    const whole = new Float64Array(NODES);
    for (let i = 0; i < NODES; i++) {
      const z = node(i);
      const root = Math.exp((-z * z) / 4) / (2 * Math.PI) ** 0.25;
      half[i] = last ? (z * last[i]! - Math.sqrt(m - 1) * (before?.[i] ?? 0)) / Math.sqrt(m) : root;
      whole[i] = STEP * half[i]! * root;
    }
    halves[m] = half;
    rows[m] = whole;
  }
  return rows[n]!;
}

/** f at one variance: E[f^2], and the a_n that make it up. */
type Expansion = { readonly energy: number; readonly coefficients: Float64Array };

/** Expansions of f by variance. */
function expansionsOf(f: (u: number) => number): (variance: number) => Expansion {
  const known = new Map<number, Expansion>();
  return (variance) => {
    const found = known.get(variance);
    if (found) return found;
    const made = expand(f, Math.sqrt(variance));
    if (known.size >= KEPT) known.clear();
    known.set(variance, made);
    return made;
  };
}

function expand(f: (u: number) => number, s: number): Expansion {
  const values = Float64Array.from({ length: NODES }, (_, i) => f(s * node(i)));
  const density = row(0);
  let energy = 0;
  for (let i = 0; i < NODES; i++) energy += density[i]! * values[i]! ** 2;
  const coefficients: number[] = [];
  let left = energy;
  let small = 0;
  for (let n = 0; n < TERMS && !(left <= REST * energy && small >= ENDING); n++) {
    const weights = row(n);
    let a = 0;
    for (let i = 0; i < NODES; i++) a += weights[i]! * values[i]!;
    coefficients.push(a);
    small = Math.abs(a) <= LAST * Math.sqrt(energy) ? small + 1 : 0;
    left -= a * a;
  }
  return { energy, coefficients: Float64Array.from(coefficients) };
}

/** sum over n of a_n b_n c^n. */
function series(a: Float64Array, b: Float64Array, c: number): number {
  let sum = 0;
  for (let n = Math.min(a.length, b.length) - 1; n >= 0; n--) sum = sum * c + a[n]! * b[n]!;
  return sum;
}

/** Correlation, at most 1 in size; 0 beside a variance of 0, where all terms but the first are 0. */
function correlation(k: number, p: number, q: number): number {
  const norm = Math.sqrt(p) * Math.sqrt(q);
  return norm === 0 ? 0 : Math.max(-1, Math.min(1, k / norm));
}

/**
 * What an {@link Activation} has on the host, from phi and its derivative as functions of numbers, both without kinks. The errors for tanh are
 * near 1e-14 for variances of up to 4, and 3e-11 for a variance of 9.
 * @throws InputError for what is no function.
 * @example
 * import { dualsByExpansion } from "natgrad/network";
 *
 * const { dual } = dualsByExpansion(Math.sin, Math.cos);
 * console.log(dual(0.5, 1, 1).toFixed(12), (Math.exp(-1) * Math.sinh(0.5)).toFixed(12)); // twice the same
 */
export function dualsByExpansion(
  phi: (u: number) => number,
  derivative: (u: number) => number,
): Pick<Activation, "slope" | "dual" | "dualDerivative" | "maps"> {
  for (const [what, f] of Object.entries({ phi, derivative })) {
    demand(typeof f === "function", what, "a function of a number", f);
  }
  const [values, slopes] = [expansionsOf(phi), expansionsOf(derivative)];
  const of =
    (expansion: (variance: number) => Expansion) =>
    (k: number, p: number, q: number): number =>
      p === q && k === p
        ? expansion(p).energy
        : series(expansion(p).coefficients, expansion(q).coefficients, correlation(k, p, q));
  return {
    slope: derivative,
    dual: of(values),
    dualDerivative: of(slopes),
    maps: (tile) => mapTile(tile, values, slopes),
  };
}

/** Both duals over a tile. */
function mapTile(
  { rows: count, cols, cov, tangent, var1, var2 }: Tile,
  values: (variance: number) => Expansion,
  slopes: (variance: number) => Expansion,
): void {
  const columns = Array.from(var2.subarray(0, cols), (q) => ({
    q,
    value: values(q).coefficients,
    slope: tangent ? slopes(q).coefficients : undefined,
  }));
  for (let i = 0, at = 0; i < count; i++) {
    const p = var1[i]!;
    const value = values(p).coefficients;
    const slope = tangent ? slopes(p).coefficients : undefined;
    for (const column of columns) {
      const c = correlation(cov[at]!, p, column.q);
      if (tangent) tangent[at]! *= series(slope!, column.slope!, c);
      cov[at] = series(value, column.value, c);
      at++;
    }
  }
}
