/**
 * @file Products of matrices that are both values of a network, in their last two axes: with c = a b,
 *
 *     ct_a = ct_c b^T,    ct_b = a^T ct_c.
 */
import { agree } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { matMul, transpose } from "../engine/ops.ts";
import { aligned, broadcastShape, printed, unbroadcast } from "./axes.ts";
import type { Op, Shape } from "./op.ts";

/**
 * The op a b of its two inputs [..., I, K] and [..., K, J]; the axes before the last two are broadcast.
 * @throws RangeError (the op) for values with fewer than two axes, and sizes that disagree.
 * @example
 * import { matmul } from "natgrad/network";
 *
 * console.log(matmul().shape([[8, 5, 4], [8, 4, 5]])); // [ 8, 5, 5 ]
 */
export const matmul = (): Op => ({
  name: "matmul",
  shape: (inputs) => shapesOf(inputs).product,
  forward(g, { inputs, shapes }) {
    const [a, b] = operands(g, inputs, shapes);
    return { output: matMul(g, a!, b!) };
  },
  backward(g, at, ct) {
    const { lead, rows, inner, columns } = shapesOf(at.shapes);
    const [a, b] = operands(g, at.inputs.map(at.first), at.shapes);
    const rank = lead.length + 2;
    return [
      unbroadcast(g, at, matMul(g, ct, swapLast(g, b!, rank)), [...lead, rows, inner], at.shapes[0]!),
      unbroadcast(g, at, matMul(g, swapLast(g, a!, rank), ct), [...lead, inner, columns], at.shapes[1]!),
    ];
  },
});

function shapesOf(inputs: readonly Shape[]) {
  agree("matmul", "2 inputs", `${inputs.length} inputs`);
  const [a, b] = inputs as readonly [Shape, Shape];
  const [rows, inner, other, columns] = [a.at(-2), a.at(-1), b.at(-2), b.at(-1)];
  if (rows === undefined || other === undefined || inner !== other) {
    throw new RangeError(`matmul: wanted [..., I, K] and [..., K, J], got ${printed(a)} and ${printed(b)}`);
  }
  const lead = broadcastShape("matmul", a.slice(0, -2), b.slice(0, -2));
  return { lead, rows, inner: other, columns: columns!, product: [...lead, rows, columns!] };
}

function operands(g: Graph, inputs: readonly Value[], shapes: readonly Shape[]): Value[] {
  const rank = shapesOf(shapes).lead.length + 2;
  return inputs.map((value, i) => aligned(g, value, shapes[i]!, rank));
}

/** A value of samples with `rank` axes with the last two swapped. */
const swapLast = (g: Graph, a: Value, rank: number): Value =>
  transpose(g, a, [...Array.from({ length: rank - 1 }, (_, i) => i), rank, rank - 1]);
