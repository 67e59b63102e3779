/**
 * @file Every method at half its learning rate, beside its prediction: what the theory says of all undamped natural
 * gradients is then one straight line. In float64, so that every machine draws the same.
 */
import { kernelSpectrum, stableLearningRate } from "../../src/entry/dynamics.ts";
import { kfacTikhonov } from "../../src/entry/fisher.ts";
import { analyticKernel, createEngine, kfac, mlp, mse, type Fisher } from "../../src/index.ts";
import { mnist, parseConfig, run, type RunEvent } from "../../src/node.ts";
import type { FigureOptions } from "../figures/sheet.ts";
import { trainingFigure, type TrainingRun } from "../figures/training.ts";

const WIDTH = 4096;
const STEPS = 6;
const SAMPLES = { trainSize: 100, testSize: 50 };

/** Damping with which both K-FACs follow their predictions at this width. */
const KFAC_DAMPING = 1e-4;

type Settings = {
  readonly title: string;
  readonly options: Record<string, unknown>;
  readonly remark?: string;
};

/** Undamped methods at half of 1/alpha, the others at half of the largest rate that is stable on the analytic kernel. */
async function settings(): Promise<Settings[]> {
  const data = await mnist({ targetClasses: [0, 1], loss: mse, ...SAMPLES });
  const engine = await createEngine();
  const network = mlp(data.xTrain.cols, { width: WIDTH });
  const kernel = await analyticKernel(network, data.xTrain, data.xTrain, { engine });
  const { maxLearningRate } = await kernelSpectrum(kernel, { engine });
  const undamped = (name: string, remark?: string): Settings => ({
    title: name,
    options: { natural_gradient_type: name, lr_factor: 0.5 },
    ...(remark === undefined ? {} : { remark }),
  });
  const damped = async (fisher: Fisher): Promise<Settings> => {
    const G = await (await fisher.prepare(kernel, KFAC_DAMPING, { engine })).onto(kernel);
    const learning_rate = (await stableLearningRate(G, SAMPLES.trainSize)) / 2;
    return {
      title: `${fisher.name}, damped`,
      options: { natural_gradient_type: fisher.name, damping: KFAC_DAMPING, learning_rate },
    };
  };
  return [
    { title: "gradient descent", options: { learning_rate: maxLearningRate / 2 } },
    undamped("exact"),
    undamped("block_diagonal"),
    undamped("block_tri_diagonal"),
    {
      title: "unit_wise, damped",
      options: { natural_gradient_type: "unit_wise", lr_factor: 0.5, damping: 1e-9 },
    },
    undamped("kfac", "gap: finite width"),
    await damped(kfac),
    await damped(kfacTikhonov),
  ];
}

/** Trains with each of them, or with those named. */
export async function measureTraining(
  wanted: (title: string) => boolean = () => true,
  progress = (_title: string) => {},
): Promise<TrainingRun[]> {
  const runs: TrainingRun[] = [];
  for (const { title, options, remark } of await settings()) {
    if (!wanted(title)) continue;
    const events: RunEvent[] = [];
    const config = parseConfig({ width: WIDTH, n_steps: STEPS, precision: "float64", ...options });
    for await (const event of run(config)) events.push(event);
    runs.push({ title, events, ...(remark === undefined ? {} : { remark }) });
    progress(title);
  }
  return runs;
}

/** docs/figures/training.svg. */
export function drawTraining(runs: readonly TrainingRun[], options: FigureOptions): string {
  const caption = {
    title: "A wide network trains as its kernel predicted",
    subtitle:
      `ReLU network of width ${WIDTH} on ${SAMPLES.trainSize} MNIST digits 0 and 1. Lines: the infinite-width prediction, made before the first step. ` +
      "kfac without damping falls behind it: its Grams of signals are nearly singular at finite width, and the gap closes as the network is made wider, or damped. " +
      "Learning rate η: 0.5/α; for gradient descent and damped K-FAC half of the largest stable one.",
  };
  return trainingFigure(runs, caption, options);
}
