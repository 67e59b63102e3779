/**
 * @file How each op of the normal form is written with ONNX's own. Axes count from one more than in a sample: axis 0 is the batch.
 */
import { count, type Attribute } from "../model.ts";
import type { NormalAttributes, NormalNode, ParameterUse } from "./graph.ts";

/** The model under construction, as the writer of a node sees it. */
export type Writing = {
  readonly type: "float32" | "float64";
  node(op: string, inputs: readonly string[], attributes?: Record<string, Attribute>): string;
  floats(data: ArrayLike<number>, dims?: readonly number[]): string;
  integers(...values: number[]): string;
};

/** A node with the names and shapes of what goes in. */
export type At = {
  readonly inputs: readonly string[];
  readonly shapes: readonly (readonly number[])[];
  /** Its parameters in the shapes in which it uses them; undefined where it has none in a role. */
  parameter(role: ParameterUse["role"]): string | undefined;
  readonly constants: readonly string[];
  /** Whether an input is the same for all samples. */
  readonly shared: readonly boolean[];
  readonly batch: string;
};

export type Write = (w: Writing, node: NormalNode, at: At) => string;

/** Ops that are ONNX's own, with the same attributes. */
const PLAIN = (
  "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Cos Cosh Elu Erf Exp Floor HardSigmoid HardSwish LeakyRelu Log Mish Neg Reciprocal " +
  "Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh ThresholdedRelu Gelu LRN GlobalAveragePool GlobalMaxPool"
).split(" ");

/** Attributes that ONNX has as integers. */
const INTEGERS = ["size"];

const attributesOf = (attributes: NormalAttributes): Record<string, Attribute> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]): [string, Attribute] => {
      if (typeof value === "string") return [name, { string: value }];
      if (typeof value === "number")
        return [name, INTEGERS.includes(name) ? { int: value } : { float: value }];
      return [name, { ints: value }];
    }),
  );

const plain: Write = (w, { op, attributes }, { inputs }) => w.node(op, inputs, attributesOf(attributes));

const numberOf = ({ attributes }: NormalNode, name: string): number => attributes[name] as number;
const listOf = ({ attributes }: NormalNode, name: string): readonly number[] => attributes[name] as number[];

/** An input with as many axes as the others have. */
const wide = (w: Writing, at: At, i: number, rank: number): string => {
  const shape = at.shapes[i]!;
  if (shape.length >= rank) return at.inputs[i]!;
  return w.node("Reshape", [
    at.inputs[i]!,
    w.integers(0, ...Array.from({ length: rank - shape.length }, () => 1), ...shape),
  ]);
};

/** An op of two operands: values, parameters or constants. */
const elementwise: Write = (w, node, at) => {
  const rank = Math.max(...at.shapes.map(({ length }) => length), node.shape.length);
  const values = at.inputs.map((_, i) => wide(w, at, i, rank));
  const parameter = node.parameters[0] && at.parameter(node.parameters[0].role);
  return w.node(node.op, [...values, ...(parameter ? [parameter] : at.constants)]);
};

const reduce: Write = (w, node, at) =>
  w.node(node.op, [at.inputs[0]!, w.integers(...listOf(node, "axes").map((axis) => axis + 1))], {
    keepdims: { int: 1 },
  });

const softmax: Write = (w, node, at) =>
  w.node(node.op, at.inputs, { axis: { int: numberOf(node, "axis") + 1 } });

const pool: Write = (w, node, at) =>
  w.node(node.op, at.inputs, {
    kernel_shape: { ints: listOf(node, "kernel") },
    strides: { ints: listOf(node, "strides") },
    pads: { ints: listOf(node, "pads") },
    ...(listOf(node, "dilations").some((n) => n > 1)
      ? { dilations: { ints: listOf(node, "dilations") } }
      : {}),
    ...(node.op === "AveragePool"
      ? {
          count_include_pad: { int: numberOf(node, "count_include_pad") },
          ceil_mode: { int: numberOf(node, "ceil_mode") },
        }
      : {}),
  });

/** A value that is the same for all samples, with 1 in place of the batch. */
const single = (w: Writing, name: string, shape: readonly number[]): string =>
  w.node("Reshape", [name, w.integers(1, ...shape)]);

const ones = (w: Writing, dims: readonly number[], value: number): string =>
  w.floats(new Float32Array(count(dims)).fill(value), dims);

const OTHERS: Readonly<Record<string, Write>> = {
  Add: elementwise,
  Sub: elementwise,
  Mul: elementwise,
  Div: elementwise,
  Greater: elementwise,
  GreaterOrEqual: elementwise,
  Less: elementwise,
  LessOrEqual: elementwise,
  Where: elementwise,
  Max: elementwise,
  Min: elementwise,
  PRelu: elementwise,
  Pow: (w, node, at) => w.node("Pow", [...at.inputs, w.floats([numberOf(node, "exponent")])]),
  Clip: (w, node, at) =>
    w.node("Clip", [...at.inputs, w.floats([numberOf(node, "min")]), w.floats([numberOf(node, "max")])]),
  Swish: (w, node, at) => {
    const scaled = w.node("Mul", [...at.inputs, w.floats([numberOf(node, "alpha")])]);
    return w.node("Mul", [...at.inputs, w.node("Sigmoid", [scaled])]);
  },
  Parameter: (w, node, at) => single(w, at.parameter("value")!, node.shape),
  Constant: (w, node, at) => single(w, at.constants[0]!, node.shape),
  Reshape: (w, node, at) => w.node("Reshape", [...at.inputs, w.integers(0, ...node.shape)]),
  Transpose: (w, node, at) =>
    w.node("Transpose", at.inputs, { perm: { ints: [0, ...listOf(node, "perm").map((axis) => axis + 1)] } }),
  Expand: (w, node, at) => {
    const input = wide(w, at, 0, node.shape.length);
    return w.node("Expand", [input, w.integers(1, ...node.shape)]);
  },
  Tile: (w, node, at) => w.node("Tile", [...at.inputs, w.integers(1, ...listOf(node, "repeats"))]),
  Slice(w, node, at) {
    const steps = listOf(node, "steps");
    // -1 as an end is the last index, so that what runs back to the first one ends far before it.
    const ends = listOf(node, "ends").map((end) => (end < 0 ? -(2 ** 31) : end));
    const axes = listOf(node, "axes").map((axis) => axis + 1);
    const all = [listOf(node, "starts"), ends, axes, steps].map((values) => w.integers(...values));
    return w.node("Slice", [...at.inputs, ...all]);
  },
  Concat(w, node, at) {
    const some = at.shared.some((shared) => !shared);
    const values = at.inputs.map((name, i) => {
      if (!at.shared[i] || !some) return name;
      const batch = w.node("Shape", [at.batch], { start: { int: 0 }, end: { int: 1 } });
      const shape = w.node("Concat", [batch, w.integers(...at.shapes[i]!)], { axis: { int: 0 } });
      return w.node("Expand", [name, shape]);
    });
    return w.node("Concat", values, { axis: { int: numberOf(node, "axis") + 1 } });
  },
  Gather: (w, node, at) =>
    w.node("Gather", [...at.inputs, w.integers(...listOf(node, "indices"))], {
      axis: { int: numberOf(node, "axis") + 1 },
    }),
  Embedding: (w, _, at) => w.node("Gather", [at.parameter("table")!, at.inputs[0]!]),
  Pad(w, node, at) {
    const pads = listOf(node, "pads");
    const half = pads.length / 2;
    const all = w.integers(0, ...pads.slice(0, half), 0, ...pads.slice(half));
    const value = w.floats([numberOf(node, "value")]);
    return w.node("Pad", [...at.inputs, all, value], { mode: { string: node.attributes.mode as string } });
  },
  Dense(w, _, at) {
    const kernel = w.node("Transpose", [at.parameter("kernel")!], { perm: { ints: [1, 0] } });
    const product = w.node("MatMul", [...at.inputs, kernel]);
    const bias = at.parameter("bias");
    return bias === undefined ? product : w.node("Add", [product, bias]);
  },
  MatMul(w, _, at) {
    const rank = Math.max(...at.shapes.map(({ length }) => length));
    return w.node("MatMul", [wide(w, at, 0, rank), wide(w, at, 1, rank)]);
  },
  Conv(w, node, at) {
    const bias = at.parameter("bias");
    return w.node("Conv", [...at.inputs, at.parameter("kernel")!, ...(bias === undefined ? [] : [bias])], {
      strides: { ints: listOf(node, "strides") },
      dilations: { ints: listOf(node, "dilations") },
      pads: { ints: listOf(node, "pads") },
      group: { int: numberOf(node, "group") },
    });
  },
  MaxPool: pool,
  AveragePool: pool,
  Softmax: softmax,
  LogSoftmax: softmax,
  BatchNormalization(w, node, at) {
    const channels = [node.shape[0]!];
    const gain = at.parameter("gain") ?? ones(w, channels, 1);
    const shift = at.parameter("shift") ?? ones(w, channels, 0);
    return w.node(node.op, [...at.inputs, gain, shift, ...at.constants], {
      epsilon: { float: numberOf(node, "epsilon") },
    });
  },
  LayerNormalization(w, node, at) {
    const axis = numberOf(node, "axis");
    const gain = at.parameter("gain") ?? ones(w, node.shape.slice(axis), 1);
    const shift = at.parameter("shift");
    return w.node(node.op, [...at.inputs, gain, ...(shift === undefined ? [] : [shift])], {
      axis: { int: axis + 1 },
      epsilon: { float: numberOf(node, "epsilon") },
    });
  },
  RMSNormalization(w, node, at) {
    const [x] = at.inputs as [string];
    const axes = node.shape.flatMap((_, axis) => (axis >= numberOf(node, "axis") ? [axis + 1] : []));
    const mean = w.node("ReduceMean", [w.node("Mul", [x, x]), w.integers(...axes)], { keepdims: { int: 1 } });
    const root = w.node("Sqrt", [w.node("Add", [mean, w.floats([numberOf(node, "epsilon")])])]);
    const value = w.node("Div", [x, root]);
    const gain = at.parameter("gain");
    return gain === undefined ? value : w.node("Mul", [value, gain]);
  },
  GroupNormalization(w, node, at) {
    const channels = [node.shape[0]!];
    const gain = at.parameter("gain") ?? ones(w, channels, 1);
    const shift = at.parameter("shift") ?? ones(w, channels, 0);
    return w.node(node.op, [...at.inputs, gain, shift], {
      epsilon: { float: numberOf(node, "epsilon") },
      num_groups: { int: numberOf(node, "groups") },
    });
  },
  ...Object.fromEntries(
    "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare"
      .split(" ")
      .map((op) => [op, reduce]),
  ),
};

/** How the ops of the normal form are written. */
export const WRITERS: Readonly<Record<string, Write>> = {
  ...Object.fromEntries(PLAIN.map((op) => [op, plain])),
  ...OTHERS,
};
