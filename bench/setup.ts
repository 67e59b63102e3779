/**
 * @file The network of the default run and its data, in one process.
 */
import { mse } from "../src/loss/index.ts";
import type { Batch } from "../src/entry/dynamics.ts";
import type { FloatArray } from "../src/entry/engine.ts";
import {
  createEngine,
  createLinearizer,
  initialise,
  matrix,
  mlp,
  type Engine,
  type Linearizer,
  type Matrix,
  type Network,
} from "../src/index.ts";
// Not from natgrad/node, whose modules would count in what is measured.
import { mnist } from "../src/data/node/mnist.ts";

/** What the trainers of a benchmark share. */
export type Setup = {
  readonly engine: Engine;
  readonly network: Network;
  readonly linearizer: Linearizer;
  /** theta_l of every layer as drawn. Steps leave them as they are until the rank of an update is folded in. */
  readonly thetas: readonly FloatArray[];
  readonly batch: Batch;
  /** Labels of the test samples [N', C]. */
  readonly testLabels: Matrix;
  readonly samples: number;
};

/** Options of {@link setup}. */
export type SetupOptions = {
  train?: number;
  test?: number;
  width?: number;
  classes?: readonly (number | readonly number[])[];
};

/** MNIST's digits 0 and 1, or others, and three layers. */
export async function setup(options: SetupOptions = {}): Promise<Setup> {
  const { train = 100, test = 50, width = 4096, classes = [0, 1] } = options;
  const data = await mnist({ targetClasses: classes, trainSize: train, testSize: test, loss: mse });
  const engine = await createEngine();
  const network = mlp(data.xTrain.cols, { width, depth: 3 });
  const linearizer = await createLinearizer(engine, network);
  const thetas = initialise(engine, network, 1);
  const samples = train + test;
  const x = new Float32Array(samples * data.xTrain.cols);
  x.set(data.xTrain.data);
  x.set(data.xTest.data, data.xTrain.data.length);
  const batch = { x: matrix(samples, data.xTrain.cols, x), y: data.yTrain };
  return { engine, network, linearizer, thetas, batch, testLabels: data.yTest, samples };
}

/** Operands of the floor that are the network's own weights. */
export const given = ({ thetas }: Setup): Record<string, FloatArray> =>
  Object.fromEntries(thetas.map((theta, l) => [`theta${l}`, theta]));
