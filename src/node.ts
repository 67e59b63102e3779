/**
 * @file `natgrad/node`: what needs Node. Worker threads, datasets on disk and whole experiments.
 */
export { externalDataOf } from "./onnx/node/external-data.ts";
export { createWorkerEngine, type WorkerEngineOptions } from "./engine/node/worker-engine.ts";
export type { FetchProgress } from "./data/node/fetch.ts";
export type { FetchOptions } from "./data/node/fetch-store.ts";
export type { LeastNorm } from "./experiment/events.ts";
export { mnist } from "./data/node/mnist.ts";
export { loadDataset, saveDataset } from "./data/node/npz.ts";
export { readWhole, writeWhole, type ReadOptions } from "./data/node/files.ts";
export type { NetworkText } from "./experiment/architecture/describe.ts";
export type { Config, ConfigOptions, OptionName } from "./experiment/config.ts";
export { parseConfig, parseFlags } from "./experiment/parse-config.ts";
export { METHODS } from "./experiment/options/training.ts";
export { diagnose } from "./experiment/diagnose.ts";
export {
  DIAGNOSIS_OPTIONS,
  diagnosisMethods,
  parseDiagnosis,
  parseDiagnosisFlags,
  type Diagnosis,
  type Convergence,
  type DiagnosisConfigEvent,
  type DiagnosisDoneEvent,
  type DiagnosisEvent,
  type DiagnosisListeners,
  type DiagnosisOptions,
  type KernelName,
  type LayerEvent,
  type MethodEvent,
  type MethodFigures,
  type PosteriorEvent,
  type PosteriorFigures,
  type SpectrumEvent,
} from "./experiment/diagnosis.ts";
export { loadKernels, saveKernels, type Method } from "./experiment/files.ts";
export {
  originOf,
  type KernelIdentity,
  type KernelOrigin,
  type KernelSource,
} from "./experiment/identity.ts";
export { loadWeights, saveWeights } from "./experiment/weight-files.ts";
export { cifar10 } from "./data/node/cifar10.ts";
export { fashionMnist } from "./data/node/fashion-mnist.ts";
export { withModules } from "./experiment/modules.ts";
export type { Own, OwnOption, OwnParts } from "./experiment/own.ts";
export { explain, type BlockPlan, type Explanation } from "./experiment/explain.ts";
export { run } from "./experiment/run.ts";
export { OptionError, type Remedy } from "./experiment/remedy.ts";
export type {
  ConfigEvent,
  DoneEvent,
  Metrics,
  NoticeEvent,
  NoticeKind,
  Progress,
  RunEvent,
  RunListeners,
  StepEvent,
} from "./experiment/events.ts";
export { DIAGNOSIS_WRITERS, type DiagnosisWriter } from "./report/diagnosis.ts";
export { EXPLANATION_WRITERS } from "./report/explanation.ts";
export { WRITERS, type Writer } from "./report/writers.ts";
