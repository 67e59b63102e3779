/**
 * @file Inverts a Gram for a method: by Cholesky, or on its numerical range where it has no inverse and that was asked for.
 */
import { SingularGramError } from "../error.ts";
import { factorize } from "../linalg/cholesky.ts";
import type { InverseSolver } from "../linalg/linear-solver.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { pseudoInverse } from "../linalg/pseudo-inverse.ts";
import type { InvertOptions } from "./fisher.ts";

/** What is inverted. */
export type Inverted = {
  /** Its name in errors and reports. */
  what: string;
  /** Relative error of its entries. */
  epsilon: number;
  /** A rank that is known not to be exceeded. */
  maxRank?: number;
};

/**
 * K^-1, or K^+, of a symmetric positive semidefinite K [n, n], whose entries are not needed any more.
 * @throws SingularGramError when it has no numerical inverse and `singular` is "refuse", or entries are not finite.
 */
export async function invert(
  k: Matrix,
  { what, epsilon, maxRank }: Inverted,
  { singular = "refuse", onInversion, engine, signal }: InvertOptions,
): Promise<InverseSolver> {
  const size = k.rows;
  try {
    const factor = await factorize(k, { what, epsilon, overwrite: singular === "refuse", engine, signal });
    onInversion?.({ what, size, rank: size, condition: factor.condition(), epsilon });
    return factor;
  } catch (error) {
    if (!onTheRange(error, singular)) throw offering(error);
    // A matrix with entries that are not finite has no range either.
    if (!k.data.every(Number.isFinite)) throw error;
    const inverse = await pseudoInverse(k, {
      epsilon,
      engine,
      signal,
      ...(maxRank === undefined ? {} : { maxRank }),
    });
    onInversion?.({ what, size, rank: inverse.rank, condition: inverse.condition(), epsilon });
    return inverse;
  }
}

/** Whether an error is that of a singular matrix, and the inverse on its range was asked for. */
export const onTheRange = (error: unknown, singular: InvertOptions["singular"]): error is SingularGramError =>
  singular === "least_norm" && error instanceof SingularGramError;

/** An error that tells of the inverse on the range, where it is that of a singular matrix. */
export function offering(error: unknown): unknown {
  if (!(error instanceof SingularGramError)) return error;
  const { what, size, rank, condition } = error;
  return new SingularGramError({ what, size, rank, condition, hasLeastNorm: true });
}
