/**
 * @file Parameters of a shape of their own that are added to a value or multiplied with it: learned positions, biases, scales of
 * channels. For P [..., O] with I numbers before its last axis theta is [O, I], and a row of the Jacobian is the cotangent of P,
 *
 *     x + P: ct,    x P: ct x,
 *
 * summed over where P was repeated.
 */
import { demand, demandWhole } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { add, mul, reshape, transpose } from "../engine/ops.ts";
import { aligned, broadcastShape, ones, unbroadcast, viewed } from "./axes.ts";
import { only, PLAIN_SCALES, sizeOf, type Op, type Point, type Shape, type WeightValues } from "./op.ts";

/** Options of {@link shift} and {@link gain}. */
export type ParameterOptions = {
  /** Standard deviation of what is drawn at the start. Default: 0, that is, a shift starts at 0 and a gain at 1. */
  deviation?: number;
};

/**
 * The op x + P with parameters P of a shape; both are broadcast.
 * @throws InputError for a size or a deviation that is none; RangeError (the op) for shapes that do not broadcast.
 * @example
 * import { dense, serial } from "natgrad";
 * import { flatten, reshape, shift } from "natgrad/network";
 *
 * const network = serial(8, dense(8), reshape(4, 2), shift([4, 2]), flatten(), dense(1)); // learned positions
 * console.log(network.blocks[1]?.fanOut, network.blocks[1]?.columns); // 2 4
 */
export const shift = (shape: Shape, options: ParameterOptions = {}): Op =>
  parameter("shift", shape, 0, options, {
    value: add,
    input: (_g, ct) => ct,
    parameter: (_g, ct) => ct,
  });

/**
 * The op x P, elementwise, with parameters P of a shape; both are broadcast.
 * @throws as {@link shift} does.
 * @example
 * import { gain } from "natgrad/network";
 *
 * console.log(gain([8]).shape([[5, 8]])); // [ 5, 8 ]
 */
export const gain = (shape: Shape, options: ParameterOptions = {}): Op =>
  parameter("gain", shape, 1, options, {
    value: mul,
    input: (g, ct, P) => mul(g, ct, P),
    parameter: (g, ct, x) => mul(g, ct, x),
  });

/** A function of x and P, and the cotangents of both from that of the result. */
type Formula = {
  readonly value: (g: Graph, x: Value, P: Value) => Value;
  readonly input: (g: Graph, ct: Value, P: Value) => Value;
  readonly parameter: (g: Graph, ct: Value, x: Value) => Value;
};

function parameter(
  name: string,
  own: Shape,
  start: number,
  { deviation = 0 }: ParameterOptions,
  formula: Formula,
): Op {
  for (const size of own) demandWhole(name, size);
  demand(Number.isFinite(deviation) && deviation >= 0, "deviation", "a finite number >= 0", deviation);
  const O = own.at(-1) ?? 1;
  const I = sizeOf(own) / O;
  const shapeOf = (inputs: readonly Shape[]): Shape => broadcastShape(name, only(name, inputs), own);
  const inGraph = (g: Graph, { base }: WeightValues): Value =>
    reshape(g, I === 1 ? base : transpose(g, base, [1, 0]), ...own);
  const input = (g: Graph, value: Value, from: Shape, to: Shape): Value => aligned(g, value, from, to.length);
  return {
    name: `${name}(${own.join(", ")})`,
    shape: shapeOf,
    block: () => ({
      fanIn: I,
      columns: I,
      fanOut: O,
      form: "rows",
      scales: { ...PLAIN_SCALES, weightStd: deviation || 1 },
      ...(deviation === 0 ? { start: ones(I).map((one) => one * start) } : {}),
    }),
    forward: (g, { inputs, shapes, weights }) => ({
      output: formula.value(g, input(g, inputs[0]!, shapes[0]!, shapeOf(shapes)), inGraph(g, weights!)),
    }),
    backward: (g, at, ct) => [
      unbroadcast(g, at, formula.input(g, ct, inGraph(g, at.weights!)), shapeOf(at.shapes), at.shapes[0]!),
    ],
    jacobian(g, at, ct) {
      const shape = shapeOf(at.shapes);
      const x = at.first(input(g, at.inputs[0]!, at.shapes[0]!, shape));
      const whole = unbroadcast(g, at, formula.parameter(g, ct, x), shape, own);
      return { kind: "rows", J: swapped(g, at, viewed(at, whole, own, [I, O]), I, O) };
    },
  };
}

/** A cotangent [C, N, I, O] as [C, N, O, I]. */
const swapped = (g: Graph, at: Point, ct: Value, I: number, O: number): Value =>
  I === 1 || O === 1
    ? viewed(at, ct, [I, O], [O, I])
    : at.cotangent(transpose(g, at.flat(ct, [I, O]), [0, 2, 1]), [O, I]);
