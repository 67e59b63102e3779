/**
 * @file `natgrad/network`: layers, activations, parameterisations and initial weights.
 */
export { activation, dualMaps, type Activation } from "../ops/activation.ts";
export { conv, type ConvOptions } from "../ops/conv.ts";
export { add, div, mul, sub } from "../ops/arithmetic.ts";
export { abs, clip, exp, log, neg, pow, reciprocal, sqrt } from "../ops/elementwise.ts";
export { batchNorm, type RunningStatistics } from "../ops/batch-norm.ts";
export { groupNorm, instanceNorm } from "../ops/group-norm.ts";
export { layerNorm, rmsNorm, type LayerNormOptions } from "../ops/layer-norm.ts";
export type { AffineOptions } from "../ops/affine.ts";
export type { NormalisationOptions } from "../ops/normalisation.ts";
export { concatenate } from "../ops/concatenate.ts";
export { expand, squeeze, unsqueeze } from "../ops/expand.ts";
export { gather, slice, type GatherOptions, type SliceOptions } from "../ops/pick.ts";
export { pad, type PadOptions } from "../ops/pad.ts";
export { reduceMax, reduceMean, reduceSum, type ReduceOptions } from "../ops/reduce.ts";
export { embedding, head, type TableOptions } from "../ops/embedding.ts";
export { gain, shift, type ParameterOptions } from "../ops/parameter.ts";
export { attention, type AttentionOptions } from "../network/attention.ts";
export { transformer, type TransformerOptions } from "../network/transformer.ts";
export { split, type SplitOptions } from "../network/split.ts";
export { matmul } from "../ops/matmul.ts";
export { logSoftmax, softmax } from "../ops/softmax.ts";
export { where } from "../ops/where.ts";
export type { ConstantTensor } from "../ops/constant.ts";
export {
  ACTIVATION_NAMES,
  activationNamed,
  ACTIVATIONS,
  hermite,
  leakyRelu,
  polynomial,
  rbf,
} from "../ops/activations/index.ts";
export { dense, type DenseOptions } from "../ops/dense.ts";
export { flatten } from "../ops/flatten.ts";
export { globalAveragePool, globalMaxPool, globalSumPool } from "../ops/global-pool.ts";
export { drawWeights, initialise, PRNGS, type Prng } from "../network/initialise.ts";
export type { BlockJacobian, Given, Op, Passed, Point, Shape, BlockShape, WeightValues } from "../ops/op.ts";
export { reshape } from "../ops/reshape.ts";
export { parallel, residual, sequence, serial, type Composite, type Layer } from "../network/layers.ts";
export { cnn, type CnnOptions } from "../network/cnn.ts";
export type { ImageOptions, Readout } from "../network/images.ts";
export { myrtle, type MyrtleOptions } from "../network/myrtle.ts";
export { resnet, type ResnetOptions } from "../network/resnet.ts";
export { mlp, type MlpOptions } from "../network/mlp.ts";
export { freeze, type Part } from "../network/freeze.ts";
export { writeOnnx, type WriteOnnxOptions } from "../network/write-onnx.ts";
export { withHead, type Headed } from "../network/head.ts";
export { createBuilder, type Builder, type Network, type Node } from "../network/network.ts";
export {
  PARAMETERIZATIONS,
  type LayerScales,
  type Parameterization,
  type Role,
  type WeightOptions,
} from "../ops/parameterization.ts";
export { averagePool, maxPool, sumPool, type AveragePoolOptions, type PoolOptions } from "../ops/pool.ts";
export { dualsByExpansion } from "../ops/expansion.ts";
export { dualsByQuadrature, gaussHermite, type Quadrature } from "../ops/quadrature.ts";
export { sum } from "../ops/sum.ts";
export { relu } from "../ops/relu.ts";
export { transpose } from "../ops/transpose.ts";
export { readOnnx, type OnnxNetwork, type ReadOnnxOptions } from "../network/onnx/read.ts";
export type { DecodeOptions } from "../onnx/decode.ts";
export type { ExternalRange, ReadExternal } from "../onnx/external.ts";
export type { NormaliseOptions } from "../onnx/normal/normalise.ts";
export type { Padding, WindowOptions } from "../ops/windows.ts";
export type { ElementwiseRule, InfiniteRule, Tile, WeightRule, Workspace } from "../ops/tile.ts";
