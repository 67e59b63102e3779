/**
 * @file `natgrad/dynamics`: training, its prediction in function space, and what kernels say before any step.
 */
export { alignment, type AlignmentOptions } from "../dynamics/alignment.ts";
export {
  dampingController,
  DAMPING_SCHEDULES,
  type DampingController,
  type DampingSchedule,
} from "../dynamics/damping.ts";
export {
  predictSteps,
  type Movers,
  type Outputs,
  type PredictingKernels,
  type PredictOptions,
  type Predictor,
} from "../dynamics/function-space.ts";
export { gradientFlow, gradientFlowOf, type FlowOptions } from "../dynamics/gradient-flow.ts";
export { isotropy, type Isotropy } from "../dynamics/isotropy.ts";
export { responseOf, type LossAt, type StepResponse } from "../dynamics/response.ts";
export {
  createPosterior,
  deviations,
  type Posterior,
  type PosteriorAt,
  type PosteriorKernels,
  type PosteriorKind,
  type PosteriorOptions,
} from "../dynamics/posterior.ts";
export {
  convergenceSteps,
  convergenceTime,
  kernelSpectrum,
  labelEnergy,
  modeEnergies,
  type Spectrum,
} from "../dynamics/spectrum.ts";
export { stableLearningRate, type StabilityOptions } from "../dynamics/stability.ts";
export type { Batch } from "../dynamics/step-samples.ts";
export { stoppedText, type Stopped } from "../dynamics/step-solve.ts";
export {
  createTrainer,
  type StepOptions,
  type StepResult,
  type StepSeconds,
  type Trainer,
} from "../dynamics/trainer.ts";
export type { Evaluation, Figures, TrainingData } from "../dynamics/evaluation.ts";
export type { Predicted } from "../dynamics/prediction.ts";
export type { Diverged, NextStep, Row, Step } from "../dynamics/step-report.ts";
export type { TrainingOptions } from "../dynamics/training-options.ts";
export { train, type Problem, type TrainOptions } from "../dynamics/train.ts";
