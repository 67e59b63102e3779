/**
 * @file The network of the paper (section 2.1): dense layers of one width with an activation between them.
 */
import { demandWhole } from "../error.ts";
import type { Activation } from "../ops/activation.ts";
import { dense, type DenseOptions } from "../ops/dense.ts";
import { activationLayer } from "./images.ts";
import { serial } from "./layers.ts";
import type { Network } from "./network.ts";

/** Options of {@link mlp}. */
export type MlpOptions = Omit<DenseOptions, "role"> & {
  /** L, weight layers. */
  depth?: number;
  /** M, width of every hidden layer. */
  width?: number;
  /** C, outputs. */
  outputs?: number;
  /** phi, between the layers: one of natgrad's by its name, or one of your own. Default: ReLU. */
  activation?: Activation | string;
};

/**
 * A network of `depth` dense layers with an activation (ReLU) between them, all hidden widths equal (paper, section 2.1).
 * @example
 * import { mlp } from "natgrad";
 *
 * const network = mlp(784, { depth: 3, width: 1024, outputs: 10 }); // 784 - 1024 - 1024 - 10
 * console.log(network.outputs); // 10
 * console.log(mlp(784, { activation: "tanh", weightVariance: 1 }).nodes[1]?.op.name); // tanh
 */
export function mlp(inputs: number, options: MlpOptions = {}): Network {
  const { depth = 3, width = 4096, outputs = 1, activation, ...variances } = options;
  demandWhole("outputs", outputs);
  demandWhole("depth", depth);
  const hidden = Array.from({ length: depth - 1 }, (_, l) => [
    dense(width, { ...variances, role: l === 0 ? "input" : "hidden" }),
    activationLayer(activation),
  ]).flat();
  return serial(inputs, ...hidden, dense(outputs, { ...variances, role: depth === 1 ? "only" : "output" }));
}
