/**
 * @file Rules of ops that move numbers: Reshape and its kin, Transpose, padding, and those of parts.ts.
 */
import { InputError } from "../../../error.ts";
import { count, type OnnxNode } from "../../model.ts";
import { floatOf, integersOf, intOf, intsOf, named, sizesOf, stringOf } from "../arguments.ts";
import type { Builder } from "../builder.ts";
import { shapeOf } from "../fold/fold.ts";
import { integers, type Live } from "../known.ts";
import { fromFront, leads, mixing, reshaped, transposed, type Layout, type Size } from "../layout.ts";
import { sliceRuns, splitRuns } from "../selection.ts";
import { resolved, squeezedAxes, unsqueezedAxes } from "../shapes.ts";
import { concat, embedding, expand, part, rows } from "./parts.ts";
import { knownAt, live, type Rule } from "./rule.ts";

/** Axes in another order; where only axes of size 1 move, a Reshape. */
export function turn(b: Builder, node: OnnxNode, x: Live, perm: readonly number[]): Live {
  const rank = x.dims.length;
  if (
    perm.length !== rank ||
    new Set(perm).size !== rank ||
    !perm.every((axis) => axis >= 0 && axis < rank)
  ) {
    const got = `[${perm.join(", ")}]`;
    throw new InputError({ what: named(node), wanted: `an order of ${rank} axes`, got });
  }
  const layout = transposed(x, perm);
  const long = perm.filter((axis) => x.dims[axis]! > 1);
  if (long.every((axis, i) => i === 0 || axis > long[i - 1]!)) return b.relaid(node, x, layout);
  if (leads(x) && leads(layout)) {
    const order = perm.slice(1).map((axis) => axis - 1);
    return b.emit(node, "Transpose", [x], layout, { attributes: { perm: order } });
  }
  const whole = b.relaid(node, x, { dims: x.dims });
  const moved = b.emit(node, "Transpose", [whole], { dims: layout.dims }, { attributes: { perm } });
  return b.relaid(node, moved, layout);
}

/** A Reshape to sizes that may depend on the batch. */
const toSizes = (b: Builder, node: OnnxNode, x: Live, sizes: readonly Size[]): Live =>
  b.relaid(node, x, reshaped(x, sizes, named(node), x.batch && b.literal));

/** Sizes of a live value as the file sees them. */
const sizesIn = (b: Builder, { dims, batch }: Layout): Size[] =>
  dims.map((size, axis) => {
    if (axis !== batch?.axis) return { c: size, n: 0 };
    return b.literal === undefined ? { c: 0, n: size } : { c: size * b.literal, n: 0 };
  });

function reshapeRule(b: Builder, node: OnnxNode, x: Live, sizes: readonly Size[]): Live {
  return toSizes(b, node, x, resolved(node, x, sizes, b.literal));
}

/** Several sizes as one. */
const merged = (sizes: readonly Size[]): Size => {
  const product = count(sizes.map(({ c, n }) => (n === 0 ? c : n)));
  return sizes.some(({ n }) => n !== 0) ? { c: 0, n: product } : { c: product, n: 0 };
};

export const SHAPE: Readonly<Record<string, Rule>> = {
  Shape(b, node, inputs) {
    const x = live(b, node, inputs);
    return [
      shapeOf(
        node,
        sizesIn(b, x).map(({ c, n }) => [c, n]),
      ),
    ];
  },
  Size(b, node, inputs) {
    const { c, n } = merged(sizesIn(b, live(b, node, inputs)));
    return [{ ...integers([c], [n]), dims: [] }];
  },
  Reshape(b, node, inputs) {
    const shape = knownAt(inputs, 1);
    if (!shape) return [b.lack("Reshape to a computed shape")];
    return [reshapeRule(b, node, live(b, node, inputs), sizesOf(shape))];
  },
  Flatten(b, node, inputs) {
    const x = live(b, node, inputs);
    const axis = intOf(node, "axis", 1);
    const at = axis < 0 ? axis + x.dims.length : axis;
    const sizes = sizesIn(b, x);
    return [toSizes(b, node, x, [merged(sizes.slice(0, at)), merged(sizes.slice(at))])];
  },
  Squeeze(b, node, inputs) {
    const x = live(b, node, inputs);
    return [b.relaid(node, x, squeezedAxes(node, x, knownAt(inputs, 1)))];
  },
  Unsqueeze(b, node, inputs) {
    const x = live(b, node, inputs);
    return [b.relaid(node, x, unsqueezedAxes(node, x, knownAt(inputs, 1)))];
  },
  Transpose(b, node, inputs) {
    const x = live(b, node, inputs);
    return [turn(b, node, x, intsOf(node, "perm") ?? x.dims.map((_, i) => x.dims.length - 1 - i))];
  },
  Slice(b, node, inputs) {
    const x = live(b, node, inputs);
    if (inputs.slice(1).some((item) => item?.kind === "live")) return [b.lack("Slice by computed indices")];
    const rest = [1, 2, 3, 4].map((at) => knownAt(inputs, at));
    const size = x.batch && b.literal !== undefined ? x.dims[x.batch.axis]! * b.literal : undefined;
    const runs = sliceRuns(node, x.dims, rest, x.batch && { axis: x.batch.axis, literal: size });
    return [part(b, node, x, runs)];
  },
  Split(b, node, inputs) {
    const x = live(b, node, inputs);
    if (fromFront(intOf(node, "axis", 0), x.dims.length, named(node)) === x.batch?.axis)
      throw mixing(named(node));
    return splitRuns(node, x.dims, knownAt(inputs, 1)).map((run) => part(b, node, x, [run]));
  },
  Concat: (b, node, inputs) => [
    concat(
      b,
      node,
      inputs.map((item) => item!),
    ),
  ],
  Gather(b, node, [x, indices]) {
    if (indices!.kind === "live") {
      return [x!.kind === "known" ? embedding(b, node, x!, indices!) : b.lack("Gather by computed indices")];
    }
    return [rows(b, node, live(b, node, [x]), indices!)];
  },
  Expand(b, node, inputs) {
    const shape = knownAt(inputs, 1);
    return [shape ? expand(b, node, live(b, node, inputs), shape) : b.lack("Expand to a computed shape")];
  },
  Tile(b, node, inputs) {
    const x = live(b, node, inputs);
    const repeats = knownAt(inputs, 1);
    if (!repeats) return [b.lack("Tile by computed repeats")];
    const times = integersOf(repeats, named(node));
    if (times.some((n, axis) => n !== 1 && axis === x.batch?.axis)) throw mixing(named(node));
    if (times.every((n) => n === 1)) return [x];
    const layout = { dims: x.dims.map((size, axis) => size * times[axis]!), batch: x.batch };
    const attributes = { repeats: leads(x) ? times.slice(1) : times };
    return [b.emit(node, "Tile", [x], layout, { attributes })];
  },
  Pad(b, node, inputs) {
    const x = live(b, node, inputs);
    const what = named(node);
    if (inputs.slice(1).some((item) => item?.kind === "live")) return [b.lack("Pad by computed sizes")];
    const given = knownAt(inputs, 1);
    const all = given ? integersOf(given, what) : (intsOf(node, "pads") ?? []);
    const rank = x.dims.length;
    const axes = knownAt(inputs, 3);
    const named3 = axes
      ? integersOf(axes, what).map((axis) => fromFront(axis, rank, what))
      : x.dims.map((_, i) => i);
    const half = all.length / 2;
    if (half !== named3.length)
      throw new InputError({ what, wanted: `${2 * named3.length} pads`, got: `${all.length}` });
    const begins = x.dims.map((_, axis) => all[named3.indexOf(axis)] ?? 0);
    const ends = x.dims.map((_, axis) => all[named3.indexOf(axis) + half] ?? 0);
    for (const [i, axis] of x.dims.entries()) {
      if (!named3.includes(i)) begins[i] = ends[i] = 0;
      if (axis + begins[i]! + ends[i]! < 0) throw new InputError({ what, wanted: "sizes >= 0", got: "less" });
    }
    const at = x.batch?.axis;
    if (at !== undefined && (begins[at] !== 0 || ends[at] !== 0)) throw mixing(what);
    if ([...begins, ...ends].every((n) => n === 0)) return [x];
    const value = knownAt(inputs, 2)?.values()[0] ?? floatOf(node, "value", 0);
    const layout = { dims: x.dims.map((size, i) => size + begins[i]! + ends[i]!), batch: x.batch };
    const own = leads(x) ? 1 : 0;
    const attributes = {
      pads: [...begins.slice(own), ...ends.slice(own)],
      mode: stringOf(node, "mode", "constant"),
      value,
    };
    return [b.emit(node, "Pad", [x], layout, { attributes })];
  },
  Dropout(b, node, inputs) {
    const training = inputs[2];
    if (training && (training.kind === "live" || training.values()[0] !== 0)) {
      throw new InputError({ what: named(node), wanted: "a model for inference", got: "training mode" });
    }
    return [live(b, node, inputs)];
  },
};
