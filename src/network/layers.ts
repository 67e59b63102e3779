/**
 * @file Layers composed to networks, as people know it from `stax`: a layer is an op, or a small graph of layers. `serial` makes the
 * network; `sequence`, `residual` and `parallel` make layers of layers.
 */
import { InputError } from "../error.ts";
import { sum } from "../ops/sum.ts";
import type { Op, Shape } from "../ops/op.ts";
import { createBuilder, type Builder, type Network } from "./network.ts";

/** A graph of layers that stands for one. */
export type Composite = {
  readonly name: string;
  /** Appends its ops to the values `inputs` and returns its own values: one, but for a layer that is there to be joined. */
  append(builder: Builder, inputs: readonly number[]): readonly number[];
};

/** What networks are made of. */
export type Layer = Op | Composite;

/** Appends a layer to a network under construction. */
export const appendLayer = (b: Builder, layer: Layer, inputs: readonly number[]): readonly number[] =>
  "append" in layer ? layer.append(b, inputs) : [b.apply(layer, inputs)];

/**
 * Chains layers to a network on samples of a shape (a number: of features); its outputs are the values of the last one.
 * @throws InputError where no layer has weights, or the inputs are no whole numbers above 0; RangeError for a layer
 * that does not take what the one before it makes, or outputs with more than one axis.
 * @example
 * import { dense, relu, serial } from "natgrad";
 *
 * const network = serial(8, dense(64), relu(), dense(32), relu(), dense(2));
 * console.log(network.inputs, network.outputs); // 8 2
 */
export function serial(inputs: number | Shape, ...layers: readonly Layer[]): Network {
  const b = createBuilder(inputs);
  return b.finish(one("serial", sequence(...layers).append(b, [0])));
}

/**
 * Layers one after the other, as one layer.
 * @example
 * import { dense, relu, serial } from "natgrad";
 * import { sequence } from "natgrad/network";
 *
 * const block = sequence(dense(16), relu());
 * console.log(serial(8, block, block, dense(1)).blocks.length); // 3
 */
export const sequence = (...layers: readonly Layer[]): Composite => ({
  name: "sequence",
  append: (b, inputs) =>
    layers.reduce<readonly number[]>((values, layer) => appendLayer(b, layer, values), inputs),
});

/**
 * x plus what layers make of it: a residual connection.
 * @example
 * import { dense, relu, serial } from "natgrad";
 * import { residual } from "natgrad/network";
 *
 * console.log(serial(8, dense(16), residual(relu(), dense(16)), relu(), dense(1)).nodes.length); // 6
 */
export const residual = (...layers: readonly Layer[]): Composite =>
  parallel([sequence(...layers), sequence()], sum());

/**
 * Several layers side by side on one value; `join` makes one value of theirs, and without it they are the inputs of the next layer.
 * @example
 * import { dense, relu, serial } from "natgrad";
 * import { parallel, sum } from "natgrad/network";
 *
 * console.log(serial(8, parallel([dense(16), dense(16)], sum()), relu(), dense(1)).blocks.length); // 3
 */
export const parallel = (branches: readonly Layer[], join?: Layer): Composite => ({
  name: "parallel",
  append(b, inputs) {
    const values = branches.map((branch) => one("parallel", appendLayer(b, branch, inputs)));
    return join ? appendLayer(b, join, values) : values;
  },
});

/** @throws InputError unless there is one value. */
function one(what: string, values: readonly number[]): number {
  if (values.length === 1) return values[0]!;
  throw new InputError(`${what}: wanted one value at the end, got ${values.length}`);
}
