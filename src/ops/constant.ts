/**
 * @file Tensors that are part of an op and no parameters: masks, offsets, statistics.
 */
import { agree } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { sizeOf, type Shape } from "./op.ts";

/** A tensor without an axis of samples. */
export type ConstantTensor = {
  readonly shape: Shape;
  readonly data: readonly number[] | Float32Array | Float64Array;
};

/** @throws RangeError where its numbers are not those of its shape. */
export function checkConstant(what: string, { shape, data }: ConstantTensor): void {
  agree(what, `${sizeOf(shape)} numbers`, `${data.length} numbers`);
}

/** The tensor in a graph. */
export const constantValue = (g: Graph, { shape, data }: ConstantTensor): Value => g.constant(data, shape);
