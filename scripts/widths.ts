/**
 * @file How the gap between network and analytic prediction shrinks with the width: runs every method for which the
 * theory is exact in the limit at widths 256 to 8192 and writes docs/generated/widths.md with the slope measured.
 *
 *     npm run widths [-- --widths 256,1024,4096 --seeds 3]
 *
 * The gap is the root mean square over all outputs, training and test, of f_t - f^_t after two steps, over that of the
 * labels; its mean over seeds. Gap and width are fitted by a line in logarithms.
 */
import { parseArgs } from "node:util";
import {
  analyticKernel,
  blockDiagonal,
  blockTriDiagonal,
  createEngine,
  createLinearizer,
  createTrainer,
  createWeights,
  exact,
  gradient,
  initialise,
  kfac,
  matrix,
  mlp,
  mnist,
  mse,
  predictSteps,
  randomState,
  unitWise,
  withUnits,
  writeWhole,
  type Fisher,
  type Outputs,
} from "../src/node.ts";

const { values } = parseArgs({
  options: {
    widths: { type: "string", default: "256,512,1024,2048,4096,8192" },
    seeds: { type: "string", default: "4" },
  },
});
const widths = values.widths.split(",").map(Number);
const STEPS = 2;

type Method = { title: string; fisher: Fisher; damping: number; learningRate?: number };
const methods: Method[] = [
  { title: "gradient descent, learning rate 1", fisher: gradient, damping: 0, learningRate: 1 },
  { title: "exact", fisher: exact, damping: 0 },
  { title: "exact, damping 1e-3", fisher: exact, damping: 1e-3 },
  { title: "block_diagonal", fisher: blockDiagonal, damping: 0 },
  { title: "block_tri_diagonal", fisher: blockTriDiagonal, damping: 0 },
  { title: "kfac", fisher: kfac, damping: 0 },
  { title: "kfac, damping 1e-4", fisher: kfac, damping: 1e-4 },
  { title: "unit_wise, damping 1e-3 / M", fisher: unitWise, damping: 1e-6 },
];

const data = await mnist({ targetClasses: [0, 1], trainSize: 100, testSize: 50, lossType: "mse" });
const x = matrix(150, 784, Float32Array.from([...data.xTrain.data, ...data.xTest.data]));
const engine = await createEngine();

async function gap({ fisher, damping, learningRate }: Method, width: number, seed: number): Promise<number> {
  const network = mlp(784, { width });
  const linearizer = await createLinearizer(engine, network);
  const weights = createWeights(network, initialise(engine, network, seed));
  const trainer = createTrainer(linearizer, weights, fisher, mse, { x, y: data.yTrain });
  const shape = { samples: 100, layers: 3, width, outputs: 1 };
  // A unit has signals of order 1 / sqrt(M), so that its block is of order 1 / M.
  const rho = fisher.usesSignals ? (damping * 1024) / width : damping;
  const options = { learningRate: learningRate ?? 1 / fisher.alpha(shape)!, damping: rho };
  const analytic = {
    train: await analyticKernel(network, data.xTrain),
    test: await analyticKernel(network, data.xTest, data.xTrain),
  };
  const kernels = fisher.usesSignals
    ? await withUnits(network, analytic, data.xTrain, data.xTest, randomState(seed + 1000))
    : analytic;
  const start = await trainer.step(options);
  const predictor = await predictSteps(fisher, mse, kernels, start, data.yTrain, options);
  let predicted: Outputs = start;
  let now: Outputs = start;
  for (let step = 1; step <= STEPS; step++) {
    predicted = await predictor.step();
    now = step < STEPS ? await trainer.step(options) : await trainer.evaluate();
  }
  const difference = [...now.train.data, ...now.test.data].map(
    (f, i) => f - [...predicted.train.data, ...predicted.test.data][i]!,
  );
  return rms(difference) / rms([...data.yTrain.data]);
}

const rms = (v: number[]): number => Math.sqrt(v.reduce((sum, a) => sum + a * a, 0) / v.length);

/** Slope of log y against log x. */
function slope(xs: number[], ys: number[]): number {
  const [lx, ly] = [xs.map(Math.log), ys.map(Math.log)];
  const mean = (v: number[]) => v.reduce((sum, a) => sum + a, 0) / v.length;
  const [mx, my] = [mean(lx), mean(ly)];
  let [up, down] = [0, 0];
  for (const [i, a] of lx.entries()) {
    up += (a - mx) * (ly[i]! - my);
    down += (a - mx) ** 2;
  }
  return up / down;
}

const lines = [
  `Gap between network and analytic prediction after ${STEPS} steps, relative to the labels, and the slope of`,
  `its logarithm against that of the width (theory: -1/2). MNIST 0 and 1, 100 + 50 samples, mean of ${values.seeds} seeds.`,
  "Written by `npm run widths`.",
  "",
  `| method | ${widths.map((w) => `M = ${w}`).join(" | ")} | slope |`,
  `| --- | ${widths.map(() => "---").join(" | ")} | --- |`,
];
for (const method of methods) {
  const gaps: number[] = [];
  for (const width of widths) {
    const seeds = Number(values.seeds);
    let sum = 0;
    for (let seed = 1; seed <= seeds; seed++) sum += await gap(method, width, seed);
    gaps.push(sum / seeds);
  }
  const fitted = slope(widths, gaps).toFixed(2);
  lines.push(`| ${method.title} | ${gaps.map((g) => g.toPrecision(3)).join(" | ")} | ${fitted} |`);
  process.stderr.write(`${lines.at(-1)}\n`);
}
await writeWhole("docs/generated/widths.md", `${lines.join("\n")}\n`);
