/**
 * @file `natgrad/kernel`: kernels of networks at their weights and of infinitely wide ones, with or without their layers.
 */
export {
  analyticKernel,
  analyticNngp,
  analyticNtk,
  type AnalyticOptions,
  type SumOptions,
} from "../kernel/analytic.ts";
export { empiricalKernel, empiricalNtk, kernelOf, type EmpiricalOptions } from "../kernel/empirical.ts";
export { createGrams, type GramOptions, type Grams, type Side } from "../kernel/gram.ts";
export {
  expandOutputs,
  layerNtk,
  ntk as kernelMatrix,
  type AnyKernel,
  type Kernel,
  type LayerKernel,
  type NetworkKernel,
} from "../kernel/kernel.ts";
export { ntk, type NtkOptions } from "../kernel/ntk.ts";
export { kernelTangent, linearizedTangent, whitenTangent, type Tangent } from "../kernel/tangent.ts";
export { withUnits, type KernelPair } from "../kernel/units.ts";
export { whitenColumns, whitenKernel } from "../kernel/whiten.ts";
