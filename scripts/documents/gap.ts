/**
 * @file The gap between a network and its analytic prediction: the root mean square over all outputs, training and
 * test, of f_t - f^_t after two steps, over that of the labels. In float64, so that rounding is no part of it and every
 * machine finds the same digits.
 */
import { randomState, type Dataset } from "../../src/entry/data.ts";
import { withUnits } from "../../src/entry/kernel.ts";
import {
  analyticKernel,
  createEngine,
  createLinearizer,
  createTrainer,
  createWeights,
  initialise,
  matrix,
  mlp,
  mse,
  predictSteps,
  type Engine,
  type Fisher,
  type Matrix,
  type Outputs,
} from "../../src/index.ts";
import { mnist } from "../../src/node.ts";
import { methodNamed } from "./methods.ts";

/** Steps after which the gap is taken. */
export const GAP_STEPS = 2;

/** A method and how it is run: undamped at 1/alpha of the theory unless it says otherwise. */
export type GapMethod = {
  /** As the flags have it. */
  readonly title: string;
  readonly fisher: Fisher;
  readonly damping: number;
  readonly learningRate?: number;
};

/** Every method for which the theory is exact in the limit. */
export const GAP_METHODS: readonly GapMethod[] = [
  {
    title: "gradient descent, learning rate 1",
    fisher: methodNamed("gradient"),
    damping: 0,
    learningRate: 1,
  },
  { title: "exact", fisher: methodNamed("exact"), damping: 0 },
  { title: "exact, damping 1e-3", fisher: methodNamed("exact"), damping: 1e-3 },
  { title: "block_diagonal", fisher: methodNamed("block_diagonal"), damping: 0 },
  { title: "block_tri_diagonal", fisher: methodNamed("block_tri_diagonal"), damping: 0 },
  { title: "kfac", fisher: methodNamed("kfac"), damping: 0 },
  { title: "kfac, damping 1e-4", fisher: methodNamed("kfac"), damping: 1e-4 },
  // A unit has signals of order 1 / sqrt(M), so that its block is of order 1 / M.
  { title: "unit_wise, damping 1e-3 / M", fisher: methodNamed("unit_wise"), damping: 1e-3 },
];

const SAMPLES = { train: 100, test: 50 };
const INPUTS = 784;
const LAYERS = 3;
/** The units of the unit-wise kernel are drawn; from another seed than the weights. */
const UNIT_SEED = 1000;

/** The gap of a method at a width for one seed. */
export type MeasureGap = (method: GapMethod, width: number, seed: number) => Promise<number>;

/** Measures gaps on one set of data. */
export async function createGap(): Promise<MeasureGap> {
  const data = await mnist({
    targetClasses: [0, 1],
    trainSize: SAMPLES.train,
    testSize: SAMPLES.test,
    loss: mse,
  });
  const rows = SAMPLES.train + SAMPLES.test;
  const x = matrix(rows, INPUTS, Float64Array.from([...data.xTrain.data, ...data.xTest.data]));

  return async (method, width, seed) => {
    const engine = await createEngine({ precision: "float64" });
    try {
      return await gapOn(engine, x, data, method, width, seed);
    } finally {
      await engine.release();
    }
  };
}

async function gapOn(
  engine: Engine,
  x: Matrix,
  data: Dataset,
  { fisher, damping, learningRate }: GapMethod,
  width: number,
  seed: number,
): Promise<number> {
  const network = mlp(INPUTS, { width });
  const linearizer = await createLinearizer(engine, network);
  const weights = createWeights(network, initialise(engine, network, seed));
  const trainer = createTrainer(linearizer, weights, fisher, mse, { x, y: data.yTrain });
  const shape = { samples: SAMPLES.train, layers: LAYERS, width, outputs: 1 };
  const options = {
    learningRate: learningRate ?? 1 / fisher.alpha(shape)!,
    damping: fisher.needs === "units" ? damping / width : damping,
  };
  const analytic = {
    train: await analyticKernel(network, data.xTrain, data.xTrain, { engine }),
    test: await analyticKernel(network, data.xTest, data.xTrain, { engine }),
  };
  const kernels =
    fisher.needs === "units"
      ? await withUnits(network, analytic, data.xTrain, data.xTest, randomState(seed + UNIT_SEED), { engine })
      : analytic;
  const { before: start } = await trainer.step(options);
  const predictor = await predictSteps(fisher, mse, kernels, start, data.yTrain, { ...options, engine });
  let predicted: Outputs = start;
  let now: Outputs = start;
  for (let step = 1; step <= GAP_STEPS; step++) {
    predicted = await predictor.step();
    now = step < GAP_STEPS ? (await trainer.step(options)).before : await trainer.evaluate();
  }
  const outputs = (f: Outputs): number[] => [...f.train.data, ...f.test.data];
  const expected = outputs(predicted);
  return rms(outputs(now).map((f, i) => f - expected[i]!)) / rms([...data.yTrain.data]);
}

/** The root mean square. */
export const rms = (v: readonly number[]): number =>
  Math.sqrt(v.reduce((sum, a) => sum + a * a, 0) / v.length);
