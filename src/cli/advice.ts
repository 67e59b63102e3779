/**
 * @file Errors and notices in the words of the command line: options by the names of their flags, and what to try. The library says
 * what it wanted and got, and what may help as data; it knows no flags.
 */
import { InputError, SingularGramError, UnsolvedError } from "../error.ts";
import { OptionError, type Remedy } from "../experiment/remedy.ts";

/** Options of the library whose flags have other names. */
const FLAGS: Readonly<Record<string, string>> = {
  depth: "n_layers",
  weightVariance: "weight_variance",
  biasVariance: "bias_variance",
  trainSize: "train_size",
  testSize: "test_size",
  dataSeed: "data_seed",
  targetClasses: "target_classes",
  sampleShape: "sample_shape",
  channelsFirst: "channels_first",
  forsterTransform: "forster_transform",
};

/** The line of an error, and what to try. */
export function inFlags(error: InputError): string {
  const { what = "", message } = error;
  const flag = FLAGS[what];
  return withAdvice(flag === undefined ? message : flag + message.slice(what.length), remediesOf(error));
}

/** A line, and behind it what to try, in flags. */
export const withAdvice = (line: string, remedies: readonly Remedy[] = []): string =>
  remedies.length === 0 ? line : `${line}; try ${listed(remedies.map(words))}`;

/** `a`, `a or b`, `a, b or c`. */
const listed = (items: readonly string[]): string =>
  items.length < 2 ? items.join() : `${items.slice(0, -1).join(", ")} or ${items.at(-1)}`;

/** `--precision float64`, `a smaller --width`, `no --save_kernel`. */
function words(remedy: Remedy): string {
  if (typeof remedy === "string") return remedy;
  const { option, value, change } = remedy;
  const before = change !== undefined ? `a ${change} ` : value === false ? "no " : "";
  return `${before}--${option}${typeof value === "string" ? ` ${value}` : ""}`;
}

/** What may help against an error, or against the one that caused it; nothing where its line says all. */
function remediesOf(error: unknown): readonly Remedy[] {
  if (error instanceof OptionError) return error.remedies;
  if (error instanceof SingularGramError) {
    return [
      { option: "damping" },
      ...(error.hasLeastNorm ? [{ option: "singular", value: "least_norm" } as const] : []),
      { option: "precision", value: "float64" },
      "a greater width",
      "fewer samples",
    ];
  }
  if (error instanceof UnsolvedError) {
    return [
      { option: "damping" },
      { option: "preconditioner_rank", change: "greater" },
      { option: "cg_max_iterations", change: "greater" },
      { option: "precision", value: "float64" },
      { option: "solver", value: "gram" },
    ];
  }
  return error instanceof InputError ? remediesOf(error.cause) : [];
}
