/**
 * @file Softmax along an axis and its logarithm. With y = softmax(x), both along that axis,
 *
 *     ct_x = y (ct_y - sum(ct_y y))         of softmax,
 *     ct_x = ct - y sum(ct)                 of log softmax.
 */
import type { Value } from "../engine/graph.ts";
import { map, mul, reduce, sub } from "../engine/ops.ts";
import { axisOf } from "./axes.ts";
import { only, type Op, type Shape } from "./op.ts";

/**
 * The op exp(x) / sum(exp(x)) along an axis.
 * @throws RangeError (the op) where there is no such axis.
 * @example
 * import { softmax } from "natgrad/network";
 *
 * console.log(softmax().shape([[5, 5]])); // [ 5, 5 ]
 */
export function softmax({ axis = -1 }: { axis?: number } = {}): Op {
  const at = (shape: Shape): number => axisOf("softmax", axis, shape) - shape.length;
  return {
    name: "softmax",
    shape: (inputs) => checked("softmax", axis, inputs),
    forward: (g, { inputs, shapes }) => ({
      output: g.node("Softmax", [inputs[0]!], [{ name: "axis", value: { int: at(shapes[0]!) } }]),
    }),
    backward(g, { first, output, shapes }, ct) {
      const y: Value = first(output);
      const mean = reduce(g, "ReduceSum", mul(g, ct, y), [at(shapes[0]!)]);
      return [mul(g, y, sub(g, ct, mean))];
    },
  };
}

/**
 * The op x - log(sum(exp(x))) along an axis.
 * @throws RangeError (the op) where there is no such axis.
 * @example
 * import { logSoftmax } from "natgrad/network";
 *
 * console.log(logSoftmax({ axis: 0 }).shape([[5, 2]])); // [ 5, 2 ]
 */
export function logSoftmax({ axis = -1 }: { axis?: number } = {}): Op {
  const at = (shape: Shape): number => axisOf("logSoftmax", axis, shape) - shape.length;
  return {
    name: "logSoftmax",
    shape: (inputs) => checked("logSoftmax", axis, inputs),
    forward(g, { inputs, shapes }) {
      // WebGPU has no LogSoftmax.
      const along = [at(shapes[0]!)];
      const below = sub(g, inputs[0]!, reduce(g, "ReduceMax", inputs[0]!, along));
      const total = map(g, "Log", reduce(g, "ReduceSum", map(g, "Exp", below), along));
      return { output: sub(g, below, total) };
    },
    backward(g, { first, output, shapes }, ct) {
      const y = map(g, "Exp", first(output));
      return [sub(g, ct, mul(g, y, reduce(g, "ReduceSum", ct, [at(shapes[0]!)])))];
    },
  };
}

function checked(name: string, axis: number, inputs: readonly Shape[]): Shape {
  const shape = only(name, inputs);
  axisOf(name, axis, shape);
  return shape;
}
