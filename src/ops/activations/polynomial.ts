/**
 * @file Polynomials phi(u) = sum over j of c_j u^j. Their duals are finite sums: with the coefficients of phi in Hermite polynomials of
 * variance p, b_n(p) = sum over j = n, n + 2, ... of c_j p^((j - n) / 2) j! / (((j - n) / 2)! 2^((j - n) / 2)),
 *
 *     E[phi(u) phi(v)] = sum over n of b_n(p) b_n(q) k^n / n!.
 */
import { scaleBy } from "../../engine/ops.ts";
import { demand, demandWhole } from "../../error.ts";
import type { Activation } from "../activation.ts";
import { horner } from "./formulas.ts";

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** Coefficients of the derivative. */
const differentiated = (c: readonly number[]): number[] => c.slice(1).map((x, j) => (j + 1) * x);

/** phi on the host. */
const valueOf = (c: readonly number[], u: number): number => c.reduceRight((sum, x) => sum * u + x, 0);

/** E[phi(u) phi(v)], from the weights w_nm of b_n(p) = sum over m of w_nm p^m. */
function dualOf(c: readonly number[]): Activation["dual"] {
  const weights = c.map((_, n) =>
    Array.from({ length: Math.floor((c.length - 1 - n) / 2) + 1 }, (__, m) => {
      const j = n + 2 * m;
      return (c[j]! * factorial(j)) / (factorial(m) * 2 ** m);
    }),
  );
  return (k, p, q) =>
    weights.reduce((sum, w, n) => sum + (valueOf(w, p) * valueOf(w, q) * k ** n) / factorial(n), 0);
}

/**
 * The polynomial of these coefficients, of the constant first.
 * @throws InputError unless they are finite numbers, at least two, of which the last is not 0, and at most 64.
 */
export function polynomial(
  coefficients: readonly number[],
  name = `polynomial(${coefficients?.join?.()})`,
): Activation {
  const c = Array.isArray(coefficients) ? [...(coefficients as number[])] : [];
  const fits = c.length > 1 && c.length <= 64 && c.every(Number.isFinite) && c.at(-1) !== 0;
  demand(fits, "coefficients", "2 to 64 finite numbers, the last of them not 0", coefficients);
  const slopes = differentiated(c);
  return {
    name,
    value: (g, u) => (c.length === 2 && c[0] === 0 ? scaleBy(g, u, c[1]!) : horner(g, u, c.toReversed())),
    // Of a straight line it is one number, for whatever it multiplies.
    derivative: (g, u) => (slopes.length === 1 ? g.constant(slopes) : horner(g, u, slopes.toReversed())),
    slope: (u) => valueOf(slopes, u),
    dual: dualOf(c),
    dualDerivative: dualOf(slopes),
  };
}

/**
 * The Hermite polynomial of a degree, normalised: E[phi(u)^2] = 1 for u of variance 1. He_{n+1} = u He_n - n He_{n-1}.
 * @throws InputError for a degree that is no whole number from 1 to 32.
 */
export function hermite(degree: number): Activation {
  demandWhole("degree", degree);
  demand(degree <= 32, "degree", "a whole number from 1 to 32", degree);
  let [before, now]: [number[], number[]] = [[1], [0, 1]];
  for (let n = 1; n < degree; n++) {
    const next = [0, ...now].map((x, j) => x - n * (before[j] ?? 0));
    [before, now] = [now, next];
  }
  const norm = Math.sqrt(factorial(degree));
  return polynomial(
    now.map((x) => x / norm),
    `hermite(${degree})`,
  );
}

/** u. */
export const IDENTITY: Activation = polynomial([0, 1], "identity");

/** u^2. */
export const SQUARE: Activation = polynomial([0, 0, 1], "square");
