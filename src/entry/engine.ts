/**
 * @file `natgrad/engine`: ONNX Runtime on one device, and the graphs that run on it. For layers and activations of your
 * own: `ops` are the operations that their formulas are made of.
 */
export { breathe, type Stoppable } from "../breathe.ts";
export type { ComputeOptions } from "../engine/compute.ts";
export {
  createEngine,
  DEVICES,
  type Device,
  type Engine,
  type EngineOptions,
  type FloatArray,
  type Program,
  type Tensor,
  type Tensors,
} from "../engine/engine.ts";
export {
  createGraph,
  type Dim,
  type ElementType,
  type Graph,
  type GraphAttribute,
  type Precision,
  type Value,
} from "../engine/graph.ts";
export type { OrtModule, OrtSession, OrtSessionOptions, OrtTensor, Runtime } from "../ort.ts";
export * as ops from "../engine/ops.ts";
