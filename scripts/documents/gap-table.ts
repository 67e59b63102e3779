/**
 * @file The measured gaps as a table with the slope of each method, and as a figure.
 */
import { InputError } from "../../src/index.ts";
import { gapFigure, type GapSeries } from "../figures/gap.ts";
import type { FigureOptions } from "../figures/sheet.ts";
import { table } from "../../bench/markdown.ts";
import { GAP_STEPS } from "./gap.ts";

/** What `npm run widths` keeps in docs/generated/widths.json. */
export type Widths = {
  readonly widths: readonly number[];
  readonly seeds: number;
  /** By method: one row per width, in it the gap of every seed. */
  readonly gaps: Readonly<Record<string, readonly (readonly number[])[]>>;
};

/** The mean. */
export const mean = (v: readonly number[]): number => v.reduce((sum, a) => sum + a, 0) / v.length;

/** docs/generated/widths.md. */
export function widthsDocument({ widths, seeds, gaps }: Widths): string {
  const rows = Object.entries(gaps).map(([title, bySeed]) => {
    const means = bySeed.map(mean);
    return [title, ...means.map((gap) => gap.toPrecision(3)), slope(widths, means).toFixed(2)];
  });
  return [
    "# The gap between network and prediction, by width",
    "",
    `Gap between network and analytic prediction after ${GAP_STEPS} steps, relative to the labels, and the slope of`,
    `its logarithm against that of the width (theory: -1/2). MNIST 0 and 1, 100 + 50 samples, float64, mean of ${seeds} seeds.`,
    "Written by `npm run widths`; widths.json has every seed.",
    "",
    table(["method", ...widths.map((width) => `M = ${width}`), "slope"], rows),
    "",
  ].join("\n");
}

/** Slope of log y against log x. */
export function slope(xs: readonly number[], ys: readonly number[]): number {
  const [lx, ly] = [xs.map(Math.log), ys.map(Math.log)];
  const [mx, my] = [mean(lx), mean(ly)];
  let [up, down] = [0, 0];
  for (const [i, a] of lx.entries()) {
    up += (a - mx) * (ly[i]! - my);
    down += (a - mx) ** 2;
  }
  return up / down;
}

/** What is drawn in the order of its colours, and what it is called at the end of its line. */
const DRAWN: Readonly<Record<string, string>> = {
  kfac: "kfac",
  block_tri_diagonal: "block_tri_diagonal",
  block_diagonal: "block_diagonal",
  exact: "exact",
  "unit_wise, damping 1e-3 / M": "unit_wise, ρ = 1e−3/M",
  "kfac, damping 1e-4": "kfac, ρ = 1e−4",
  "gradient descent, learning rate 1": "gradient descent",
};

/** docs/figures/gap.svg. */
export function drawGap({ widths, seeds, gaps }: Widths, options: FigureOptions): string {
  const series = Object.entries(DRAWN).map(([name, title]): GapSeries => {
    const bySeed = gaps[name];
    if (!bySeed) throw new InputError(`widths.json: wanted gaps of ${name}, got none (npm run widths)`);
    return { title, widths, gaps: bySeed };
  });
  const caption = {
    title: "The gap to the prediction closes as the width grows",
    subtitle: `Root mean square of network minus prediction over all outputs after two steps, over that of the labels. MNIST digits 0 and 1, three layers, N = 100; learning rate 1/α, for gradient descent 1. Points: mean of ${seeds} seeds; bars: the least and the greatest of them.`,
  };
  return gapFigure(series, caption, options);
}
