/**
 * @file Runs a method on a convolutional network and CIFAR-10, beside the prediction by the network's empirical kernel.
 */
import { stableLearningRate } from "../../src/entry/dynamics.ts";
import type { Dataset } from "../../src/entry/data.ts";
import { cnn } from "../../src/entry/network.ts";
import {
  createEngine,
  createLinearizer,
  createTrainer,
  createWeights,
  empiricalKernel,
  initialise,
  mse,
  predictSteps,
  stackRows,
  type Engine,
  type Matrix,
  type Network,
  type Outputs,
} from "../../src/index.ts";
import { cifar10 } from "../../src/node.ts";
import {
  LOSS_FLOOR,
  REFERENCE,
  SETTING,
  type Classes,
  type CnnMethod,
  type CnnRow,
  type LossPair,
} from "./cnn.ts";
import { rms } from "./gap.ts";

/** Runs methods on the images of so many classes. */
export type MeasureCnn = (method: CnnMethod, width: number, seed: number) => Promise<CnnRow>;

/** The same images for all runs; an engine of its own for each, so that nothing of one stays for the next. */
export async function createCnn(n_classes: Classes): Promise<MeasureCnn> {
  const [trainSize, testSize] = SETTING.samples[n_classes];
  const targetClasses = Array.from({ length: n_classes }, (_, c) => c);
  const data = await cifar10({ targetClasses, trainSize, testSize, loss: mse });
  const rates = new Map<CnnMethod, Promise<number>>();
  return async (method, width, seed) => {
    if (!rates.has(method))
      rates.set(
        method,
        withEngine((engine) => referenceRate(engine, data, method)),
      );
    const rate = shared(method, width) * (await rates.get(method)!);
    const found = await withEngine((engine) => runOn(engine, data, method, { width, seed, rate }));
    return { n_classes, method: method.title, width, seed, rate: digits(rate), ...found };
  };
}

async function withEngine<T>(use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await createEngine();
  try {
    return await use(engine);
  } finally {
    await engine.release();
  }
}

/** What damping and learning rate of a method are multiplied by at a width. */
const shared = ({ fisher }: CnnMethod, width: number): number =>
  fisher.needs === "units" ? REFERENCE / width : 1;

const networkOf = ({ depth }: CnnMethod, width: number, outputs: number): Network =>
  cnn([32, 32, 3], {
    depth,
    width,
    outputs,
    strides: SETTING.strides.slice(0, depth - 1),
    readout: "flatten",
    weightVariance: SETTING.weightVariance,
  });

/** A network of the method with its initial weights, and its kernels. */
async function opened(engine: Engine, data: Dataset, method: CnnMethod, width: number, seed: number) {
  const network = networkOf(method, width, data.yTrain.cols);
  const linearizer = await createLinearizer(engine, network);
  const weights = createWeights(network, initialise(engine, network, seed));
  const kernels = async (samples: readonly Matrix[]) => {
    const { needs } = method.fisher;
    const { train, others } = await empiricalKernel(linearizer, weights, data.xTrain, samples, { needs });
    return { train, test: others[0] ?? train };
  };
  return { linearizer, weights, kernels };
}

/**
 * 1 / alpha of the theory; where there is none, or with damping, half of the largest rate at which the prediction is stable
 * at the width {@link REFERENCE}: 1 / lambda_max(G).
 */
async function referenceRate(engine: Engine, data: Dataset, method: CnnMethod): Promise<number> {
  const { fisher, depth, damping, singular = "refuse" } = method;
  const { rows: samples, cols: outputs } = data.yTrain;
  const alpha = fisher.alpha(
    { samples, layers: depth, chain: false, width: REFERENCE, outputs },
    { singular },
  );
  if (alpha !== undefined && damping === 0) return 1 / alpha;
  const { kernels } = await opened(engine, data, method, REFERENCE, 1);
  const { train } = await kernels([]);
  const G = await (await fisher.prepare(train, damping, { engine })).onto(train);
  return digits((await stableLearningRate(G, samples * outputs)) / 2, 3);
}

async function runOn(
  engine: Engine,
  data: Dataset,
  method: CnnMethod,
  { width, seed, rate }: { width: number; seed: number; rate: number },
): Promise<Pick<CnnRow, "gap" | "train" | "test">> {
  const { fisher, damping, singular } = method;
  const { linearizer, weights, kernels } = await opened(engine, data, method, width, seed);
  const options = {
    learningRate: rate,
    damping: shared(method, width) * damping,
    ...(singular ? { singular } : {}),
  };
  const x = stackRows([data.xTrain, data.xTest], engine.floats);
  const trainer = createTrainer(linearizer, weights, fisher, mse, { x, y: data.yTrain });
  const start = await trainer.evaluate();
  const predicted = await stepsOf(async () => {
    const pair = await kernels([data.xTest]);
    const predictor = await predictSteps(fisher, mse, pair, start, data.yTrain, { ...options, engine });
    return () => predictor.step();
  });
  const found = await stepsOf(async () => {
    await trainer.step(options);
    let left = SETTING.steps;
    // A step has the outputs before it.
    return async () => (--left > 0 ? (await trainer.step(options)).before : trainer.evaluate());
  });
  const size = rms([...data.yTrain.data]);
  const losses = (part: keyof Outputs, y: Matrix): LossPair[] =>
    found.map((f, k) => [lossOf(f[part], y), lossOf(predicted[k]![part], y)]);
  return {
    gap: found.map((f, k) => digits(gapOf(f, predicted[k]!) / size)),
    train: losses("train", data.yTrain),
    test: losses("test", data.yTest),
  };
}

/** The outputs after each step, of what `start` makes. */
async function stepsOf(start: () => Promise<() => Promise<Outputs>>): Promise<Outputs[]> {
  const step = await start();
  const outputs: Outputs[] = [];
  while (outputs.length < SETTING.steps) outputs.push(await step());
  return outputs;
}

function lossOf(f: Matrix, y: Matrix): number {
  const loss = mse.value(f, y);
  return loss < LOSS_FLOOR ? 0 : digits(loss, 3);
}

const outputsOf = ({ train, test }: Outputs): number[] => [...train.data, ...test.data];

function gapOf(found: Outputs, predicted: Outputs): number {
  const expected = outputsOf(predicted);
  return rms(outputsOf(found).map((f, i) => f - expected[i]!));
}

const digits = (x: number, count = 4): number => Number(x.toPrecision(count));
