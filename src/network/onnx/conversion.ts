/**
 * @file A normal graph on its way to a network: what the nodes of a model are converted with.
 */
import type { NormalGraph, NormalNode, ParameterUse } from "../../onnx/normal/graph.ts";
import { add, mul } from "../../ops/arithmetic.ts";
import { flatten } from "../../ops/flatten.ts";
import { slice } from "../../ops/pick.ts";
import type { Op, Shape } from "../../ops/op.ts";
import { createBuilder, type Builder } from "../network.ts";
import type { ModelBlock, Source } from "./blocks.ts";
import { axisIn, createValues, type Order, type Values } from "./layouts.ts";

/** A network under construction. */
export type Conversion = {
  readonly graph: NormalGraph;
  readonly b: Builder;
  readonly values: Values;
  /** By the builder's numbers. */
  readonly blocks: readonly ModelBlock[];
  /** Applies an op whose parameters are those of the model: a use of the same ones shares their block. */
  block(op: Op, value: number, uses: readonly ParameterUse[], form: string, source: Source): number;
  /** The block of these parameters in this form; undefined where there is none yet. */
  known(uses: readonly ParameterUse[], form: string): number | undefined;
  /** Zeros of shape [1] that are the same for all samples: what parameters and constants are added to. */
  zero(): number;
};

/** Converts a node: its value in the network, and the order that it is in. */
export type Convert = (c: Conversion, node: NormalNode) => readonly [value: number, order: Order] | undefined;

/** Starts with an input of the graph's shape. */
export function createConversion(graph: NormalGraph): Conversion {
  const b = createBuilder(graph.input.shape.length === 0 ? [1] : graph.input.shape);
  const blocks: ModelBlock[] = [];
  const numbers = new Map<string, number>();
  const keyOf = (uses: readonly ParameterUse[], form: string) =>
    `${form}:${uses.map(({ parameter }) => parameter).join()}`;
  let zero: number | undefined;
  return {
    graph,
    b,
    values: createValues(b),
    blocks,
    known: (uses, form) => numbers.get(keyOf(uses, form)),
    block(op, value, uses, form, source) {
      const key = keyOf(uses, form);
      const shares = numbers.get(key);
      if (shares !== undefined) return b.apply(op, [value], { shares });
      const made = b.apply(op, [value]);
      numbers.set(key, b.blocks.length - 1);
      blocks.push({ parameters: uses.map(({ parameter }) => parameter), source });
      return made;
    },
    zero() {
      const one = () => b.apply(slice({ start: 0, end: 1 }), [b.apply(flatten(), [0])]);
      zero ??= b.apply(mul({ shape: [], data: [0] }), [one()]);
      return zero;
    },
  };
}

/** One input of a node through an op that does not look at axes. */
export function elementwise(c: Conversion, id: number, ...ops: readonly Op[]): readonly [number, Order] {
  const order = c.values.order(id);
  return [ops.reduce((value, op) => c.b.apply(op, [value]), c.values.get(id, order)), order];
}

/** One input through an op that looks at one axis, made for the order that the value is in. */
export function along(
  c: Conversion,
  id: number,
  axis: number,
  op: (axis: number) => Op,
): readonly [number, Order] {
  const order = c.values.order(id);
  const at = axisIn(axis, c.values.shape(id).length, order);
  return [c.b.apply(op(at), [c.values.get(id, order)]), order];
}

/** Several inputs in the order that all of them have. */
export function together(c: Conversion, ids: readonly number[], op: Op): readonly [number, Order] {
  const order = c.values.order(...ids);
  return [
    c.b.apply(
      op,
      ids.map((id) => c.values.get(id, order)),
    ),
    order,
  ];
}

/** A tensor that is the same for all samples, as a value. */
export const constantValue = (c: Conversion, shape: Shape, data: Float32Array | Float64Array): number =>
  c.b.apply(add({ shape, data }), [c.zero()]);
