/**
 * @file What an op of a network is: one map of values, in all that natgrad asks of it.
 *
 * - **shape**: of its value, from those of its inputs, and the shape of its parameters where it has some;
 * - **forward**: its value on N samples, as nodes of an ONNX graph;
 * - **backward**: from the cotangent of its value df_c(x_n)/d(value) those of its inputs;
 * - **jacobian**: from the same cotangent what a row of the Jacobian by its parameters is made of;
 * - **infinite**: the rule by which forward and backward act on covariances where the network is infinitely wide (tile.ts).
 *
 * A shape is that of one sample, channels (features) last: values are [N, ...shape], and cotangents [C, N, ...shape] with the
 * outputs in front, so that values broadcast against them and no op knows C. With one output that axis is left out.
 * Letters: T positions of a sample (pixels, tokens), I and O inputs and outputs of a parameter matrix, R rank of its low-rank part.
 */
import { agree } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { gemm } from "../engine/ops.ts";
import type { LayerScales } from "./parameterization.ts";
import type { InfiniteRule } from "./tile.ts";

/** The shape of one sample's value. */
export type Shape = readonly number[];

/** The parameters of an op, which one block of the Fisher matrix covers: a matrix theta [O, I] = [fanOut, columns]. */
export type BlockShape = {
  /** Its number in the builder that made the network. */
  readonly id?: number;
  readonly fanIn: number;
  /** I: fanIn, and one more where there are biases (the last column). */
  readonly columns: number;
  /** O. */
  readonly fanOut: number;
  readonly scales: LayerScales;
  /** T: at how many positions of a sample the matrix acts. Default: 1. */
  readonly positions?: number;
  /**
   * Of "outer" blocks (the default) row (n, c) of the Jacobian is the sum over positions of D[n, c, t] (x) H[n, t]; of "rows" blocks
   * nothing is known but the row itself (gains and shifts).
   */
  readonly form?: "outer" | "rows";
  /** Where it starts, one number per column, if it is not drawn at random: a gain at 1 and a shift at 0. */
  readonly start?: readonly number[];
};

/**
 * Parameters in a graph, base + right^T left: `base` [fanOut, columns], `left` [R, columns], `right` [R, fanOut]; without `factors`
 * base alone. Every update of a dense layer is a sum of outer products of inputs and signals, so steps append rows instead of
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
    /** A cotangent of a value of this shape with outputs and samples in one axis, [C N, ...shape]. */
    flat(ct: Value, shape: Shape): Value;
    /** The same as a matrix with a row per output and sample, [C N, size]. */
    matrix(ct: Value, shape: Shape): Value;
    /** The cotangent [C, N, ...shape] that such a matrix, or such a flat value, holds. */
    cotangent(rows: Value, shape: Shape): Value;
  };

/** What the rows of the Jacobian by the parameters of one op are made of. */
export type BlockJacobian =
  | {
      readonly kind: "outer";
      /** [N, I], or [N, T, I] where the block has several positions. */
      readonly H: Value;
      /** [C, N, O], or [C, N, T, O]. */
      readonly D: Value;
    }
  | {
      readonly kind: "rows";
      /** [C, N, O, I]. */
      readonly J: Value;
    };

/** An op with its attributes. */
export type Op = {
  readonly name: string;
  /** @throws RangeError for inputs that it does not take. */
  shape(inputs: readonly Shape[]): Shape;
  /** Ops with parameters: their shape. */
  block?(inputs: readonly Shape[]): BlockShape;
  forward(g: Graph, given: Given): Passed;
  /** One cotangent per input. */
  backward(g: Graph, at: Point, ct: Value): readonly Value[];
  /** Ops with parameters. */
  jacobian?(g: Graph, at: Point, ct: Value): BlockJacobian;
  /** Left out where natgrad knows no rule for the op. */
  infinite?(inputs: readonly Shape[]): InfiniteRule;
  /** Elementwise ops: the slope at a value of the input, for units drawn from the infinite network. */
  slope?(u: number): number;
  /** Elementwise ops: the share of samples on which the slope is not 0 where u is a centred Gaussian. Default: 1. */
  readonly activeShare?: number;
};

/** Scales of parameters that are used as they are. */
export const PLAIN_SCALES: LayerScales = { weight: 1, bias: 1, weightStd: 1, biasStd: 1 };

/** H theta^T of a matrix H [rows, I]: [rows, O]. */
export function timesWeights(g: Graph, H: Value, { base, factors }: WeightValues): Value {
  const wide = gemm(g, H, base, { transB: true });
  if (!factors) return wide;
  return gemm(g, gemm(g, H, factors.left, { transB: true }), factors.right, { plus: wide });
}

/** delta theta of a matrix delta [rows, O]: [rows, I]. */
export function timesWeightsBack(g: Graph, delta: Value, { base, factors }: WeightValues): Value {
  const plain = gemm(g, delta, base);
  if (!factors) return plain;
  return gemm(g, gemm(g, delta, factors.right, { transB: true }), factors.left, { plus: plain });
}

/** T of a block. */
export const positionsOf = ({ positions = 1 }: Pick<BlockShape, "positions">): number => positions;

/** Whether the Jacobian of a block is kept as one outer product per row: H [N, I] and Delta [N C, O]. */
export const isOuter = ({ form = "outer", positions = 1 }: Pick<BlockShape, "form" | "positions">): boolean =>
  form === "outer" && positions === 1;

/**
 * How the Jacobian of a block is kept: "outer", H [N, I] and D [N C, O]; "rows", written out as [N C, O I]; or "pairs", H [N, T I] and
 * D [N C, T O], whose Gram is a sum over pairs of positions.
 */
export type KeptForm = "outer" | "rows" | "pairs";

/** Samples that a row is written out for and then multiplied with: what writing it out is spread over. */
const USUAL_SAMPLES = 32;
/** Numbers per sample of rows that count as many. */
const MANY = 2 ** 22;

/**
 * The form that takes fewer operations on the way to the Gram of so many outputs: for a pair of samples 2 C^2 I O of rows, beside the
 * 2 C T I O that write out a row, or 2 T^2 (I + C^2 O) of pairs. Rows that take too much memory give way to pairs as well.
 */
export function keptForm(shape: BlockShape, outputs: number): KeptForm {
  if (isOuter(shape)) return "outer";
  if (shape.form === "rows") return "rows";
  const { rows, pairs } = formCosts(shape, outputs);
  const isTooLarge = rows.numbers > MANY && pairs.numbers < rows.numbers / 4;
  return pairs.operations < rows.operations || isTooLarge ? "pairs" : "rows";
}

/** What a form takes: operations per pair of samples, and numbers per sample that are kept. */
export type FormCost = { readonly operations: number; readonly numbers: number };

/** What rows and pairs take of a block that acts at several positions. */
export function formCosts(
  { columns: I, fanOut: O, positions: T = 1 }: Pick<BlockShape, "columns" | "fanOut" | "positions">,
  C: number,
): { readonly rows: FormCost; readonly pairs: FormCost } {
  return {
    rows: {
      operations: 2 * C ** 2 * I * O + (2 * C * T * I * O) / USUAL_SAMPLES,
      numbers: C * I * O,
    },
    pairs: { operations: 2 * T ** 2 * (I + C ** 2 * O), numbers: T * (I + C * O) },
  };
}

/** Positions of a block that are kept apart. */
export const keptPositions = (shape: BlockShape, outputs: number): number =>
  keptForm(shape, outputs) === "pairs" ? positionsOf(shape) : 1;

/** Numbers per sample that are kept of a block for its Jacobian: of H, and of Delta for each output. */
export function keptSizes(
  shape: BlockShape,
  outputs: number,
): { readonly inputs: number; readonly signals: number } {
  const { columns: I, fanOut: O } = shape;
  switch (keptForm(shape, outputs)) {
    case "outer":
      return { inputs: I, signals: O };
    case "rows":
      return { inputs: 1, signals: O * I };
    case "pairs":
      return { inputs: positionsOf(shape) * I, signals: positionsOf(shape) * O };
  }
}

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
