/**
 * @file The errors that natgrad raises on purpose. Every one reads `what: wanted X, got Y` on one line, and carries these parts as
 * fields. The command line prints that line, with what to try in its own words (cli/advice.ts), and ends with exit code 2.
 */

/**
 * Characters that control a terminal or do not show: control characters, line separators, and marks of the direction of
 * text.
 */
const INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Text that may be any name or path, on one line, with characters that do not show written as \n, \t or \u001b. */
export const printable = (text: string): string =>
  text.replaceAll(
    INVISIBLE,
    (mark) => ESCAPES[mark] ?? `\\u${mark.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );

/** Text on one line: breaks, with the white space around them, become spaces. */
export const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, " ");

/** What every error says: `what: wanted X, got Y`. */
export type Fault = { readonly what: string; readonly wanted: string; readonly got: string };

/** The parts of a sentence that reads so. */
const SENTENCE = /^(?<what>.*?): wanted (?<wanted>.*?), got (?<got>.*)$/;

/**
 * Something that the caller gave, or asked for, cannot be had. Its message is one printable line; `what`, `wanted` and `got` are its
 * parts, undefined where it does not read so.
 * @example
 * import { InputError, mlp } from "natgrad";
 *
 * try {
 *   mlp(0);
 * } catch (error) {
 *   if (error instanceof InputError) console.log(error.what, error.wanted, error.got); // inputs, a whole number >= 1, 0
 * }
 */
export class InputError extends Error {
  override readonly name: string = "InputError";
  readonly what: string | undefined;
  readonly wanted: string | undefined;
  readonly got: string | undefined;

  constructor(fault: Fault | string, options?: ErrorOptions) {
    const text =
      typeof fault === "string" ? fault : `${fault.what}: wanted ${fault.wanted}, got ${fault.got}`;
    const line = printable(oneLine(text));
    super(line, options);
    const { what, wanted, got }: Partial<Fault> =
      typeof fault === "string" ? (SENTENCE.exec(line)?.groups ?? {}) : fault;
    this.what = what;
    this.wanted = wanted;
    this.got = got;
  }
}

/** A value of any type, as an error prints it. */
export function given(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "an array";
  if (ArrayBuffer.isView(value))
    return `${(value as { length?: number }).length ?? value.byteLength} numbers`;
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** @throws InputError `what: wanted X, got Y` unless `ok`. */
export function demand(ok: boolean, what: string, wanted: string, got: unknown): asserts ok {
  if (!ok) throw new InputError({ what, wanted, got: given(got) });
}

/** @throws RangeError `what: wanted X, got Y` where sizes of arrays disagree. */
export function agree(what: string, wanted: number | string, got: number | string): void {
  if (wanted !== got) throw new RangeError(`${what}: wanted ${wanted}, got ${got}`);
}

/** @throws InputError unless `value` is a whole number of at least `least`. */
export const demandWhole = (what: string, value: number, least = 1): void =>
  demand(Number.isInteger(value) && value >= least, what, `a whole number >= ${least}`, value);

/** @throws InputError unless `value` is a finite number of at least 0. */
export const demandDamping = (value: number): void =>
  demand(Number.isFinite(value) && value >= 0, "damping", "a finite number >= 0", value);

/** @throws InputError unless `value` is a finite number. */
export const demandFinite = (what: string, value: number): void =>
  demand(Number.isFinite(value), what, "a finite number", value);

/** @throws InputError unless `value` is one of these names. */
export const demandName = (what: string, names: readonly string[], value: unknown): void =>
  demand(names.includes(value as string), what, `one of ${names.join(", ")}`, value);

/** Numbers that were computed, from what was given, are not finite: they overflowed, or came from others that did. */
export class NotFiniteError extends InputError {
  override readonly name = "NotFiniteError";
}

/** A linear system that an iteration could not solve well enough to use what it found. */
export class UnsolvedError extends InputError {
  override readonly name = "UnsolvedError";
  /** |b - A x| / |b| at its end. */
  readonly relativeResidual: number;
  readonly iterations: number;

  constructor(
    what: string,
    { relativeResidual, iterations }: { relativeResidual: number; iterations: number },
  ) {
    super({
      what,
      wanted: "a solution by conjugate gradients",
      got:
        `a relative residual of ${relativeResidual.toExponential(1)} after ${iterations} iterations ` +
        "(a Gram without an inverse, or one with a large condition)",
    });
    this.relativeResidual = relativeResidual;
    this.iterations = iterations;
  }
}

/** What is known of a Gram that could not be inverted. */
export type Singularity = {
  /** Which Gram, in which method. */
  readonly what: string;
  /** Its size n (n x n). */
  readonly size: number;
  /** Number of eigenvalues that are more than rounding; undefined when it was not counted. */
  readonly rank: number | undefined;
  /** Ratio of the largest to the smallest absolute eigenvalue, or an estimate from the pivots. */
  readonly condition: number;
  /** Whether its inverse on the numerical range may be asked for in its place. */
  readonly hasLeastNorm?: boolean;
};

/**
 * A Gram without a numerical inverse, with its rank and condition.
 * @example
 * import { analyticKernel, exact, matrix, mlp, SingularGramError } from "natgrad";
 *
 * const twice = matrix(2, 2, Float64Array.of(1, 0, 1, 0)); // one sample twice: no inverse
 * try {
 *   await exact.prepare(await analyticKernel(mlp(2), twice), 0);
 * } catch (error) {
 *   if (error instanceof SingularGramError) console.log(error.message);
 * }
 */
export class SingularGramError extends InputError implements Singularity {
  override readonly name = "SingularGramError";
  declare readonly what: string;
  readonly size: number;
  readonly rank: number | undefined;
  readonly condition: number;
  readonly hasLeastNorm: boolean;

  constructor({ what, size, rank, condition, hasLeastNorm = false }: Singularity) {
    super({
      what,
      wanted: "an invertible Gram",
      got:
        `${size} x ${size} of ${rank === undefined ? "deficient rank" : `rank ${rank}`} ` +
        `and condition ${condition.toExponential(1)}`,
    });
    this.size = size;
    this.rank = rank;
    this.condition = condition;
    this.hasLeastNorm = hasLeastNorm;
  }
}
