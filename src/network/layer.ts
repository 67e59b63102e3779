/**
 * @file What a layer of a network is: three forms of one map.
 *
 * - **forward**: its values on N samples, as nodes of an ONNX graph;
 * - **backward**: given the signals df_c(x_n)/d(output) of every sample and output, the signals of its input;
 * - **infinite**: the rule by which both steps act on covariances where the layer is infinitely wide (tile.ts).
 *
 * Shapes: N samples, C outputs of the network, L weight layers, M_l width of layer l, R rank of the low-rank update.
 */
import type { Graph, Value } from "../graph/graph.ts";
import type { LayerScales } from "./parameterization.ts";
import type { InfiniteRule } from "./tile.ts";

/** Size of the weights of a layer: theta [fanOut, columns], columns = fanIn, plus one for the bias (the last column). */
export type WeightShape = {
  readonly fanIn: number;
  readonly columns: number;
  readonly fanOut: number;
  readonly scales: LayerScales;
};

/**
 * Weights in a graph, base + right^T left: `base` [fanOut, columns], `left` [R, columns], `right` [R, fanOut]; without `factors`
 * base alone. Every update of theta is a sum of outer products of inputs and signals, so steps append rows instead of
 * rewriting theta.
 */
export type WeightValues = {
  readonly base: Value;
  readonly factors?: { readonly left: Value; readonly right: Value };
};

/** The forward pass on a graph, and the way back. */
export type Forward = {
  /** Values of the layer [N, M]. */
  readonly output: Value;
  /** Weight layers only: the inputs H [N, columns] such that output = H theta^T. */
  readonly inputs?: Value;
  /**
   * Signals of the layer's input from the signals of its output, both with rows (n, c), n outermost.
   * `first` cuts values of all N samples to those that are linearised.
   */
  backward(delta: Value, first: (value: Value) => Value): Value;
};

/** A layer: a map from [N, width in] to [N, width out]. */
export type Layer = {
  readonly name: string;
  /** Width of the output for a given width of the input. */
  widthOut(widthIn: number): number;
  /** Weight layers only: the size of theta. */
  weights?(widthIn: number): WeightShape;
  forward(g: Graph, input: Value, widthIn: number, outputs: number, weights?: WeightValues): Forward;
  infinite(widthIn: number): InfiniteRule;
  /** Elementwise layers only: the slope at a value of the input, for units drawn from the infinite network. */
  slope?(u: number): number;
};
