/**
 * @file Parts of values along an axis: slices, and what constant indices name, in any order and as often as they like. The way back adds up
 * the cotangents of each index: those of its first occurrence, those of its second one, and so on, each time by the inverse indices.
 */
import { demand, demandWhole } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { add, gather as gatherValues, mul, padWith, sliceAxis } from "../engine/ops.ts";
import { axisOf, ones, viewed } from "./axes.ts";
import { only, type Op, type Shape } from "./op.ts";

/** Options of {@link gather}. */
export type GatherOptions = {
  /** Along which axis. Default: the first. */
  axis?: number;
  /** Which of its entries; negative ones count from the end. One number, not in an array: the axis disappears. */
  indices: number | readonly number[];
};

/**
 * The op that takes entries of an axis: one token of a sequence, every second pixel, channels in another order.
 * @throws InputError for indices that are no whole numbers; RangeError (the op) where there is no such axis or entry.
 * @example
 * import { gather } from "natgrad/network";
 *
 * console.log(gather({ indices: 0 }).shape([[5, 8]])); // [ 8 ]
 * console.log(gather({ axis: -1, indices: [0, 2, -1] }).shape([[5, 8]])); // [ 5, 3 ]
 */
export function gather({ axis = 0, indices }: GatherOptions): Op {
  const list = typeof indices === "number" ? [indices] : indices;
  demand(list.length > 0, "indices", "one or more", "none");
  for (const index of list) demand(Number.isInteger(index), "indices", "whole numbers", index);
  const resolve = (size: number): number[] =>
    list.map((index) => {
      if (index >= -size && index < size) return index < 0 ? index + size : index;
      throw new RangeError(`gather: wanted indices from ${-size} to ${size - 1}, got ${index}`);
    });
  return picking("gather", axis, resolve, typeof indices === "number");
}

/** Options of {@link slice}. */
export type SliceOptions = {
  /** Along which axis. Default: the first. */
  axis?: number;
  /** The first entry; a negative one counts from the end. Default: the first one there is. */
  start?: number;
  /** The entry before which it ends; a negative one counts from the end. Default: after the last one. */
  end?: number;
  /** From one entry to the next. Default: 1. */
  step?: number;
};

/**
 * The op that takes every `step`-th entry of an axis from `start` to before `end`, as in NumPy. Backwards: {@link gather}.
 * @throws InputError for numbers that are not whole, or a step below 1; RangeError (the op) where there is no such axis, or nothing left.
 * @example
 * import { slice } from "natgrad/network";
 *
 * console.log(slice({ start: 1 }).shape([[5, 8]])); // [ 4, 8 ]
 * console.log(slice({ axis: -1, end: -2, step: 2 }).shape([[5, 8]])); // [ 5, 3 ]
 */
export function slice({ axis = 0, start = 0, end = Infinity, step = 1 }: SliceOptions): Op {
  demandWhole("step", step);
  demand(Number.isInteger(start), "start", "a whole number", start);
  demand(Number.isInteger(end) || end === Infinity, "end", "a whole number", end);
  const within = (place: number, size: number): number =>
    Math.min(Math.max(place < 0 ? place + size : place, 0), size);
  const resolve = (size: number): number[] => {
    const [from, to] = [within(start, size), within(end, size)];
    if (to > from) return Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);
    throw new RangeError(`slice: wanted a part of ${size} entries, got none from ${start} to ${end}`);
  };
  return picking("slice", axis, resolve, false);
}

/** The op that takes entries of an axis; `single`: one of them, and the axis disappears. */
function picking(name: string, axis: number, resolve: (size: number) => number[], single: boolean): Op {
  const partsOf = (inputs: readonly Shape[]) => {
    const shape = only(name, inputs);
    const own = axisOf(name, axis, shape);
    const picked = resolve(shape[own]!);
    return { shape, own, picked, kept: shape.with(own, picked.length) };
  };
  const result = (inputs: readonly Shape[]): Shape => {
    const { own, kept } = partsOf(inputs);
    return single ? kept.toSpliced(own, 1) : kept;
  };
  return {
    name,
    shape: result,
    forward(g, { inputs, shapes }) {
      const { shape, own, picked } = partsOf(shapes);
      const at = own - shape.length;
      if (single) return { output: g.node("Squeeze", [part(g, inputs[0]!, picked, at), g.integers(at)]) };
      return { output: part(g, inputs[0]!, picked, at) };
    },
    backward(g, at, ct) {
      const { shape, own, picked, kept } = partsOf(at.shapes);
      const whole = viewed(at, ct, result(at.shapes), kept);
      if (!isRun(picked)) return [scattered(g, whole, picked, shape, own)];
      const before = [0, ...shape.map((_, i) => (i === own ? picked[0]! : 0))];
      const after = [0, ...shape.map((size, i) => (i === own ? size - picked.at(-1)! - 1 : 0))];
      return [at.cotangent(padWith(g, at.flat(whole, kept), before, after), shape)];
    },
  };
}

/** Whether indices are one after the other. */
const isRun = (indices: readonly number[]): boolean => indices.every((index, i) => index === indices[0]! + i);

const part = (g: Graph, a: Value, indices: readonly number[], axis: number): Value =>
  isRun(indices)
    ? sliceAxis(g, a, axis, indices[0]!, indices.at(-1)! + 1)
    : gatherValues(g, a, indices, axis);

/** The sum of the entries of a cotangent at each index of the axis that they were taken from. */
function scattered(g: Graph, ct: Value, picked: readonly number[], shape: Shape, own: number): Value {
  const places = Array.from({ length: shape[own]! }, (): number[] => []);
  for (const [place, index] of picked.entries()) places[index]!.push(place);
  const rounds = Math.max(...places.map(({ length }) => length));
  const terms = Array.from({ length: rounds }, (_, round) => {
    const inverse = places.map((of) => of[round]);
    const term = gatherValues(
      g,
      ct,
      inverse.map((place) => place ?? 0),
      own - shape.length,
    );
    if (!inverse.includes(undefined)) return term;
    const held = inverse.map((place) => Number(place !== undefined));
    return mul(g, term, g.constant(held, [held.length, ...ones(shape.length - own - 1)]));
  });
  return terms.reduce((sum, term) => add(g, sum, term));
}
