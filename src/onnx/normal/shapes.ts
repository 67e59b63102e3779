/**
 * @file Shapes that nodes ask for, the same for known and live values: of Reshape, Squeeze, Unsqueeze, of reductions, and the element type of a Cast.
 */
import { InputError } from "../../error.ts";
import { count, type ElementName, type OnnxNode } from "../model.ts";
import { elementName, elementOf, READABLE } from "../tensor.ts";
import { integersOf, intOf, intsOf, named } from "./arguments.ts";
import type { Known } from "./known.ts";
import { fromFront, mixing, type Layout, type Size } from "./layout.ts";

/** The layout of sizes, one of which may be n N. */
export function targetLayout(sizes: readonly Size[], what: string): Layout {
  const axis = sizes.findIndex(({ n }) => n !== 0);
  const dims = sizes.map(({ c, n }) => (n === 0 ? c : n));
  const others = sizes.filter(({ c, n }) => n !== 0 && c !== 0).length;
  if (others > 0 || sizes.filter(({ n }) => n !== 0).length > 1) {
    const got = `[${sizes.map(({ c, n }) => (n === 0 ? c : `${c} + ${n}N`)).join(", ")}]`;
    throw new InputError({ what, wanted: "a shape with the batch once", got });
  }
  return axis < 0 ? { dims } : { dims, batch: { axis, before: 1, after: dims[axis]! } };
}

/** The sizes of a Reshape, with its 0 (as in the input) and -1 (what remains) replaced. */
export function resolved(node: OnnxNode, a: Layout, target: readonly Size[], literal?: number): Size[] {
  const what = named(node);
  const own = (axis: number): Size => {
    const size = a.dims[axis];
    if (size === undefined)
      throw new InputError({
        what,
        wanted: `at most ${a.dims.length} sizes of its input`,
        got: `${axis + 1}`,
      });
    if (axis !== a.batch?.axis) return { c: size, n: 0 };
    return literal === undefined ? { c: 0, n: size } : { c: size * literal, n: 0 };
  };
  const copies = intOf(node, "allowzero", 0) === 0;
  const sizes = target.map((size, axis) => (copies && size.c === 0 && size.n === 0 ? own(axis) : size));
  const open = sizes.findIndex(({ c, n }) => c === -1 && n === 0);
  if (open < 0) return sizes;
  const rest = sizes.toSpliced(open, 1);
  const hasBatch = rest.some(({ n }) => n !== 0);
  const total = count(a.dims) * (a.batch && literal !== undefined ? literal : 1);
  const size = total / count(rest.map(({ c, n }) => (n === 0 ? c : n)));
  if (!Number.isInteger(size)) {
    const got = `[${sizes.map(({ c, n }) => (n === 0 ? c : `${n}N`)).join(", ")}]`;
    throw new InputError({ what, wanted: `a shape for [${a.dims.join(", ")}]`, got });
  }
  const symbolic = a.batch && literal === undefined && !hasBatch;
  return sizes.with(open, symbolic ? { c: 0, n: size } : { c: size, n: 0 });
}

/** Axes of Squeeze, Unsqueeze and reductions: an attribute in old models, an input in new ones. */
const axesOf = (node: OnnxNode, given: Known | undefined): readonly number[] | undefined =>
  given ? integersOf(given, named(node)) : intsOf(node, "axes");

/** The layout after a Squeeze. */
export function squeezedAxes(node: OnnxNode, a: Layout, given: Known | undefined): Layout {
  const rank = a.dims.length;
  const what = named(node);
  const asked = axesOf(node, given)?.map((axis) => fromFront(axis, rank, what));
  const gone = asked ?? a.dims.flatMap((size, axis) => (size === 1 && axis !== a.batch?.axis ? [axis] : []));
  if (gone.some((axis) => axis === a.batch?.axis)) throw mixing(what);
  if (gone.some((axis) => a.dims[axis] !== 1)) {
    throw new InputError({
      what,
      wanted: "axes of size 1",
      got: `axes ${gone.join(", ")} of [${a.dims.join(", ")}]`,
    });
  }
  const before = gone.filter((axis) => axis < (a.batch?.axis ?? 0)).length;
  return {
    dims: a.dims.filter((_, axis) => !gone.includes(axis)),
    batch: a.batch && { ...a.batch, axis: a.batch.axis - before },
  };
}

/** The layout after an Unsqueeze. */
export function unsqueezedAxes(node: OnnxNode, a: Layout, given: Known | undefined): Layout {
  const asked = axesOf(node, given) ?? [];
  const rank = a.dims.length + asked.length;
  const fresh = new Set(asked.map((axis) => fromFront(axis, rank, named(node))));
  const kept = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !fresh.has(axis));
  if (kept.length !== a.dims.length)
    throw new InputError({ what: named(node), wanted: "different axes", got: `[${asked.join(", ")}]` });
  const dims = Array.from({ length: rank }, () => 1);
  for (const [i, axis] of kept.entries()) dims[axis] = a.dims[i]!;
  return { dims, batch: a.batch && { ...a.batch, axis: kept[a.batch.axis]! } };
}

/** The axes that a reduction takes together, from the front. */
export function reducedAxes(node: OnnxNode, rank: number, given: Known | undefined): number[] {
  const asked = axesOf(node, given);
  const axes = asked?.map((axis) => fromFront(axis, rank, named(node))) ?? [];
  if (axes.length > 0) return axes;
  return intOf(node, "noop_with_empty_axes", 0) === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

/** The element type that a Cast asks for. */
export function castType(node: OnnxNode): ElementName {
  const to = intOf(node, "to", 1);
  const type = elementOf(to);
  if (type) return type;
  throw new InputError({ what: named(node), wanted: READABLE, got: elementName(to) });
}
