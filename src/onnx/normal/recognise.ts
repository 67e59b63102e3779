/**
 * @file Puts together what exporters take apart: Gelu (both forms), Swish, Mish, Softplus, layer and RMS normalisation, softmax. A group of nodes that
 * depends on one value, elementwise and by reductions over its last axes, is a function of a vector; it is evaluated and compared with the
 * functions of functions.ts. So it does not matter in which of many ways a function is written.
 */
import { count } from "../model.ts";
import { makerOf, pruned } from "./edit.ts";
import {
  elementwiseOp,
  erf,
  sigmoid,
  softplus,
  vectorOp,
  type Recognised,
  type VectorFunction,
} from "./functions.ts";
import type { NormalGraph, NormalNode } from "./graph.ts";

type Scalar = (x: number, node: NormalNode) => number;

const UNARY: Readonly<Record<string, Scalar>> = {
  Abs: Math.abs,
  Clip: (x, node) => Math.min(Math.max(x, node.attributes.min as number), node.attributes.max as number),
  Erf: erf,
  Exp: Math.exp,
  HardSigmoid: (x, node) =>
    Math.min(Math.max((node.attributes.alpha as number) * x + (node.attributes.beta as number), 0), 1),
  Log: Math.log,
  Neg: (x) => -x,
  Pow: (x, node) => x ** (node.attributes.exponent as number),
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(x, 0),
  Sigmoid: sigmoid,
  Softplus: softplus,
  Sqrt: Math.sqrt,
  Tanh: Math.tanh,
};

const BINARY: Readonly<Record<string, (x: number, y: number) => number>> = {
  Add: (x, y) => x + y,
  Sub: (x, y) => x - y,
  Mul: (x, y) => x * y,
  Div: (x, y) => x / y,
  Greater: (x, y) => Number(x > y),
  GreaterOrEqual: (x, y) => Number(x >= y),
  Less: (x, y) => Number(x < y),
  LessOrEqual: (x, y) => Number(x <= y),
  Max: Math.max,
  Min: Math.min,
};

const REDUCTIONS: Readonly<Record<string, (x: Float64Array) => number>> = {
  ReduceMax: (x) => x.reduce((a, b) => Math.max(a, b)),
  ReduceMean: (x) => x.reduce((a, b) => a + b, 0) / x.length,
  ReduceSum: (x) => x.reduce((a, b) => a + b, 0),
  ReduceSumSquare: (x) => x.reduce((a, b) => a + b * b, 0),
};

/** No function has more nodes, nor more numbers to a vector. */
const MOST_NODES = 24;
const MOST_NUMBERS = 2 ** 16;

/** Replaces groups of nodes by the ops that they are. */
export function recognise(graph: NormalGraph): NormalGraph {
  const nodes = [...graph.nodes];
  const roots: (readonly number[])[] = [[0]];
  for (const k of nodes.keys()) {
    const node = nodes[k]!;
    const above = isPart(node) ? commonRoots(node.inputs.map((id) => roots[id]!)) : [];
    // The farthest: x minus its mean over its root mean square is more than a normalisation of the difference.
    for (const root of above.toReversed()) {
      const op = opOf({ ...graph, nodes }, k + 1, root);
      if (!op) continue;
      nodes[k] = { ...node, ...op, inputs: [root], constants: [] };
      break;
    }
    roots.push(nodes[k] === node ? [k + 1, ...above] : [k + 1]);
  }
  return pruned({ ...graph, nodes });
}

/** Whether a node can be part of such a function: without parameters, and with single numbers as constants. */
const isPart = ({ op, parameters, constants }: NormalNode): boolean =>
  (op in UNARY || op in BINARY || op in REDUCTIONS || op === "Where") &&
  parameters.length === 0 &&
  constants.every(({ dims }) => count(dims) === 1);

/** Values on which all inputs depend alone, the nearest first. */
function commonRoots(lists: readonly (readonly number[])[]): readonly number[] {
  const [first = [], ...rest] = lists;
  return first.filter((id) => rest.every((list) => list.includes(id))).slice(0, MOST_NODES);
}

/** The op that value `id` is as a function of value `root`. */
function opOf(graph: NormalGraph, id: number, root: number): Recognised | undefined {
  const group = groupOf(graph, id, root);
  if (!group || group.length < 2) return undefined;
  const shape = root === 0 ? graph.input.shape : makerOf(graph, root)!.shape;
  const last = makerOf(graph, id)!;
  if (last.shape.join() !== shape.join()) return undefined;
  const reductions = group.map((k) => makerOf(graph, k)!).filter(({ op }) => op in REDUCTIONS);
  const f = functionOf(graph, id, root);
  if (reductions.length === 0) return elementwiseOp(f);
  const axes = new Set(reductions.map(({ attributes }) => (attributes.axes as number[]).join()));
  const first = (reductions[0]!.attributes.axes as number[])[0]!;
  const trailing = shape.map((_, axis) => axis).slice(first);
  const length = count(shape.slice(first));
  if (axes.size > 1 || trailing.join() !== [...axes][0] || length > MOST_NUMBERS) return undefined;
  return vectorOp(f, length, first, shape.length);
}

/** The values between `root` and `id`; undefined where there are too many. */
function groupOf(graph: NormalGraph, id: number, root: number): number[] | undefined {
  const group = new Set([id]);
  for (const k of group) {
    if (group.size > MOST_NODES) return undefined;
    for (const input of makerOf(graph, k)!.inputs) if (input !== root) group.add(input);
  }
  return [...group];
}

/** Evaluates value `id` as a function of value `root`. */
const functionOf =
  (graph: NormalGraph, id: number, root: number): VectorFunction =>
  (x) => {
    const values = new Map([[root, x]]);
    const at = (id: number): Float64Array => {
      const known = values.get(id);
      if (known) return known;
      const value = evaluate(makerOf(graph, id)!, at);
      values.set(id, value);
      return value;
    };
    return at(id);
  };

function evaluate(node: NormalNode, at: (id: number) => Float64Array): Float64Array {
  const { op, inputs, constants } = node;
  const [a, ...rest] = inputs.map(at) as [Float64Array, ...Float64Array[]];
  if (op in REDUCTIONS) return Float64Array.of(REDUCTIONS[op]!(a));
  if (op in UNARY) return a.map((x) => UNARY[op]!(x, node));
  const others = [...rest, ...constants.map(({ data }) => Float64Array.from(data))];
  const length = Math.max(a.length, ...others.map((b) => b.length));
  const get = (b: Float64Array, i: number) => b[b.length === 1 ? 0 : i]!;
  if (op === "Where") {
    const [x, y] = others as [Float64Array, Float64Array];
    return Float64Array.from({ length }, (_, i) => (get(a, i) !== 0 ? get(x, i) : get(y, i)));
  }
  return Float64Array.from({ length }, (_, i) => BINARY[op]!(get(a, i), get(others[0]!, i)));
}
