/**
 * @file The kernels that a diagnosis looks at: of the infinitely wide network, and of this one at its initial weights.
 */
import type { PosteriorKernels } from "../dynamics/posterior.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import type { Linearizer } from "../jacobian/linearize.ts";
import { createWeights } from "../jacobian/weights.ts";
import { analyticKernel } from "../kernel/analytic.ts";
import { empiricalKernel } from "../kernel/empirical.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { Setting } from "./diagnose-setting.ts";
import type { DiagnosisListeners } from "./diagnosis.ts";
import { finiteKernels } from "./representable.ts";
import { startThetas, tileOf } from "./setup.ts";

/** Kernels of a dataset, of the infinitely wide network and of this one, and the outputs of this one at the start. */
export type Kernels = {
  /** Undefined where none is known of the network. */
  readonly analytic: PosteriorKernels | undefined;
  readonly empirical: Kernel;
  readonly outputs: Matrix;
};

/** The kernels of the infinitely wide network; undefined where none is known. */
export async function analyticKernels(
  { config, dataset, network, kernelReason }: Setting,
  computing: ComputeOptions,
): Promise<PosteriorKernels | undefined> {
  if (kernelReason !== undefined) return undefined;
  const { xTrain, xTest } = dataset;
  const options = { ...tileOf(config), ...computing };
  return finiteKernels(
    async () => ({
      train: await analyticKernel(network, xTrain, xTrain, options),
      test: await analyticKernel(network, xTest, xTrain, options),
      testTest: await analyticKernel(network, xTest, xTest, options),
    }),
    Object.values,
    config,
    dataset,
  );
}

/** The kernel of the network at its initial weights, and its outputs there. */
export async function empiricalParts(
  { config, dataset, methods, plan }: Setting,
  linearizer: Linearizer,
  { progress = () => {}, signal }: DiagnosisListeners,
): Promise<Omit<Kernels, "analytic">> {
  const { xTrain } = dataset;
  progress("weights");
  const weights = createWeights(linearizer.network, await startThetas(config, linearizer, { signal }));
  progress("empirical kernel");
  const needs = methods.some((method) => method.needs === "positions") ? "positions" : "units";
  const options = { tile: plan.tile, ...tileOf(config), needs, signal } as const;
  const outputs = await linearizer.forward(weights, xTrain, options);
  const { train: empirical } = await finiteKernels(
    () => empiricalKernel(linearizer, weights, xTrain, [], options),
    ({ train }) => [train],
    config,
    dataset,
  );
  return { empirical, outputs };
}
