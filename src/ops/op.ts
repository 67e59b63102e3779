/**
 * @file What an op of a network is: one map of values, in all that natgrad asks of it.
 *
 * - **shape**: of its value, from those of its inputs, and the size of its parameter where it has one;
 * - **forward**: its value on N samples, as nodes of an ONNX graph;
 * - **backward**: from the cotangent of its value df_c(x_n)/d(value) those of its inputs;
 * - **jacobian**: from the same cotangent what a row of the Jacobian by its parameter is made of;
 * - **infinite**: the rule by which forward and backward act on covariances where the network is infinitely wide (tile.ts).
 *
 * A shape is that of one sample: values are [N, ...shape], and cotangents [C, N, ...shape] with the outputs in front, so that values
 * broadcast against them and no op knows C. Letters: R rank of the low-rank part of a parameter, I and O its inputs and outputs.
 */
import { agree } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import type { LayerScales } from "./parameterization.ts";
import type { InfiniteRule } from "./tile.ts";

/** The shape of one sample's value. */
export type Shape = readonly number[];

/** Size of a parameter: theta [fanOut, columns], columns = fanIn, plus one for the bias (the last column). */
export type WeightShape = {
  readonly fanIn: number;
  readonly columns: number;
  readonly fanOut: number;
  readonly scales: LayerScales;
};

/**
 * A parameter in a graph, base + right^T left: `base` [fanOut, columns], `left` [R, columns], `right` [R, fanOut]; without `factors`
 * base alone. Every update of theta is a sum of outer products of inputs and signals, so steps append rows instead of
 * rewriting theta.
 */
export type WeightValues = {
  readonly base: Value;
  readonly factors?: { readonly left: Value; readonly right: Value };
};

/** What goes into an op. */
export type Given = {
  readonly inputs: readonly Value[];
  readonly shapes: readonly Shape[];
  readonly weights?: WeightValues;
};

/** What comes out of its forward pass. */
export type Passed = {
  readonly output: Value;
  /** A value that the way back needs once more. */
  readonly kept?: Value;
};

/** An op in a graph, on its way back. */
export type Point = Given &
  Passed & {
    /** Cuts a value of all samples to those that are linearised. */
    first(value: Value): Value;
    /** A cotangent of a value of this shape as a matrix with a row per output and sample, [C N, size]. */
    matrix(ct: Value, shape: Shape): Value;
    /** The cotangent [C, N, ...shape] that such a matrix holds. */
    cotangent(matrix: Value, shape: Shape): Value;
  };

/** What the rows of the Jacobian by a parameter are made of: row (c, n) is the outer product of D[c, n] and H[n]. */
export type BlockJacobian = {
  readonly kind: "outer";
  /** [N, I]. */
  readonly H: Value;
  /** [C, N, O]. */
  readonly D: Value;
};

/** An op with its attributes. */
export type Op = {
  readonly name: string;
  /** @throws RangeError for inputs that it does not take. */
  shape(inputs: readonly Shape[]): Shape;
  /** Ops with a parameter: its size. */
  weights?(inputs: readonly Shape[]): WeightShape;
  forward(g: Graph, given: Given): Passed;
  /** One per input. */
  backward(g: Graph, at: Point, ct: Value): readonly Value[];
  /** Ops with a parameter. */
  jacobian?(g: Graph, at: Point, ct: Value): BlockJacobian;
  infinite(inputs: readonly Shape[]): InfiniteRule;
  /** Elementwise ops: the slope at a value of the input, for units drawn from the infinite network. */
  slope?(u: number): number;
  /** Elementwise ops: the share of samples on which the slope is not 0 where u is a centred Gaussian. Default: 1. */
  readonly activeShare?: number;
};

/**
 * The one input of an op that has one.
 * @throws RangeError where it has none or more.
 */
export function only<T>(what: string, inputs: readonly T[]): T {
  agree(what, "1 input", `${inputs.length} inputs`.replace(/^1 inputs$/, "1 input"));
  return inputs[0]!;
}

/** Numbers of a value of one sample. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);
