/**
 * @file Training in one call: a problem in, its rows out. It runs wherever an engine does, in Node and in a worker of a page.
 */
import { demandName, InputError } from "../error.ts";
import type { Fisher } from "../fisher/fisher.ts";
import type { Engine } from "../engine/engine.ts";
import { createLinearizer, type Linearizer } from "../jacobian/linearize.ts";
import { createWeights, type Weights } from "../jacobian/weights.ts";
import type { Loss } from "../loss/loss.ts";
import { drawWeights, type Prng } from "../network/initialise.ts";
import type { Network } from "../network/network.ts";
import { alphaOf, hasAlpha, measuredRate } from "./alpha.ts";
import type { TrainingData } from "./evaluation.ts";
import type { PredictingKernels } from "./function-space.ts";
import { makeKernels } from "./predicting-kernels.ts";
import { isRow, type Row } from "./step-report.ts";
import { prepareTraining } from "./training.ts";
import type { TrainingOptions } from "./training-options.ts";

/** What is to be trained, on what and how. */
export type Problem = {
  readonly network: Network;
  /** Inputs [N, M_0] and [N', M_0], labels [N, C] and [N', C]. */
  readonly data: TrainingData;
  readonly loss: Loss;
  /** The Fisher matrix of the natural gradient, or `gradient`. */
  readonly method: Fisher;
};

const KERNELS = ["analytic", "empirical", "none"] as const;

/** Options of {@link train}. */
export type TrainOptions = Omit<TrainingOptions, "learningRate" | "continuous" | "isotropy"> & {
  /** What runs the network. It stays open. */
  readonly engine: Engine;
  /** Default: 1 / alpha of the theory, or where it has none of alpha measured at the start; gradient descent has neither. */
  readonly learningRate?: number | undefined;
  /**
   * What predicts: the kernel of the infinitely wide network, that of this one at its initial weights, nothing, or kernels at
   * hand. Default: "analytic".
   */
  readonly kernel?: (typeof KERNELS)[number] | PredictingKernels | undefined;
  /** Weights to start from; they are trained in place. Default: drawn by `seed`. */
  readonly weights?: Weights | undefined;
  /** Default: 1. */
  readonly seed?: number | undefined;
  /** How weights are drawn: as NumPy does, or as JAX. Default: "numpy". */
  readonly prng?: Prng | undefined;
};

/**
 * Trains a network and predicts its training. A row has the network after so many steps, before the next one is taken, beside
 * what its kernel predicted for it; the first is the start. Training that diverges ends with a row that says so.
 * @throws InputError for options that cannot be, RangeError for data or weights that are not of the network,
 * SingularGramError where a Gram has no inverse; the reason of `signal` once it is aborted.
 * @example
 * import { createEngine, exact, mlp, mse, train } from "natgrad";
 * import { randomState, synthetic } from "natgrad/data";
 *
 * const data = synthetic(randomState(1).normalsInto, { trainSize: 50, testSize: 20, loss: mse });
 * const network = mlp(data.xTrain.cols, { depth: 3, width: 512 });
 * const engine = await createEngine();
 * const problem = { network, data, loss: mse, method: exact };
 * for await (const { step, network, predicted } of train(problem, { engine, steps: 3 })) {
 *   console.log(step, network.trainLoss, predicted[0]?.trainLoss);
 * }
 * await engine.release();
 */
export async function* train(problem: Problem, options: TrainOptions): AsyncGenerator<Row> {
  const { network, data, loss, method } = problem;
  const { engine, kernel = "analytic", seed = 1, prng, signal } = options;
  if (typeof kernel === "string") demandName("kernel", KERNELS, kernel);
  const theory = options.learningRate === undefined ? theoryAlpha(problem, options) : undefined;
  const linearizer = await createLinearizer(engine, network);
  const weights =
    options.weights ??
    createWeights(network, await drawWeights(engine, network, seed, { ...(prng ? { prng } : {}), signal }));
  const learningRate =
    options.learningRate ??
    (theory === undefined ? await measured(problem, options, linearizer, weights) : 1 / theory);
  const passing = { signal, unitSeed: seed, ...(options.tile === undefined ? {} : { tile: options.tile }) };
  const kernels =
    typeof kernel !== "string"
      ? [kernel]
      : kernel === "none"
        ? []
        : [await makeKernels(kernel, method.needs, linearizer, weights, data, passing)];
  const parts = { linearizer, weights, data, loss, method, kernels };
  const training = await prepareTraining(parts, {
    ...options,
    batchSeed: options.batchSeed ?? seed,
    learningRate,
  });
  for await (const step of training.steps()) if (isRow(step)) yield step;
}

/** Samples of a step. */
const samplesOf = ({ data }: Problem, { batchSize }: TrainOptions): number =>
  Math.min(batchSize ?? data.yTrain.rows, data.yTrain.rows);

/** Alpha of the theory; undefined where it is to be measured. */
function theoryAlpha(problem: Problem, options: TrainOptions): number | undefined {
  const { network, loss, method } = problem;
  const alpha = alphaOf(method, network, loss, samplesOf(problem, options), options.singular);
  if (alpha !== undefined || hasAlpha(method)) return alpha;
  throw new InputError(`learningRate: wanted a number for ${method.name}, got none`);
}

const measured = async (
  problem: Problem,
  options: TrainOptions,
  linearizer: Linearizer,
  weights: Weights,
): Promise<number> => {
  const { damping, singular, tile, signal } = options;
  const { learningRate } = await measuredRate(
    { ...problem, linearizer, weights },
    {
      samples: samplesOf(problem, options),
      signal,
      ...(damping === undefined ? {} : { damping }),
      ...(singular === undefined ? {} : { singular }),
      ...(tile === undefined ? {} : { tile }),
    },
  );
  return learningRate;
};
