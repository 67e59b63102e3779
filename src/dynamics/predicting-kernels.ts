/**
 * @file The kernels that predict a method's training: of the infinitely wide network, or of this one at its weights. Methods
 * that look at no layer by itself get the NTK of the network alone, which takes a fraction of the memory.
 */
import type { Fisher } from "../fisher/fisher.ts";
import { analyticKernel, analyticNetworkKernel } from "../kernel/analytic.ts";
import { empiricalKernel, empiricalNtk } from "../kernel/empirical.ts";
import { withUnits } from "../kernel/units.ts";
import type { Linearizer, PassOptions } from "../linearization/linearize.ts";
import type { Weights } from "../linearization/weights.ts";
import { randomState } from "../random/random-state.ts";
import type { TrainingData } from "./evaluation.ts";
import type { PredictingKernels } from "./function-space.ts";

/** What a kernel is of. */
export type KernelSource = "analytic" | "empirical";

/** Options of {@link makeKernels}. */
export type KernelOptions = PassOptions & {
  /** Samples in a tile of the kernel. */
  readonly kernelTile?: number | undefined;
  /** Draws the single units of an infinitely wide network, for methods that need them. */
  readonly unitSeed?: number;
};

/** The kernels of a network that predict `method` on the data. */
export async function makeKernels(
  source: KernelSource,
  method: Fisher,
  linearizer: Linearizer,
  weights: Weights,
  { xTrain, xTest }: Pick<TrainingData, "xTrain" | "xTest">,
  { kernelTile, unitSeed = 1, ...passing }: KernelOptions = {},
): Promise<PredictingKernels> {
  const { network } = linearizer;
  const { signal } = passing;
  const options = { ...(kernelTile === undefined ? {} : { tile: kernelTile }), signal };
  const summed = method.fromTangent !== undefined;
  if (source === "empirical") {
    const make = summed ? empiricalNtk : empiricalKernel;
    const { train, others } = await make(linearizer, weights, xTrain, [xTest], { ...passing, ...options });
    return { train, test: others[0]! };
  }
  if (summed) {
    return {
      train: await analyticNetworkKernel(network, xTrain, xTrain, options),
      test: await analyticNetworkKernel(network, xTest, xTrain, options),
    };
  }
  const pair = {
    train: await analyticKernel(network, xTrain, xTrain, options),
    test: await analyticKernel(network, xTest, xTrain, options),
  };
  if (!method.usesSignals) return pair;
  return withUnits(network, pair, xTrain, xTest, randomState(unitSeed), { signal });
}
