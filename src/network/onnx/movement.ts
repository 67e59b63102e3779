/**
 * @file Nodes that move numbers, and reductions, as ops.
 */
import type { NormalNode } from "../../onnx/normal/graph.ts";
import { mul } from "../../ops/arithmetic.ts";
import { concatenate } from "../../ops/concatenate.ts";
import { neg, sqrt } from "../../ops/elementwise.ts";
import { expand } from "../../ops/expand.ts";
import { pad } from "../../ops/pad.ts";
import { gather, slice } from "../../ops/pick.ts";
import { reduceMax, reduceMean, reduceSum, type ReduceOptions } from "../../ops/reduce.ts";
import { reshape } from "../../ops/reshape.ts";
import { logSoftmax, softmax } from "../../ops/softmax.ts";
import { shift } from "../../ops/parameter.ts";
import type { Op } from "../../ops/op.ts";
import { transpose } from "../../ops/transpose.ts";
import { along, constantValue, type Conversion, type Convert } from "./conversion.ts";
import { withParameter } from "./elementwise.ts";
import { axisIn, ordered } from "./layouts.ts";

const numberOf = ({ attributes }: NormalNode, name: string): number => attributes[name] as number;
const listOf = ({ attributes }: NormalNode, name: string): readonly number[] => attributes[name] as number[];

/** A value through ops in the order "first". */
const plainly = (c: Conversion, id: number, ...ops: readonly Op[]): readonly [number, "first"] => [
  ops.reduce((value, op) => c.b.apply(op, [value]), c.values.get(id, "first")),
  "first",
];

/** Values before or after a reduction. */
type Around = { readonly before?: (c: Conversion, x: number) => number; readonly after?: Op };

const reduction =
  (op: (options: ReduceOptions) => Op, { before, after }: Around = {}): Convert =>
  (c, node) => {
    const [id] = node.inputs as [number];
    const order = c.values.order(id);
    const rank = c.values.shape(id).length;
    const axes = listOf(node, "axes").map((axis) => axisIn(axis, rank, order));
    const x = c.values.get(id, order);
    const reduced = c.b.apply(op({ axes, keep: true }), [before ? before(c, x) : x]);
    return [after ? c.b.apply(after, [reduced]) : reduced, order];
  };

const squared = (c: Conversion, x: number): number => c.b.apply(mul(), [x, x]);

/** Indices of an axis with so many more on both ends, repeated or reflected. */
function padded(size: number, before: number, after: number, mode: string): number[] {
  return Array.from({ length: before + size + after }, (_, k) => {
    const at = k - before;
    if (mode === "edge") return Math.min(Math.max(at, 0), size - 1);
    if (mode === "wrap") return ((at % size) + size) % size;
    const period = Math.max(1, 2 * (size - 1));
    const place = ((at % period) + period) % period;
    return place < size ? place : period - place;
  });
}

/** Nodes that move numbers. */
export const MOVEMENT: Readonly<Record<string, Convert>> = {
  Parameter: (c, { parameters, shape }) => [
    withParameter(c, c.zero(), parameters[0]!, shape.length, "first", shift),
    "first",
  ],
  Constant: (c, { constants, shape }) => [constantValue(c, shape, constants[0]!.data), "first"],
  Reshape: (c, { inputs, shape }) => plainly(c, inputs[0]!, reshape(...shape)),
  Transpose: (c, node) => plainly(c, node.inputs[0]!, transpose(...listOf(node, "perm"))),
  Expand: (c, { inputs, shape }) => plainly(c, inputs[0]!, expand(...shape)),
  Tile(c, node) {
    const shape = c.values.shape(node.inputs[0]!);
    const repeats = listOf(node, "repeats");
    const apart = shape.flatMap((size) => [1, size]);
    const copies = shape.flatMap((size, axis) => [repeats[axis]!, size]);
    return plainly(c, node.inputs[0]!, reshape(...apart), expand(...copies), reshape(...node.shape));
  },
  Slice(c, node) {
    const [id] = node.inputs as [number];
    const order = c.values.order(id);
    const shape = c.values.shape(id);
    const [starts, ends, steps] = [listOf(node, "starts"), listOf(node, "ends"), listOf(node, "steps")];
    const value = listOf(node, "axes").reduce(
      (x, axis, i) => {
        const [start, step] = [starts[i]!, steps[i]!];
        const size = Math.ceil((ends[i]! - start) / step);
        const at = axisIn(axis, shape.length, order);
        const op =
          step > 0
            ? slice({ axis: at, start, end: Math.min(ends[i]!, shape[axis]!), step })
            : gather({ axis: at, indices: Array.from({ length: size }, (_, j) => start + j * step) });
        return c.b.apply(op, [x]);
      },
      c.values.get(id, order),
    );
    return [value, order];
  },
  Gather: (c, node) =>
    along(c, node.inputs[0]!, numberOf(node, "axis"), (axis) =>
      gather({ axis, indices: listOf(node, "indices") }),
    ),
  Concat(c, node) {
    const order = c.values.order(...node.inputs);
    const axis = axisIn(numberOf(node, "axis"), node.shape.length, order);
    return [
      c.b.apply(
        concatenate({ axis }),
        node.inputs.map((id) => c.values.get(id, order)),
      ),
      order,
    ];
  },
  Pad(c, node) {
    const [id] = node.inputs as [number];
    const pads = listOf(node, "pads");
    const rank = pads.length / 2;
    const order = c.values.order(id);
    const shape = c.values.shape(id);
    const [before, after] = [pads.slice(0, rank), pads.slice(rank)];
    const { mode, value } = node.attributes;
    const whole = c.values.get(id, order);
    // What is negative is cut off.
    const cut = shape.reduce((x, size, axis) => {
      const [start, end] = [Math.max(0, -before[axis]!), size - Math.max(0, -after[axis]!)];
      if (start === 0 && end === size) return x;
      return c.b.apply(slice({ axis: axisIn(axis, rank, order), start, end }), [x]);
    }, whole);
    const more = (counts: readonly number[]) =>
      ordered(
        counts.map((n) => Math.max(0, n)),
        order,
      );
    if (mode === "constant") {
      const op = pad({ before: more(before), after: more(after), value: value as number });
      return [c.b.apply(op, [cut]), order];
    }
    const sizes = c.b.shape(cut);
    const made = more(before).reduce((x, n, axis) => {
      const m = more(after)[axis]!;
      if (n === 0 && m === 0) return x;
      return c.b.apply(gather({ axis, indices: padded(sizes[axis]!, n, m, mode as string) }), [x]);
    }, cut);
    return [made, order];
  },
  Softmax: (c, node) => along(c, node.inputs[0]!, numberOf(node, "axis"), (axis) => softmax({ axis })),
  LogSoftmax: (c, node) => along(c, node.inputs[0]!, numberOf(node, "axis"), (axis) => logSoftmax({ axis })),
  ReduceMean: reduction(reduceMean),
  ReduceSum: reduction(reduceSum),
  ReduceMax: reduction(reduceMax),
  ReduceMin: reduction(reduceMax, { before: (c, x) => c.b.apply(neg(), [x]), after: neg() }),
  ReduceSumSquare: reduction(reduceSum, { before: squared }),
  ReduceL2: reduction(reduceSum, { before: squared, after: sqrt() }),
};
