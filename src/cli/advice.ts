/**
 * @file What to try, in flags, when the library refused: it says what it wanted and got, and knows no command line.
 */
import { InputError, SingularGramError, UnsolvedError } from "../error.ts";

/** Options of the library that flags call otherwise. */
const FLAGS: Readonly<Record<string, string>> = {
  depth: "n_layers",
  weightVariance: "weight_variance",
  biasVariance: "bias_variance",
};

/** The line of an error in the words of the command line: flags by their names, and what to try. */
export function inFlags(error: InputError): string {
  const { what = "", message } = error;
  const flag = FLAGS[what];
  const line = flag === undefined ? message : flag + message.slice(what.length);
  return [line, advice(error) ?? []].flat().join("; ");
}

/** What to try about an error, or about the one that caused it; undefined where its line says all. */
function advice(error: unknown): string | undefined {
  if (error instanceof SingularGramError) {
    const leastNorm = error.hasLeastNorm ? "--singular least_norm, " : "";
    return `try --damping, ${leastNorm}--precision float64, a greater width or fewer samples`;
  }
  if (error instanceof UnsolvedError) {
    return "try --damping, a greater --preconditioner_rank, --cg_max_iterations, --precision float64 or --solver gram";
  }
  return error instanceof InputError ? advice(error.cause) : undefined;
}
