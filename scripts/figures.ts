/**
 * @file Runs the experiments behind the figures of the documentation and writes docs/figures/: each for a page
 * (`name.svg`) and for a phone (`name-narrow.svg`).
 *
 *     npm run figures [-- training isotropy gap]
 *
 * `gap` draws the table of docs/generated/widths.md, which `npm run widths` writes. The others take some seconds.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import {
  analyticKernel,
  blockDiagonal,
  blockTriDiagonal,
  createEngine,
  createLinearizer,
  createWeights,
  empiricalKernel,
  exact,
  gradient,
  initialise,
  InputError,
  kernelSpectrum,
  kfac,
  matrix,
  mlp,
  mnist,
  parseConfig,
  run,
  unitWise,
  writeWhole,
  type Fisher,
  type Kernel,
  type Matrix,
  type RunEvent,
} from "../src/node.ts";
import { gapFigure, type GapSeries } from "../src/report/figures/gap.ts";
import { isotropyFigure, type IsotropyPanel } from "../src/report/figures/isotropy.ts";
import type { FigureOptions } from "../src/report/figures/sheet.ts";
import { trainingFigure } from "../src/report/figures/training.ts";

const WIDTH = 4096;
const TITLES: readonly (readonly [Fisher, string])[] = [
  [gradient, "gradient descent"],
  [exact, "exact"],
  [blockDiagonal, "block-diagonal"],
  [blockTriDiagonal, "tri-diagonal"],
  [kfac, "K-FAC"],
  [unitWise, "unit-wise"],
];

/** Writes a figure at both of its widths. */
async function save(name: string, figure: (options: FigureOptions) => string): Promise<void> {
  await writeWhole(`docs/figures/${name}.svg`, figure({ width: 760 }));
  await writeWhole(`docs/figures/${name}-narrow.svg`, figure({ width: 380 }));
}

/** Every method at half its learning rate: what the theory says of all natural gradients is then one straight line. */
async function training(): Promise<void> {
  const data = await mnist({ targetClasses: [0, 1], trainSize: 100, testSize: 50, lossType: "mse" });
  const { maxLearningRate } = await kernelSpectrum(
    await analyticKernel(mlp(784, { width: WIDTH }), data.xTrain),
  );
  const runs: { title: string; events: RunEvent[] }[] = [];
  for (const [fisher, title] of TITLES) {
    const settings =
      fisher === gradient
        ? { learning_rate: maxLearningRate / 2 }
        : { natural_gradient_type: fisher.name, lr_factor: 0.5, damping: fisher === unitWise ? 1e-9 : 0 };
    const events: RunEvent[] = [];
    for await (const event of run(parseConfig({ width: WIDTH, n_steps: 6, ...settings }))) events.push(event);
    runs.push({ title, events });
    process.stderr.write(`training: ${title}\n`);
  }
  const caption = {
    title: "A wide network trains as its kernel predicted",
    subtitle:
      "Points: loss of a ReLU network of width 4096 on MNIST digits 0 and 1 (● training, ○ test). " +
      "Lines: the infinite-width prediction, made before the first step. Learning rate: half of the one that the theory calls best, for gradient descent half of the largest stable one.",
  };
  await save("training", (options) => trainingFigure(runs, caption, options));
}

const PER_CLASS = 20;
const RHO = 1e-5;

/** G of every method on the kernel of the network itself, with and without damping. */
async function isotropy(): Promise<void> {
  const all = await mnist({ targetClasses: [0, 1], trainSize: 100, testSize: 1, lossType: "mse" });
  // Both classes one after the other, so that what their samples share can be seen.
  const rows = [0.5, -0.5].flatMap((label) =>
    [...all.yTrain.data.keys()].filter((n) => all.yTrain.data[n] === label).slice(0, PER_CLASS),
  );
  const M0 = all.xTrain.cols;
  const x = matrix(
    rows.length,
    M0,
    Float32Array.from(rows.flatMap((n) => [...all.xTrain.data.subarray(n * M0, (n + 1) * M0)])),
  );
  const engine = await createEngine();
  const network = mlp(M0, { width: WIDTH });
  const weights = createWeights(network, initialise(engine, network, 1));
  const { train: kernel } = await empiricalKernel(await createLinearizer(engine, network), weights, x);

  const panelsAt = async (rho: number): Promise<IsotropyPanel[]> => {
    const panels: IsotropyPanel[] = [];
    for (const [fisher, title] of TITLES) {
      const damped = rho > 0;
      const G = fisher === gradient && damped ? "has no damping" : await formG(fisher, kernel, rho);
      panels.push({ title: fisher === gradient ? "gradient" : title, G });
    }
    return panels;
  };
  const groups = [
    { heading: "Undamped", panels: await panelsAt(0) },
    { heading: `Damping ρ = ${RHO.toExponential().replace("e-", "e−")}`, panels: await panelsAt(RHO) },
  ];
  const caption = {
    title: "Undamped, every Fisher approximation is isotropic: G = αI",
    subtitle: `G / α on ${rows.length} training samples (${PER_CLASS} zeros, then ${PER_CLASS} ones), from the kernel of a network of width ${WIDTH}. “Off by” is ‖G\u00a0−\u00a0αI‖\u00a0/\u00a0‖αI‖.`,
  };
  await save("isotropy", (options) => isotropyFigure(groups, caption, options));
}

/** G [n, n], column by column. */
async function formG(fisher: Fisher, kernel: Kernel, rho: number): Promise<Matrix> {
  const G = await (await fisher.prepare(kernel, rho)).propagator(kernel);
  const n = kernel.samples * kernel.outputs;
  const data = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const unit = new Float64Array(n);
    unit[j] = 1;
    for (const [i, g] of (await G(unit)).entries()) data[i * n + j] = g;
  }
  return matrix(n, n, data);
}

/** Rows of docs/generated/widths.md that are drawn, and what they are called. */
const GAPS: readonly (readonly [row: string, title: string])[] = [
  ["kfac", "K-FAC"],
  ["block_tri_diagonal", "tri-diagonal"],
  ["block_diagonal", "block-diagonal"],
  ["exact", "exact"],
  ["unit_wise", "unit-wise, damped"],
  ["gradient descent", "gradient descent"],
];

async function gap(): Promise<void> {
  const path = "docs/generated/widths.md";
  const table = (await readFile(path, "utf8"))
    .split("\n")
    .filter((row) => row.startsWith("|"))
    .map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const [header = [], , ...body] = table;
  const widths = header.filter((cell) => cell.startsWith("M = ")).map((cell) => Number(cell.slice(4)));
  const series = GAPS.map(([name, title]): GapSeries => {
    const row = body.find(([first = ""]) => first === name || first.startsWith(`${name}, `));
    if (!row) throw new InputError(`${path}: wanted a row ${name}, got none (npm run widths writes it)`);
    return { title, widths, gaps: row.slice(1, 1 + widths.length).map(Number) };
  });
  const caption = {
    title: "The gap to the prediction closes as the width grows",
    subtitle:
      "Root mean square of network minus prediction over all outputs after two steps at the default learning rate, over that of the labels. MNIST digits 0 and 1, mean over seeds.",
  };
  await save("gap", (options) => gapFigure(series, caption, options));
}

const FIGURES: Readonly<Record<string, () => Promise<void>>> = { training, isotropy, gap };

const { positionals } = parseArgs({ allowPositionals: true });
for (const name of positionals.length > 0 ? positionals : Object.keys(FIGURES)) {
  const figure = FIGURES[name];
  if (!figure) {
    throw new InputError(`figures: wanted some of ${Object.keys(FIGURES).join(", ")}, got ${name}`);
  }
  await figure();
  process.stderr.write(`wrote docs/figures/${name}.svg and ${name}-narrow.svg\n`);
}
