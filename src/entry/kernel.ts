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
export { empiricalKernel, kernelOf, type EmpiricalOptions } from "../kernel/empirical.ts";
export { createGrams, type GramOptions, type Grams, type Side } from "../kernel/gram.ts";
export type {
  BlockInfo,
  BlockKernel,
  BlockParts,
  Expanded,
  Factors,
  Reduced,
  Units,
} from "../kernel/block.ts";
export {
  blocksKernel,
  matrixKernel,
  type Kernel,
  type KernelHead,
  type KernelNeeds,
} from "../kernel/kernel.ts";
export { expandOutputs } from "../kernel/parts.ts";
export type { SweepOptions } from "../kernel/sweep.ts";
export { ntk, type NtkOptions } from "../kernel/ntk.ts";
export { linearizedKernel, type KernelProgress, type KernelTools } from "../kernel/linearized.ts";
export { withUnits, type KernelPair } from "../kernel/units.ts";
export { whitenColumns, whitenKernel } from "../kernel/whiten.ts";
