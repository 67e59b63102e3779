/**
 * @file The kernels that predict a method's training: of the infinitely wide network, or of this one at its weights, with
 * what the method needs of them.
 */
import { analyticKernel } from "../kernel/analytic.ts";
import { empiricalKernel } from "../kernel/empirical.ts";
import type { KernelNeeds } from "../kernel/kernel.ts";
import { withUnits, type KernelPair } from "../kernel/units.ts";
import type { Linearizer, PassOptions } from "../jacobian/linearize.ts";
import type { Weights } from "../jacobian/weights.ts";
import { randomState } from "../random/random-state.ts";
import type { TrainingData } from "./evaluation.ts";

/** What a kernel is of. */
export type KernelSource = "analytic" | "empirical";

/** Options of {@link makeKernels}. */
export type KernelOptions = PassOptions & {
  /** Samples in a tile of the kernel. */
  readonly kernelTile?: number | undefined;
  /** Draws the single units of an infinitely wide network, where they are needed. Default: 1. */
  readonly unitSeed?: number | undefined;
};

/** The kernels of a network on data. */
export async function makeKernels(
  source: KernelSource,
  needs: KernelNeeds,
  linearizer: Linearizer,
  weights: Weights,
  { xTrain, xTest }: Pick<TrainingData, "xTrain" | "xTest">,
  { kernelTile, unitSeed = 1, ...passing }: KernelOptions = {},
): Promise<KernelPair> {
  const { engine, network } = linearizer;
  const { signal } = passing;
  const options = { ...(kernelTile === undefined ? {} : { tile: kernelTile }), needs, engine, signal };
  if (source === "empirical") {
    const { train, others } = await empiricalKernel(linearizer, weights, xTrain, [xTest], {
      ...passing,
      ...options,
    });
    return { train, test: others[0]! };
  }
  const pair = {
    train: await analyticKernel(network, xTrain, xTrain, options),
    test: await analyticKernel(network, xTest, xTrain, options),
  };
  if (needs !== "units") return pair;
  return withUnits(network, pair, xTrain, xTest, randomState(unitSeed), { engine, signal });
}
