/**
 * @file Elementwise nodes of a model as ops. Functions that natgrad has no op for are composed of those that it has.
 */
import { count, type Tensor } from "../../onnx/model.ts";
import type { NormalNode, ParameterUse } from "../../onnx/normal/graph.ts";
import { activation } from "../../ops/activation.ts";
import { activationNamed, leakyRelu } from "../../ops/activations/index.ts";
import { add, div, mul, sub } from "../../ops/arithmetic.ts";
import { abs, clip, exp, log, neg, pow, reciprocal, sqrt } from "../../ops/elementwise.ts";
import type { Op } from "../../ops/op.ts";
import { gain, shift } from "../../ops/parameter.ts";
import { relu } from "../../ops/relu.ts";
import { storedIndex, type Source } from "./blocks.ts";
import { elementwise, together, type Conversion, type Convert } from "./conversion.ts";
import { ordered, type Order } from "./layouts.ts";

const numberOf = ({ attributes }: NormalNode, name: string): number => attributes[name] as number;

/** Nodes that are one op. */
const OPS: Readonly<Record<string, (node: NormalNode) => Op>> = {
  Abs: () => abs(),
  Clip: (node) => clip({ least: numberOf(node, "min"), most: numberOf(node, "max") }),
  Cos: () => activation(activationNamed("cos")),
  Erf: () => activation(activationNamed("erf")),
  Exp: () => exp(),
  Gelu: ({ attributes }) =>
    activation(activationNamed(attributes.approximate === "tanh" ? "gelu_tanh" : "gelu")),
  LeakyRelu: (node) => activation(leakyRelu(numberOf(node, "alpha"))),
  Log: () => log(),
  Neg: () => neg(),
  Pow: (node) => pow(numberOf(node, "exponent")),
  Reciprocal: () => reciprocal(),
  Relu: () => relu(),
  Sigmoid: () => activation(activationNamed("sigmoid")),
  Sin: () => activation(activationNamed("sin")),
  Softplus: () => activation(activationNamed("softplus")),
  Sqrt: () => sqrt(),
  Tanh: () => activation(activationNamed("tanh")),
};

const times = (factor: number): Op => mul({ shape: [], data: [factor] });
const plus = (term: number): Op => add({ shape: [], data: [term] });

/** Nodes of one input that are a few ops of it. */
const COMPOSED: Readonly<Record<string, (c: Conversion, x: number, node: NormalNode) => number>> = {
  Celu: (c, x, node) => exponentialTail(c, x, numberOf(node, "alpha"), numberOf(node, "alpha")),
  Elu: (c, x, node) => exponentialTail(c, x, numberOf(node, "alpha"), 1),
  HardSigmoid: (c, x, node) => hardSigmoid(c, x, numberOf(node, "alpha"), numberOf(node, "beta")),
  HardSwish: (c, x) => c.b.apply(mul(), [x, hardSigmoid(c, x, 1 / 6, 0.5)]),
  Mish: (c, x) => {
    const soft = chain(c, x, activation(activationNamed("softplus")), activation(activationNamed("tanh")));
    return c.b.apply(mul(), [x, soft]);
  },
  Selu: (c, x, node) =>
    chain(c, exponentialTail(c, x, numberOf(node, "alpha"), 1), times(numberOf(node, "gamma"))),
  Softsign: (c, x) => c.b.apply(div(), [x, chain(c, x, abs(), plus(1))]),
  Swish: (c, x, node) => {
    const alpha = numberOf(node, "alpha");
    if (alpha === 1) return chain(c, x, activation(activationNamed("silu")));
    return c.b.apply(mul(), [x, chain(c, x, times(alpha), activation(activationNamed("sigmoid")))]);
  },
};

const chain = (c: Conversion, x: number, ...ops: readonly Op[]): number =>
  ops.reduce((value, op) => c.b.apply(op, [value]), x);

/** x above 0, and factor (exp(x / scale) - 1) below. */
function exponentialTail(c: Conversion, x: number, factor: number, scale: number): number {
  const below = chain(c, x, clip({ most: 0 }), times(1 / scale), exp(), plus(-1), times(factor));
  return c.b.apply(add(), [chain(c, x, relu()), below]);
}

const hardSigmoid = (c: Conversion, x: number, slope: number, offset: number): number =>
  chain(c, x, times(slope), plus(offset), clip({ least: 0, most: 1 }));

/** Add and Mul: of two values, of a value and a constant, or of a value and a parameter. */
const binary =
  (op: (constant?: { shape: readonly number[]; data: Tensor["data"] }) => Op, own: typeof gain): Convert =>
  (c, { inputs, parameters, constants, shape }) => {
    if (inputs.length === 2) return together(c, inputs, op());
    const [id] = inputs as [number];
    // A constant or parameter with more axes has the channels elsewhere.
    const isWhole = c.values.shape(id).length === shape.length;
    const order = isWhole ? c.values.order(id) : "first";
    const value = c.values.get(id, order);
    if (constants[0]) return [c.b.apply(op(turned(constants[0], shape.length, order)), [value]), order];
    return [withParameter(c, value, parameters[0]!, shape.length, order, own), order];
  };

/** Sizes with all axes of a sample. */
const whole = (dims: readonly number[], rank: number): readonly number[] => [
  ...Array.from({ length: rank - dims.length }, () => 1),
  ...dims,
];

/** A constant in an order. */
function turned({ dims, data }: Tensor, rank: number, order: Order) {
  const sizes = whole(dims, rank);
  const shape = ordered(sizes, order);
  if (order === "first" || rank < 2) return { shape: dims, data };
  const P = count(sizes.slice(1));
  return { shape, data: data.map((_, k) => data[(k % sizes[0]!) * P + Math.floor(k / sizes[0]!)]!) };
}

/** A gain or shift P whose numbers are a parameter. */
export function withParameter(
  c: Conversion,
  value: number,
  use: ParameterUse,
  rank: number,
  order: Order,
  op: typeof gain,
): number {
  const sizes = whole(use.dims, rank);
  const shape = ordered(sizes, order);
  const [O, P] = [shape.at(-1) ?? 1, count(sizes.slice(1))];
  const at = storedIndex(use, c.graph);
  // theta [O, I] is P [I, O] transposed; channels last, P [positions, channels] is the use [channels, positions] transposed.
  const source: Source = (o, i) => [use.parameter, at(order === "first" || rank < 2 ? i * O + o : o * P + i)];
  return c.block(op(shape), value, [use], `plain ${O}`, source);
}

/** Elementwise nodes. */
export const ELEMENTWISE: Readonly<Record<string, Convert>> = {
  ...Object.fromEntries(
    Object.entries(OPS).map(([name, op]): [string, Convert] => [
      name,
      (c, node) => elementwise(c, node.inputs[0]!, op(node)),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(COMPOSED).map(([name, make]): [string, Convert] => [
      name,
      (c, node) => {
        const order = c.values.order(node.inputs[0]!);
        return [make(c, c.values.get(node.inputs[0]!, order), node), order];
      },
    ]),
  ),
  Add: binary(add, shift),
  Mul: binary(mul, gain),
  Sub: (c, { inputs }) => together(c, inputs, sub()),
  Div: (c, { inputs }) => together(c, inputs, div()),
  Max: (c, { inputs }) => larger(c, inputs, 1),
  Min: (c, { inputs }) => larger(c, inputs, -1),
  PRelu(c, { inputs, parameters, shape }) {
    const [id] = inputs as [number];
    const order = c.values.order(id);
    const x = c.values.get(id, order);
    const below = withParameter(c, chain(c, x, clip({ most: 0 })), parameters[0]!, shape.length, order, gain);
    return [c.b.apply(add(), [chain(c, x, relu()), below]), order];
  },
};

/** a + relu(b - a), and its mirror. */
function larger(c: Conversion, ids: readonly number[], sign: 1 | -1): readonly [number, Order] {
  const [d, order] = together(c, sign === 1 ? ids.toReversed() : ids, sub());
  const a = c.values.get(ids[0]!, order);
  return [c.b.apply(sign === 1 ? add() : sub(), [a, chain(c, d, relu())]), order];
}
