/**
 * @file A choice between values by a mask that is no parameter and the same for every sample.
 */
import { agree } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { cast, where as choose } from "../engine/ops.ts";
import { aligned, broadcastShape, unbroadcast } from "./axes.ts";
import { checkConstant, constantValue, type ConstantTensor } from "./constant.ts";
import type { Op, Shape } from "./op.ts";

/**
 * The op that takes its first input where the mask is not 0, and elsewhere its second one, or `otherwise` where there is but one.
 * Shapes are broadcast.
 * @throws RangeError for a mask whose numbers are not those of its shape; the op for shapes that do not broadcast.
 * @example
 * import { where } from "natgrad/network";
 *
 * const mask = { shape: [2, 2], data: [1, 0, 1, 1] };
 * console.log(where(mask).shape([[2, 2], [2]])); // [ 2, 2 ]
 * console.log(where(mask, 0).shape([[2, 2]])); // [ 2, 2 ]
 */
export function where(mask: ConstantTensor, otherwise?: number): Op {
  checkConstant("where", mask);
  const count = otherwise === undefined ? 2 : 1;
  const shapeOf = (shapes: readonly Shape[]): Shape => {
    agree("where", `${count} inputs`, `${shapes.length} inputs`);
    return shapes.reduce((whole, shape) => broadcastShape("where", whole, shape), mask.shape);
  };
  const maskValue = (g: Graph): Value => cast(g, constantValue(g, mask), "bool");
  return {
    name: "where",
    shape: shapeOf,
    forward(g, { inputs, shapes }) {
      const rank = shapeOf(shapes).length;
      const [a, b] = inputs.map((value, i) => aligned(g, value, shapes[i]!, rank));
      return { output: choose(g, maskValue(g), a!, b ?? g.constant([otherwise!])) };
    },
    backward(g, at, ct) {
      const shape = shapeOf(at.shapes);
      const [own, zero] = [maskValue(g), g.constant([0])];
      const cts = [choose(g, own, ct, zero), choose(g, own, zero, ct)];
      return at.shapes.map((to, i) => unbroadcast(g, at, cts[i]!, shape, to));
    },
  };
}
