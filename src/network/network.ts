/**
 * @file A network is a graph of ops (ops/op.ts) with the shapes of its values worked out: what `serial` returns.
 */
import { demandWhole, InputError } from "../error.ts";
import { activation as activationOp, type Activation } from "../ops/activation.ts";
import { activationNamed } from "../ops/activations/index.ts";
import { dense, type DenseOptions } from "../ops/dense.ts";
import type { Op, Shape, WeightShape } from "../ops/op.ts";
import { RELU } from "../ops/relu.ts";

/** An op at its place: value k + 1 of the network is what node k makes. */
export type Node = {
  readonly op: Op;
  /** Values that go in, made by nodes before it; value 0 is the network's input. */
  readonly inputs: readonly number[];
  /** Which of the network's weights it has, where it has some. */
  readonly weights?: number;
};

/** A graph of ops from `inputs` features to `outputs` values. */
export type Network = {
  /** M_0, features of a sample. */
  readonly inputs: number;
  /** C, outputs. */
  readonly outputs: number;
  /** In an order in which they can be computed. */
  readonly nodes: readonly Node[];
  /** Shapes of all values, for one sample. */
  readonly shapes: readonly Shape[];
  /** The value that is f. */
  readonly output: number;
  /** Sizes of the weights of the nodes that have some, first to last; their number is L. */
  readonly weights: readonly WeightShape[];
};

/**
 * Chains ops; the last one must have weights (the outputs are linear in them).
 * @throws InputError when there is none or the last has no weights, or the inputs are no whole number above 0; RangeError for an op
 * that does not take what the one before it makes.
 * @example
 * import { dense, relu, serial } from "natgrad";
 *
 * const network = serial(8, dense(64), relu(), dense(32), relu(), dense(2));
 * console.log(network.inputs, network.outputs); // 8 2
 */
export function serial(inputs: number, ...ops: readonly Op[]): Network {
  if (!ops.at(-1)?.weights) {
    throw new InputError(
      "serial: wanted a layer with weights at the end, got " + (ops.at(-1)?.name ?? "none"),
    );
  }
  demandWhole("inputs", inputs);
  const weights: WeightShape[] = [];
  const shapes: Shape[] = [[inputs]];
  const nodes = ops.map((op, k): Node => {
    const given = [shapes[k]!];
    shapes.push(op.shape(given));
    if (!op.weights) return { op, inputs: [k] };
    weights.push(op.weights(given));
    return { op, inputs: [k], weights: weights.length - 1 };
  });
  return { inputs, outputs: shapes.at(-1)![0]!, nodes, shapes, output: nodes.length, weights };
}

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
  const { depth = 3, width = 4096, outputs = 1, activation = RELU, ...variances } = options;
  const phi = typeof activation === "string" ? activationNamed(activation) : activation;
  demandWhole("outputs", outputs);
  demandWhole("depth", depth);
  const hidden = Array.from({ length: depth - 1 }, (_, l) => [
    dense(width, { ...variances, role: l === 0 ? "input" : "hidden" }),
    activationOp(phi),
  ]).flat();
  return serial(inputs, ...hidden, dense(outputs, { ...variances, role: depth === 1 ? "only" : "output" }));
}
