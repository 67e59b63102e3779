/**
 * @file Sums, differences, products and quotients of two values, or of a value and a constant tensor. Shapes are broadcast as in NumPy,
 * without the axis of samples: [3, 4] and [4] give [3, 4]. What was repeated gets the sum of its cotangents.
 */
import type { Graph, Value } from "../engine/graph.ts";
import * as graph from "../engine/ops.ts";
import { agree } from "../error.ts";
import { aligned, broadcastShape, unbroadcast } from "./axes.ts";
import { checkConstant, constantValue, type ConstantTensor } from "./constant.ts";
import type { Op, Shape } from "./op.ts";

/** A function of two values, and the cotangents of both from that of the result. */
type Formula = {
  readonly value: (g: Graph, a: Value, b: Value) => Value;
  readonly left: (g: Graph, ct: Value, b: Value) => Value;
  readonly right: (g: Graph, ct: Value, a: Value, b: Value) => Value;
};

/**
 * The op a + b of its two inputs, or its one input plus a constant.
 * @throws RangeError for a constant whose numbers are not those of its shape; the op for shapes that do not broadcast.
 * @example
 * import { add } from "natgrad/network";
 *
 * console.log(add().shape([[3, 4], [4]])); // [ 3, 4 ]
 * console.log(add({ shape: [4], data: [1, 2, 3, 4] }).shape([[3, 4]])); // [ 3, 4 ]
 */
export const add = (constant?: ConstantTensor): Op =>
  arithmetic("add", constant, {
    value: graph.add,
    left: (_g, ct) => ct,
    right: (_g, ct) => ct,
  });

/**
 * The op a - b of its two inputs, or its one input minus a constant.
 * @throws RangeError as {@link add} does.
 * @example
 * import { sub } from "natgrad/network";
 *
 * console.log(sub().shape([[4], [2, 1]])); // [ 2, 4 ]
 */
export const sub = (constant?: ConstantTensor): Op =>
  arithmetic("sub", constant, {
    value: graph.sub,
    left: (_g, ct) => ct,
    right: (g, ct) => graph.map(g, "Neg", ct),
  });

/**
 * The op a b of its two inputs, elementwise, or its one input times a constant.
 * @throws RangeError as {@link add} does.
 * @example
 * import { mul } from "natgrad/network";
 *
 * console.log(mul({ shape: [], data: [0.5] }).shape([[3, 4]])); // [ 3, 4 ]
 */
export const mul = (constant?: ConstantTensor): Op =>
  arithmetic("mul", constant, {
    value: graph.mul,
    left: (g, ct, b) => graph.mul(g, ct, b),
    right: (g, ct, a) => graph.mul(g, ct, a),
  });

/**
 * The op a / b of its two inputs, elementwise, or its one input over a constant.
 * @throws RangeError as {@link add} does.
 * @example
 * import { div } from "natgrad/network";
 *
 * console.log(div().shape([[3, 4], [3, 1]])); // [ 3, 4 ]
 */
export const div = (constant?: ConstantTensor): Op =>
  arithmetic("div", constant, {
    value: graph.div,
    left: (g, ct, b) => graph.div(g, ct, b),
    right: (g, ct, a, b) => graph.map(g, "Neg", graph.mul(g, ct, graph.div(g, graph.div(g, a, b), b))),
  });

function arithmetic(name: string, constant: ConstantTensor | undefined, formula: Formula): Op {
  if (constant) checkConstant(name, constant);
  const count = constant ? 1 : 2;
  const both = (shapes: readonly Shape[]): readonly [Shape, Shape] => {
    agree(name, `${count} inputs`, `${shapes.length} inputs`);
    return [shapes[0]!, constant ? constant.shape : shapes[1]!];
  };
  const shapeOf = (shapes: readonly Shape[]): Shape => {
    const [a, b] = both(shapes);
    return broadcastShape(name, a, b);
  };
  const operands = (g: Graph, inputs: readonly Value[], shapes: readonly Shape[]) => {
    const rank = shapeOf(shapes).length;
    const own = inputs.map((value, i) => aligned(g, value, shapes[i]!, rank));
    return [own[0]!, constant ? constantValue(g, constant) : own[1]!] as const;
  };
  return {
    name,
    shape: shapeOf,
    forward: (g, { inputs, shapes }) => ({ output: formula.value(g, ...operands(g, inputs, shapes)) }),
    backward(g, at, ct) {
      const shape = shapeOf(at.shapes);
      const [a, b] = operands(g, at.inputs.map(at.first), at.shapes);
      const left = unbroadcast(g, at, formula.left(g, ct, b), shape, at.shapes[0]!);
      if (constant) return [left];
      return [left, unbroadcast(g, at, formula.right(g, ct, a, b), shape, at.shapes[1]!)];
    },
  };
}
