/**
 * @file The library: everything that runs in Node and in the browser. `natgrad/node` adds files, datasets on disk and
 * whole experiments.
 */
export { breathe, type Stoppable } from "./breathe.ts";
export { InputError, SingularGramError, type Singularity, NotFiniteError, UnsolvedError } from "./error.ts";
export {
  createEngine,
  DEVICES,
  type Device,
  type Engine,
  type EngineOptions,
  type FloatArray,
  type Tensor,
} from "./graph/engine.ts";
export type { Precision } from "./graph/graph.ts";
export { matrix, stackRows, type Floats, type Matrix } from "./matrix/matrix.ts";
export { readNpy, writeNpy, type NpyArray, type NpySource } from "./matrix/npy.ts";
export { readNpz, writeNpz } from "./matrix/npz.ts";
export { randomState, type RandomState } from "./random/random-state.ts";
export type { ClassGroup } from "./data/classes.ts";
export type { Dataset, LossType, Selection } from "./data/dataset.ts";
export { decodeDataset, encodeDataset } from "./data/npz-dataset.ts";
export { fitForster, applyForster, forsterTransform, type ForsterMap } from "./data/forster.ts";
export { imageDataset, type ImageCollection } from "./data/images.ts";
export { synthetic, type SyntheticKind, type SyntheticOptions } from "./data/synthetic.ts";
export type { Forward, Layer, WeightShape } from "./network/layer.ts";
export type { ElementwiseRule, InfiniteRule, Tile, WeightRule, Workspace } from "./network/tile.ts";
export { activation, type Activation } from "./network/activation.ts";
export { dense, type DenseOptions } from "./network/dense.ts";
export { drawWeights, initialise, PRNGS, type Prng } from "./network/initialise.ts";
export { PARAMETERIZATIONS, type Parameterization } from "./network/parameterization.ts";
export { mlp, serial, type MlpOptions, type Network } from "./network/network.ts";
export { relu } from "./network/relu.ts";
export {
  createLinearizer,
  type LayerLinearization,
  type Linearization,
  type Linearizer,
} from "./linearization/linearize.ts";
export { createUpdater, type Combination, type Updater } from "./linearization/update.ts";
export { createFolder, createWeights, type LayerWeights, type Weights } from "./linearization/weights.ts";
export {
  analyticKernel,
  analyticNngp,
  analyticNtk,
  type AnalyticOptions,
  type SumOptions,
} from "./kernel/analytic.ts";
export { empiricalKernel, kernelOf } from "./kernel/empirical.ts";
export { createGrams, type GramOptions, type Grams, type Side } from "./kernel/gram.ts";
export { linearizedKernel, type KernelTools } from "./kernel/linearized.ts";
export { createJacobian, type Jacobian } from "./linearization/jacobian.ts";
export { withUnits, type KernelPair } from "./kernel/units.ts";
export {
  type BlockInfo,
  type BlockKernel,
  type BlockParts,
  type Factors,
  type Units,
} from "./kernel/block.ts";
export {
  blocksKernel,
  matrixKernel,
  type Kernel,
  type KernelHead,
  type KernelNeeds,
} from "./kernel/kernel.ts";
export { expandOutputs } from "./kernel/parts.ts";
export { whitenColumns, whitenKernel, type CurvatureFactor } from "./kernel/whiten.ts";
export * from "./loss/index.ts";
export * from "./fisher/index.ts";
export { alignment } from "./dynamics/alignment.ts";
export { dampingController, DAMPING_SCHEDULES, type DampingSchedule } from "./dynamics/damping.ts";
export { predictSteps, type Outputs, type Predictor } from "./dynamics/function-space.ts";
export { gradientFlow, gradientFlowOf } from "./dynamics/gradient-flow.ts";
export { isotropy, type Isotropy } from "./dynamics/isotropy.ts";
export { responseOf, type LossAt, type StepResponse } from "./dynamics/response.ts";
export {
  createPosterior,
  deviations,
  type Posterior,
  type PosteriorAt,
  type PosteriorKernels,
  type PosteriorKind,
} from "./dynamics/posterior.ts";
export {
  convergenceSteps,
  convergenceTime,
  kernelSpectrum,
  labelEnergy,
  modeEnergies,
  type Spectrum,
} from "./dynamics/spectrum.ts";
export { stableLearningRate } from "./dynamics/stability.ts";
export {
  createTrainer,
  stoppedText,
  type Batch,
  type StepOptions,
  type StepResult,
  type Stopped,
  type Trainer,
} from "./dynamics/trainer.ts";
