/**
 * @file `natgrad/network`: layers, activations, parameterisations and initial weights.
 */
export { activation, dualMaps, type Activation } from "../network/activation.ts";
export { dense, type DenseOptions } from "../network/dense.ts";
export { drawWeights, initialise, PRNGS, type Prng } from "../network/initialise.ts";
export type { Forward, Layer, WeightShape, WeightValues } from "../network/layer.ts";
export { mlp, serial, type MlpOptions, type Network } from "../network/network.ts";
export {
  PARAMETERIZATIONS,
  type LayerScales,
  type Parameterization,
  type Role,
} from "../network/parameterization.ts";
export { dualsByQuadrature, gaussHermite, type Quadrature } from "../network/quadrature.ts";
export { relu } from "../network/relu.ts";
export type { ElementwiseRule, InfiniteRule, Tile, WeightRule, Workspace } from "../network/tile.ts";
