/**
 * @file A network is a chain of layers with the widths worked out: what `serial` returns.
 */
import { demandWhole, InputError } from "../error.ts";
import { activation as activationLayer, type Activation } from "./activation.ts";
import { dense, type DenseOptions } from "./dense.ts";
import type { Layer, WeightShape } from "./layer.ts";
import { RELU } from "./relu.ts";

/** A chain of layers from `inputs` features to `outputs` values. */
export type Network = {
  /** M_0, features of a sample. */
  readonly inputs: number;
  /** C, outputs. */
  readonly outputs: number;
  readonly layers: readonly Layer[];
  /** Sizes of the weight layers, first to last; their number is L. */
  readonly weights: readonly WeightShape[];
};

/**
 * Chains layers; the last one must be a weight layer (the outputs are linear in its weights).
 * @throws InputError when there is no layer or the last has no weights, or the inputs are no whole number above 0.
 * @example
 * import { dense, relu, serial } from "natgrad";
 *
 * const network = serial(8, dense(64), relu(), dense(32), relu(), dense(2));
 * console.log(network.inputs, network.outputs); // 8 2
 */
export function serial(inputs: number, ...layers: readonly Layer[]): Network {
  if (!layers.at(-1)?.weights) {
    throw new InputError("serial: wanted a weight layer at the end, got " + (layers.at(-1)?.name ?? "none"));
  }
  demandWhole("inputs", inputs);
  const weights: WeightShape[] = [];
  let width = inputs;
  for (const layer of layers) {
    const shape = layer.weights?.(width);
    if (shape) weights.push(shape);
    width = layer.widthOut(width);
  }
  return { inputs, outputs: width, layers, weights };
}

/** Options of {@link mlp}. */
export type MlpOptions = Omit<DenseOptions, "role"> & {
  /** L, weight layers. */
  depth?: number;
  /** M, width of every hidden layer. */
  width?: number;
  /** C, outputs. */
  outputs?: number;
  /** phi, between the layers. Default: ReLU. */
  activation?: Activation;
};

/**
 * A network of `depth` dense layers with an activation (ReLU) between them, all hidden widths equal (paper, section 2.1).
 * @example
 * import { mlp } from "natgrad";
 *
 * const network = mlp(784, { depth: 3, width: 1024, outputs: 10 }); // 784 - 1024 - 1024 - 10
 * console.log(network.outputs); // 10
 */
export function mlp(inputs: number, options: MlpOptions = {}): Network {
  const { depth = 3, width = 4096, outputs = 1, activation = RELU, ...variances } = options;
  demandWhole("outputs", outputs);
  demandWhole("depth", depth);
  const hidden = Array.from({ length: depth - 1 }, (_, l) => [
    dense(width, { ...variances, role: l === 0 ? "input" : "hidden" }),
    activationLayer(activation),
  ]).flat();
  return serial(inputs, ...hidden, dense(outputs, { ...variances, role: depth === 1 ? "only" : "output" }));
}
