/**
 * @file The runs of a convolutional network as tables, and as a figure.
 */
import { table } from "../../bench/markdown.ts";
import { formatG } from "../../src/report/table.ts";
import { gapPanels, type GapSeries } from "../figures/gap.ts";
import type { FigureOptions } from "../figures/sheet.ts";
import { mean, slope } from "./gap-table.ts";
import {
  CLASSES,
  CNN_METHODS,
  LOSS_FLOOR,
  SETTING,
  type Classes,
  type CnnKey,
  type CnnMethod,
  type CnnRow,
} from "./cnn.ts";

/** What `npm run cnn` keeps in docs/generated/cnn.json. */
export type CnnRuns = { readonly setting: typeof SETTING; readonly rows: readonly CnnRow[] };

/** A run in one line. */
export const keyOf = ({ n_classes, method, width, seed }: CnnKey): string =>
  [n_classes, method, width, seed].join(" ");

/** The rows of a file that were measured as it is done now. */
export const keptRows = (written: CnnRuns | undefined): readonly CnnRow[] =>
  written && JSON.stringify(written.setting) === JSON.stringify(SETTING) ? written.rows : [];

/** float32 reaches the outputs of a network some steps later as such a share of them. */
const SHARE = 0.02;

const agree = (a: number, b: number): boolean => Math.abs(a - b) <= SHARE * Math.max(a, b);

/** Whether two runs have the same numbers to rounding. */
export function agreeing(a: CnnRow, b: CnnRow): boolean {
  const numbers = ({ rate, gap, train, test }: CnnRow): number[] => [
    rate,
    ...gap,
    ...train.flat(),
    ...test.flat(),
  ];
  const others = numbers(b);
  return numbers(a).every((x, i) => agree(x, others[i]!));
}

/** The runs with one more, in their order; one that is there already stays where the two agree. */
export function withRow(runs: CnnRuns, row: CnnRow): CnnRuns {
  const before = runs.rows.find((other) => keyOf(other) === keyOf(row));
  if (before && agreeing(before, row)) return runs;
  const place = ({ n_classes, method, width, seed }: CnnRow): number[] => [
    CLASSES.indexOf(n_classes),
    CNN_METHODS.findIndex(({ title }) => title === method),
    width,
    seed,
  ];
  const rows = [...runs.rows.filter((other) => other !== before), row].toSorted((a, b) => {
    const [p, q] = [place(a), place(b)];
    const at = p.findIndex((x, i) => x !== q[i]);
    return at < 0 ? 0 : p[at]! - q[at]!;
  });
  return { ...runs, rows };
}

const runsOf = ({ rows }: CnnRuns, n_classes: Classes, { title }: CnnMethod, width: number): CnnRow[] =>
  rows.filter((row) => row.n_classes === n_classes && row.method === title && row.width === width);

/** The widths at which something was measured. */
const widthsOf = ({ rows }: CnnRuns, n_classes: Classes): number[] =>
  [...new Set(rows.filter((row) => row.n_classes === n_classes).map(({ width }) => width))].toSorted(
    (a, b) => a - b,
  );

/** docs/generated/cnn.md. */
export function cnnDocument(runs: CnnRuns): string {
  const parts = CLASSES.map((n_classes) => part(runs, n_classes));
  return `${intro(seedsIn(runs)).join("\n")}\n\n${parts.join("\n\n")}\n`;
}

const { steps, samples, weightVariance } = SETTING;

/** How many seeds the most of the cells have. */
const seedsIn = ({ rows }: CnnRuns): number => Math.max(...rows.map(({ seed }) => seed));

const intro = (seeds: number): string[] => [
  "# A convolutional network beside its prediction, by width",
  "",
  "CIFAR-10, four 3 x 3 convolutions of M channels with strides 1, 2, 2, 2, ReLU after each, and a dense layer on the 4 x 4 pixels that",
  `are left (L = 5), NTK parameterisation, weight variance ${weightVariance}, no biases, float32, squared error. ${samples[2].join(" + ")} training and test samples of`,
  `airplane and automobile, ${samples[10].join(" + ")} of all ten classes. The prediction is by the empirical kernel of the same network before the first step.`,
  "",
  `**Gap**: root mean square of network minus prediction over all outputs, training and test, after ${steps} steps, over that of the labels;`,
  `${seeds === 1 ? "of seed 1" : `the mean over up to ${seeds} seeds`}. **Losses**: network / prediction, of seed 1. An empty cell was not measured.`,
  "**Slope**: of the logarithm of the gap against that of M.",
  "**Learning rate** eta: 1/alpha of the theory for undamped natural gradients; for the others half of the largest that is stable on the kernel of",
  "32 channels, the same for every width (unit-wise: eta and damping in proportion to 1/M, like the blocks of its units).",
  "",
  "Five layers in a chain are one of the depths 3 s + 2 at which the coupling T of neighbouring layers is singular: `block_tri_diagonal` is refused there. It is in",
  "the tables with `--singular least_norm`, which takes the shortest step of those that T leaves, and on a network with a fifth convolution (stride 1),",
  "where T has an inverse. `kfac` (reduce) and unit-wise NGD are damped because undamped the Gram of the averaged patches of the first layer and those of some units",
  "have no inverse; `kfac_expand` has one, and is damped as `kfac` is.",
  "",
  "Written by `npm run cnn`; cnn.json has every run.",
];

function part(runs: CnnRuns, n_classes: Classes): string {
  const widths = widthsOf(runs, n_classes);
  const header = widths.map((width) => `M = ${width}`);
  const each = (cell: (found: CnnRow[]) => string): string[][] =>
    CNN_METHODS.map((method) => [
      method.title,
      ...widths.map((width) => {
        const found = runsOf(runs, n_classes, method, width);
        return found.length === 0 ? "" : cell(found);
      }),
    ]);
  const rates = CNN_METHODS.map((method) => {
    const found = widths.flatMap((width) => runsOf(runs, n_classes, method, width));
    if (found.length === 0) return "";
    const scaled = method.fisher.needs === "units";
    const rate = found[0]!.rate * (scaled ? found[0]!.width : 1);
    return `${formatG(Number(rate.toPrecision(3)))}${scaled ? " / M" : ""}`;
  });
  const meanGap = (found: CnnRow[]): number => mean(found.map(lastGap));
  const slopes = CNN_METHODS.map((method) => {
    const found = widths.map((width) => runsOf(runs, n_classes, method, width));
    return found.every((cell) => cell.length > 0) && widths.length > 1
      ? slope(widths, found.map(meanGap)).toFixed(2)
      : "";
  });
  const gaps = each((found) => meanGap(found).toPrecision(3));
  const losses = (side: "train" | "test", step: number): string =>
    table(
      [`${side === "train" ? "training" : "test"} loss, ${step} ${step === 1 ? "step" : "steps"}`, ...header],
      each((found) => found[0]![side][step - 1]!.map(loss).join(" / ")),
    );
  return [
    `## ${n_classes === 2 ? "Two" : "Ten"} classes`,
    table(
      ["gap", "eta", ...header, "slope"],
      gaps.map(([title, ...cells], i) => [title!, rates[i]!, ...cells, slopes[i]!]),
    ),
    losses("train", 1),
    losses("train", steps),
    losses("test", steps),
  ].join("\n\n");
}

const lastGap = ({ gap }: CnnRow): number => gap.at(-1)!;

const loss = (x: number): string => (x < LOSS_FLOOR ? `< ${formatG(LOSS_FLOOR)}` : formatG(x));

/** What is drawn in the order of its colours, and what it is called at the end of its line. */
const DRAWN: Readonly<Record<string, string>> = {
  "kfac, damping 1e-2": "kfac",
  "kfac_expand, damping 1e-2": "kfac, expand",
  "block_tri_diagonal, five convolutions": "block_tri_diag., L = 6",
  "block_tri_diagonal, --singular least_norm": "block_tri_diag., L = 5",
  block_diagonal: "block_diagonal",
  exact: "exact",
  "unit_wise, damping 0.032 / M": "unit_wise",
  "gradient descent": "gradient descent",
};

/** docs/figures/cnn.svg. */
export function drawCnn(runs: CnnRuns, options: FigureOptions): string {
  const panels = CLASSES.map((n_classes) => {
    const gapsOf = (method: CnnMethod, width: number) => runsOf(runs, n_classes, method, width).map(lastGap);
    const widths = widthsOf(runs, n_classes).filter((width) =>
      CNN_METHODS.every((method) => gapsOf(method, width).length > 0),
    );
    const series = Object.entries(DRAWN).map(([name, title]): GapSeries => {
      const method = CNN_METHODS.find((each) => each.title === name)!;
      return { title, widths, gaps: widths.map((width) => gapsOf(method, width)) };
    });
    const title = `${n_classes === 2 ? "Two" : "Ten"} classes, N = ${samples[n_classes][0]}`;
    return { title, series };
  });
  const caption = {
    title: "A wider CNN keeps closer to its prediction",
    subtitle: `CIFAR-10, four convolutions: root mean square of network minus prediction over all outputs after ${steps} steps, over that of the labels. The prediction is by the network's own kernel before the first step. ${seedsIn(runs) === 1 ? "One seed." : "Points: mean of seeds; bars: the least and the greatest of them."}`,
  };
  return gapPanels(panels, caption, { ...options, axis: "channels M" });
}
