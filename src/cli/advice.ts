/**
 * @file What to try, in flags, when the library refused: it says what it wanted and got, and knows no command line.
 */
import { InputError, SingularGramError, UnsolvedError } from "../error.ts";

/** What to try about an error, or about the one that caused it; undefined where its line says all. */
export function advice(error: unknown): string | undefined {
  if (error instanceof SingularGramError) {
    const leastNorm = error.hasLeastNorm ? "--singular least_norm, " : "";
    return `try --damping, ${leastNorm}--precision float64, a greater width or fewer samples`;
  }
  if (error instanceof UnsolvedError) {
    return "try --damping, a greater --preconditioner_rank, --cg_max_iterations, --precision float64 or --solver gram";
  }
  return error instanceof InputError ? advice(error.cause) : undefined;
}
