/**
 * @file natgrad's side of a measurement, in a process of its own: takes the same JSON request as the Python workers and
 * answers with the same JSON lines (common.py). With `prepare` it exports the problem of a case instead: samples, labels and
 * initial weights, that all sides begin from.
 */
import { createInterface } from "node:readline";
import { FISHERS } from "../../src/entry/fisher.ts";
import { analyticNtk, createGrams } from "../../src/entry/kernel.ts";
import { writeNpz, type NpySource } from "../../src/entry/linalg.ts";
import {
  createEngine,
  createLinearizer,
  createTrainer,
  createWeights,
  initialise,
  mlp,
  mse,
  stackRows,
  type Floats,
  type Matrix,
} from "../../src/index.ts";
import { mnist, writeWhole } from "../../src/node.ts";
import { matrix, rowRange, toFloat64 } from "../../src/linalg/matrix.ts";
import { peakMemory } from "../benchmark.ts";
import { seconds } from "../statistics.ts";
import { imageLabels, imageNetwork, imageSamples } from "./images.ts";
import type { Request } from "./measure.ts";

/** Steps in a sample of `step`: at N = 100 every third folds the update into the weights. */
const STEPS = 3;

const wanted = JSON.parse(process.argv[2] ?? "") as Request & { prepare?: boolean };
const { job, N, tests, C, width, depth } = wanted;

const emit = (event: string, fields: object): void => {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
};

const float32 = (length: number): Float32Array => new Float32Array(length);

/** The network, all samples [N + N', M_0], labels of those trained on and of all, [N, C] and [N + N', C]. */
async function problem() {
  if (wanted.network !== undefined) {
    const network = imageNetwork(wanted.network, width, C);
    const y = matrix(N, C, imageLabels(N, C));
    return { network, x: matrix(N, network.inputs, imageSamples(N)), yTrain: toFloat64(y), y };
  }
  const { xTrain, yTrain, xTest, yTest } = await mnist({
    targetClasses: Array.from({ length: Math.max(2, C) }, (_, c) => c),
    trainSize: N,
    testSize: Math.max(1, tests),
    loss: mse,
  });
  return {
    network: mlp(xTrain.cols, { width, depth, outputs: C }),
    x: stackRows([xTrain, rowRange(xTest, 0, tests)], float32),
    yTrain,
    y: stackRows([yTrain, rowRange(yTest, 0, tests)], float32),
  };
}

const { network, x, yTrain, y } = await problem();

await (wanted.prepare ? prepare() : measureJob());

/** All samples [N + N', M_0] and labels, and W_l [M_l, M_{l-1}] of unit variance. */
async function prepare(): Promise<void> {
  const thetas = initialise(await createEngine(), network, 1);
  const weights = network.blocks.map(({ fanOut, columns }, l) => [
    `W${l + 1}`,
    { shape: [fanOut, columns], data: thetas[l]! },
  ]);
  await save(`${wanted.folder}/problem.npz`, {
    x,
    y,
    ...(Object.fromEntries(weights) as Record<string, NpySource>),
  });
}

async function measureJob(): Promise<void> {
  const clock = performance.now();
  if (job === "analytic") {
    const engine = await createEngine({ precision: "float64" });
    emit("compiled", { seconds: 0 });
    const theta = await repeat(() => analyticNtk(network, x, x, { engine }));
    await save(wanted.expected, { theta });
    return;
  }
  const engine = await createEngine();
  const linearizer = await createLinearizer(engine, network);
  emit("compiled", { seconds: (performance.now() - clock) / 1000 });
  const thetas = initialise(engine, network, 1);
  const weights = createWeights(network, thetas);
  const grams = createGrams(engine);
  switch (job) {
    case "linearize": {
      const { f, theta } = await repeat(async () => {
        const linearization = await linearizer.linearize(weights, x, N);
        return { f: linearization.outputs, theta: await grams.theta(linearization.layers) };
      });
      return save(wanted.expected, { f, theta });
    }
    case "empirical":
    case "images": {
      const theta = await repeat(async () => grams.theta((await linearizer.linearize(weights, x)).layers));
      return save(wanted.expected, { theta });
    }
    case "step":
    case "images-step": {
      const fisher = FISHERS.find(({ name }) => name === (wanted.method ?? "exact"))!;
      const options = { learningRate: wanted.learningRate, damping: wanted.damping };
      const fresh = () =>
        createTrainer(
          linearizer,
          createWeights(
            network,
            thetas.map((theta) => theta.slice()),
          ),
          fisher,
          mse,
          { x: trainingRows(), y: yTrain },
        );
      const steps = async () => {
        const trainer = fresh();
        return seconds(async () => {
          for (let step = 0; step < STEPS; step++) await trainer.step(options);
        });
      };
      await steps();
      for await (const _ of turns()) emit("sample", { seconds: (await steps()) / STEPS });
      emit("peak", { bytes: peakMemory() });
      const before = await linearizer.forward(weights, x);
      const all = createTrainer(linearizer, weights, fisher, mse, { x, y: yTrain });
      await all.step(options);
      const after = await linearizer.forward(weights, x);
      return save(wanted.expected, { df: { ...after, data: after.data.map((f, i) => f - before.data[i]!) } });
    }
    case "default-run":
      throw new RangeError("default-run: wanted the command line, got the library");
  }
}

/** The training samples alone: peers leave test samples out of a step. */
function trainingRows(): Matrix<Floats> {
  return matrix(N, x.cols, x.data.subarray(0, N * x.cols));
}

/** When to repeat: for so long and so often, or with each line on stdin. */
async function* turns(): AsyncGenerator<void> {
  emit("ready", {});
  if (wanted.turns) {
    for await (const _ of createInterface({ input: process.stdin })) yield;
    return;
  }
  const deadline = performance.now() + 1000 * wanted.seconds;
  for (let i = 0; i < wanted.repeats && performance.now() < deadline; i++) yield;
}

/** Repeats what a job does after one call that warms it up; the last result. */
async function repeat<T>(work: () => Promise<T>): Promise<T> {
  let result = await work();
  for await (const _ of turns()) {
    const took = await seconds(async () => {
      result = await work();
    });
    emit("sample", { seconds: took });
  }
  emit("peak", { bytes: peakMemory() });
  return result;
}

/** Writes arrays as float32. */
async function save(path: string, arrays: Record<string, Matrix<Floats> | NpySource>): Promise<void> {
  const sources = Object.entries(arrays).map(([name, array]): [string, NpySource] => [
    name,
    "shape" in array ? array : { shape: [array.rows, array.cols], data: Float32Array.from(array.data) },
  ]);
  await writeWhole(path, writeNpz(Object.fromEntries(sources)));
}
