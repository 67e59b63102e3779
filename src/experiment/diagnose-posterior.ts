/**
 * @file What infinitely many initialisations would predict for the test set, in a diagnosis.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import type { Dataset } from "../data/dataset.ts";
import {
  createPosterior,
  deviations,
  type PosteriorKernels,
  type PosteriorKind,
} from "../dynamics/posterior.ts";
import { InputError } from "../error.ts";
import { accuracy, mse } from "../loss/index.ts";
import type { Config } from "./config.ts";
import type { PosteriorFigures } from "./diagnosis.ts";

/** The posterior at convergence; a damping of rho on the Fisher matrix is N rho on Theta. */
export async function measurePosterior(
  kind: PosteriorKind,
  kernels: PosteriorKernels,
  { yTrain, yTest }: Dataset,
  { damping, parameterization }: Config,
  options: ComputeOptions,
): Promise<PosteriorFigures> {
  if (parameterization !== "ntk") {
    throw new InputError(`parameterization: wanted ntk for a posterior, got ${parameterization}`);
  }
  const regularisation = damping * yTrain.rows;
  const posterior = await createPosterior(kernels, yTrain, { ...options, kind, regularisation });
  const law = await posterior.at(Infinity);
  const spread = deviations(law);
  return {
    test_accuracy: accuracy(law.mean, yTest),
    test_loss: mse.value(law.mean, yTest),
    mean_deviation: spread.reduce((sum, x) => sum + x, 0) / spread.length,
  };
}
