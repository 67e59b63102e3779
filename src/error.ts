/**
 * @file The errors that natgrad raises on purpose. Every one reads `what: wanted X, got Y` on one line; the
 * command line prints that line alone and ends with exit code 2.
 */

/** Something that the caller gave, or asked for, cannot be had. */
export class InputError extends Error {
  override readonly name: string = "InputError";
}

/** What is known of a Gram that could not be inverted. */
export type Singularity = {
  /** Which Gram, in which method. */
  what: string;
  /** Its size n (n x n). */
  size: number;
  /** Number of eigenvalues that are more than rounding; undefined when it was not counted. */
  rank: number | undefined;
  /** Ratio of the largest to the smallest absolute eigenvalue, or an estimate from the pivots. */
  condition: number;
  /** Whether its inverse on the numerical range may be asked for in its place. */
  hasLeastNorm?: boolean;
};

/** A Gram without a numerical inverse: carries its rank and condition, and says what to try. */
export class SingularGramError extends InputError {
  override readonly name = "SingularGramError";
  readonly singularity: Singularity;

  constructor(singularity: Singularity) {
    const { what, size, rank, condition, hasLeastNorm = false } = singularity;
    super(
      `${what}: wanted an invertible Gram, got ${size} x ${size} of ` +
        `${rank === undefined ? "deficient rank" : `rank ${rank}`} and condition ${condition.toExponential(1)}; ` +
        `try --damping, ${hasLeastNorm ? "--singular least_norm, " : ""}--precision float64, a greater width or fewer samples`,
    );
    this.singularity = singularity;
  }
}
