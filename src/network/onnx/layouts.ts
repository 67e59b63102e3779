/**
 * @file Values of a model in the network under construction. ONNX has channels first, [channels, ...positions], and natgrad's convolutions have
 * them last. A value is held in either order, and made in the other one when an op asks for that.
 */
import { count } from "../../onnx/model.ts";
import { reshape } from "../../ops/reshape.ts";
import type { Shape } from "../../ops/op.ts";
import { transpose } from "../../ops/transpose.ts";
import type { Builder } from "../network.ts";

/** Where the channels of a value are. */
export type Order = "first" | "last";

type Held = { readonly shape: Shape; first?: number; last?: number };

/** Values by their numbers in the normal graph. */
export type Values = {
  /** The shape with channels first. */
  shape(id: number): Shape;
  /** The network's value in an order. */
  get(id: number, order: Order): number;
  /** "last" where all of these are held so, else "first". */
  order(...ids: readonly number[]): Order;
  /** Adds the next value of the normal graph. */
  add(shape: Shape, order: Order, value: number): void;
};

/** A shape in an order. */
export const ordered = (shape: Shape, order: Order): Shape =>
  order === "first" || shape.length < 2 ? shape : [...shape.slice(1), shape[0]!];

/** An axis in an order, counted from the front. */
export const axisIn = (axis: number, rank: number, order: Order): number => {
  if (order === "first" || rank < 2) return axis;
  return axis === 0 ? rank - 1 : axis - 1;
};

/** Starts with the network's input. */
export function createValues(b: Builder): Values {
  const held: Held[] = [{ shape: b.shape(0), first: 0 }];
  const moved = (value: number, shape: Shape, to: Order): number => {
    const rank = shape.length;
    if (rank < 2) return value;
    // Sizes of 1 alone are moved: the numbers stay in their order.
    if (shape[0] === 1 || count(shape.slice(1)) === 1)
      return b.apply(reshape(...ordered(shape, to)), [value]);
    const axes = Array.from({ length: rank }, (_, axis) => axis);
    const perm = to === "last" ? [...axes.slice(1), 0] : [rank - 1, ...axes.slice(0, -1)];
    return b.apply(transpose(...perm), [value]);
  };
  return {
    shape: (id) => held[id]!.shape,
    get(id, order) {
      const each = held[id]!;
      each[order] ??= moved((order === "first" ? each.last : each.first)!, each.shape, order);
      return each[order];
    },
    order(...ids) {
      const rank = held[ids[0]!]!.shape.length;
      return ids.every((id) => held[id]!.last !== undefined && held[id]!.shape.length === rank)
        ? "last"
        : "first";
    },
    add(shape, order, value) {
      held.push({ shape, [order]: value });
    },
  };
}
