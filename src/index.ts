/**
 * @file The library: what most programs need of it. It runs in Node and in the browser. Everything else is under `natgrad/engine`,
 * `linalg`, `data`, `network`, `jacobian`, `kernel`, `loss`, `fisher`, `dynamics` and, for Node alone, `node`.
 */

// Where networks run.
export { createEngine, type Engine, type EngineOptions } from "./engine/engine.ts";

// Samples.
export { matrix, stackRows, type Floats, type Matrix } from "./linalg/matrix.ts";

// Networks and their weights.
export { dense, type DenseOptions } from "./ops/dense.ts";
export { serial } from "./network/layers.ts";
export { mlp, type MlpOptions } from "./network/mlp.ts";
export { type Network } from "./network/network.ts";
export { relu } from "./ops/relu.ts";
export { activation, type Activation } from "./ops/activation.ts";
export type { Op } from "./ops/op.ts";
export { initialise } from "./network/initialise.ts";
export { createWeights, type Weights } from "./jacobian/weights.ts";

// Kernels.
export { ntk, type NtkOptions } from "./kernel/ntk.ts";
export { analyticKernel } from "./kernel/analytic.ts";
export { empiricalKernel } from "./kernel/empirical.ts";
export type { Kernel } from "./kernel/kernel.ts";

// Methods.
export { blockDiagonal, blockTriDiagonal, exact, gradient, kfac, unitWise } from "./fisher/index.ts";
export type { Fisher } from "./fisher/index.ts";

// Losses.
export { accuracy, crossEntropy, mse, type Loss } from "./loss/index.ts";

// Training, and its prediction.
export { train, type Problem, type TrainOptions } from "./dynamics/train.ts";
export type { Row } from "./dynamics/step-report.ts";
export { createLinearizer, type Linearizer } from "./jacobian/linearize.ts";
export { createTrainer, type StepOptions, type StepResult, type Trainer } from "./dynamics/trainer.ts";
export { predictSteps, type Outputs, type Predictor } from "./dynamics/function-space.ts";

// Errors.
export { InputError, SingularGramError } from "./error.ts";
