/**
 * @file The paper's table: a row a step, each measured number beside its prediction, left-aligned in columns as wide
 * as their names (at least 11), six significant digits as C's %g prints them.
 */
import type { Metrics, StepEvent } from "../experiment/run.ts";

const COLUMNS = ["train_accuracy", "train_loss", "test_accuracy", "test_loss"] as const;
const MIN_WIDTH = 11;
const GAP = "  ";

const pad = (text: string, name: string): string => text.padEnd(Math.max(MIN_WIDTH, name.length));

/** `x` as printf's %g: six significant digits, no trailing zeros, exponents of two digits at least. */
export function formatG(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return Object.is(x, -0) ? "-0" : "0";
  const [mantissa, e] = sixDigits(x);
  const trim = (digits: string) => (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits);
  if (e >= -4 && e < 6) return trim(Number(`${mantissa}e${e}`).toFixed(5 - e));
  return `${trim(mantissa)}e${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`;
}

/** As many as JavaScript gives: enough to tell a tie from a number near one. */
const ALL_DIGITS = 100;

/** d.ddddd and the exponent. A tie goes to the even digit, as in C; JavaScript's own rounding takes it away from zero. */
function sixDigits(x: number): [mantissa: string, exponent: number] {
  const [, even, exponent] = /^(-?\d\.\d{4}[02468])50*e(.*)$/.exec(x.toExponential(ALL_DIGITS)) ?? [];
  if (even !== undefined) return [even, Number(exponent)];
  const [mantissa, e] = x.toExponential(5).split("e") as [string, string];
  return [mantissa, Number(e)];
}

/** The heading of the table. */
export const tableHeader = (): string =>
  ["step", ...COLUMNS.flatMap((name) => [name, "predict"])]
    .map((name) => pad(name, name))
    .join(GAP)
    .trimEnd();

/** One row of the table. */
export const tableRow = (step: StepEvent): string =>
  [
    pad(String(step.step), "step"),
    ...COLUMNS.flatMap((name: keyof Metrics) => [
      pad(formatG(step[name]), name),
      pad(formatG(step.predict[name]), "predict"),
    ]),
  ]
    .join(GAP)
    .trimEnd();
