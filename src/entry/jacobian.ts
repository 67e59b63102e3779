/**
 * @file `natgrad/jacobian`: a network linearised at its weights, products with its Jacobian, and updates of the weights.
 */
export { createJacobian, type Jacobian, type LayerRows } from "../jacobian/jacobian.ts";
export {
  createLinearizer,
  type LayerLinearization,
  type Linearization,
  type Linearizer,
  type PassOptions,
} from "../jacobian/linearize.ts";
export { createUpdater, type Coefficients, type Updater } from "../jacobian/update.ts";
export {
  createFolder,
  createWeights,
  type Folder,
  type LayerWeights,
  type Place,
  type Weights,
} from "../jacobian/weights.ts";
