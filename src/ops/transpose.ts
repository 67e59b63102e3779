/**
 * @file The axes of a sample in another order.
 */
import { agree, demand } from "../error.ts";
import { transpose as transposeValue } from "../engine/ops.ts";
import { only, type Op, type Shape } from "./op.ts";

/**
 * The op that puts the axes of a sample in another order: axis i of its value is axis `perm[i]` of its input, counted from 0 without
 * that of the samples.
 * @throws InputError for what is no permutation of 0, 1, ...; RangeError, when the network is made, for values with another number of axes.
 * @example
 * import { transpose } from "natgrad/network";
 *
 * console.log(transpose(1, 0).shape([[5, 3]])); // [ 3, 5 ]
 */
export function transpose(...perm: number[]): Op {
  const name = `transpose(${perm.join(", ")})`;
  const isPermutation = perm.length > 0 && perm.every((_, i) => perm.includes(i));
  demand(isPermutation, "transpose", "each of 0, 1, ... once", perm.join(", ") || "nothing");
  const inverse = perm.map((_, i) => perm.indexOf(i));
  const batched = (axes: readonly number[]) => [0, ...axes.map((axis) => axis + 1)];
  const shape = (inputs: readonly Shape[]): Shape => {
    const given = only(name, inputs);
    agree(name, `values with ${perm.length} axes`, `values with ${given.length} axes`);
    return perm.map((axis) => given[axis]!);
  };
  return {
    name,
    shape,
    forward: (g, { inputs }) => ({ output: transposeValue(g, inputs[0]!, batched(perm)) }),
    backward: (g, at, ct) => [
      at.cotangent(transposeValue(g, at.flat(ct, shape(at.shapes)), batched(inverse)), at.shapes[0]!),
    ],
  };
}
