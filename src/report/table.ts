/**
 * @file The paper's table: one row per step, each measured number beside its prediction, left-aligned in columns as wide
 * as their names (at least 11), six significant digits as C's %g prints them.
 */
import type { Metrics, StepEvent } from "../experiment/events.ts";

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

/** The most digits that JavaScript gives: enough to tell a tie from a number near a tie. */
const ALL_DIGITS = 100;

/** d.ddddd and the exponent. A tie goes to the even digit, as in C; JavaScript's own rounding takes it away from zero. */
function sixDigits(x: number): [mantissa: string, exponent: number] {
  const [, even, exponent] = /^(-?\d\.\d{4}[02468])50*e(.*)$/.exec(x.toExponential(ALL_DIGITS)) ?? [];
  if (even !== undefined) return [even, Number(exponent)];
  const [mantissa, e] = x.toExponential(5).split("e") as [string, string];
  return [mantissa, Number(e)];
}

/** What the table shows beside the numbers of the network. */
export type TableLayout = {
  /** Predictions beside each number: one as in the paper, of the analytic and of the empirical kernel, or none. */
  readonly predictions: 0 | 1 | 2;
  /** Damping and reduction ratio of a schedule. */
  readonly adaptive: boolean;
  /** Iterations and residual of conjugate gradients. */
  readonly iterative: boolean;
};

/** Headings by the number of predictions. */
const PREDICTIONS = [[], ["predict"], ["analytic", "empirical"]] as const;

type Cell = { readonly name: string; readonly text: string };

const line = (cells: readonly Cell[]): string =>
  cells
    .map(({ name, text }) => pad(text, name))
    .join(GAP)
    .trimEnd();

/** The heading of the table. */
export function tableHeader(layout: Partial<TableLayout> = {}): string {
  const { predictions = 1, adaptive = false, iterative = false } = layout;
  const names = [
    "step",
    ...COLUMNS.flatMap((name) => [name, ...PREDICTIONS[predictions]]),
    ...(adaptive ? ["damping", "ratio"] : []),
    ...(iterative ? ["iterations", "residual"] : []),
  ];
  return line(names.map((name) => ({ name, text: name })));
}

/** One row of the table, in the layout that its step calls for. */
export function tableRow(step: StepEvent): string {
  const { predict, predict_empirical: empirical } = step;
  const number = (name: string, x: number): Cell => ({ name, text: formatG(x) });
  const cells = COLUMNS.flatMap((name: keyof Metrics) => [
    number(name, step[name]),
    ...(predict ? [number("predict", predict[name])] : []),
    ...(empirical ? [number("empirical", empirical[name])] : []),
  ]);
  const ratio = step.reduction_ratio === null ? "-" : formatG(step.reduction_ratio ?? Number.NaN);
  const schedule =
    step.damping === undefined ? [] : [number("damping", step.damping), { name: "ratio", text: ratio }];
  const { solve } = step;
  const text = (name: string, x: number | undefined): Cell =>
    x === undefined ? { name, text: "-" } : number(name, x);
  const solver =
    solve === undefined
      ? []
      : [text("iterations", solve?.iterations), text("residual", solve?.relative_residual)];
  return line([{ name: "step", text: String(step.step) }, ...cells, ...schedule, ...solver]);
}
