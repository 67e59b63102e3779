/**
 * @file Parts, joins and repeats of live values, and rows of tables.
 */
import { InputError } from "../../../error.ts";
import { count, type OnnxNode } from "../../model.ts";
import { integersOf, intOf, named, sizesOf } from "../arguments.ts";
import type { Builder } from "../builder.ts";
import { isFloat, rowOf, type Item, type Known, type Live } from "../known.ts";
import {
  broadcast,
  fromFront,
  layoutText,
  leads,
  mixing,
  sampleAxis,
  sampleShape,
  type Layout,
} from "../layout.ts";
import type { Run } from "../selection.ts";
import { targetLayout } from "../shapes.ts";

/** Parts of axes. */
export function part(b: Builder, node: OnnxNode, x: Live, runs: readonly Run[]): Live {
  if (runs.length === 0) return x;
  const what = named(node);
  const axes = runs.map(({ axis }) => sampleAxis(x, axis, what));
  const dims = [...x.dims];
  for (const { axis, size } of runs) dims[axis] = size;
  return b.emit(
    node,
    "Slice",
    [x],
    { dims, batch: x.batch },
    {
      attributes: {
        axes,
        starts: runs.map(({ start }) => start),
        ends: runs.map(({ start, step, size }) => start + step * size),
        steps: runs.map(({ step }) => step),
      },
    },
  );
}

/** Values that are joined, all in one layout but for the axis. */
export function concat(b: Builder, node: OnnxNode, items: readonly (Known | Live)[]): Live {
  const what = named(node);
  const first = items.find((item) => item.batch) ?? items[0]!;
  const axis = fromFront(intOf(node, "axis", 0), first.dims.length, what);
  const at = sampleAxis(first, axis, what);
  const values = items.map((given) => {
    const rows = leads(first) && given.kind === "known" && given.dims[0] !== 1;
    const row = rows ? rowOf(given, b.literal ?? given.dims[0]) : undefined;
    const item = row ?? given;
    const mine = item.dims.length === first.dims.length;
    const fits =
      mine && item.dims.every((size, i) => i === axis || i === first.batch?.axis || size === first.dims[i]);
    if (!fits) {
      const got = `${layoutText(first)} and ${layoutText(item)}`;
      throw new InputError({ what, wanted: "shapes that differ along one axis", got });
    }
    if (item.batch || !first.batch) return b.lift(node, item);
    if (item.dims[first.batch.axis] !== 1) throw mixing(what);
    return b.relaid(node, b.lift(node, item), { dims: item.dims, batch: first.batch });
  });
  const dims = first.dims.with(
    axis,
    items.reduce((sum, item) => sum + item.dims[axis]!, 0),
  );
  return b.emit(
    node,
    "Concat",
    values,
    { dims, batch: first.batch },
    { attributes: { axis: at }, type: first.type },
  );
}

/** Rows of a table by integers of the samples. */
export function embedding(b: Builder, node: OnnxNode, table: Known, indices: Live): Item {
  if (!isFloat(table) || intOf(node, "axis", 0) !== 0)
    return b.lack("Gather from a known table along another axis");
  const batch = indices.batch;
  const layout = { dims: [...indices.dims, ...table.dims.slice(1)], batch };
  const parameters = [b.use(table, "table", named(node))];
  return b.emit(node, "Embedding", [indices], layout, { parameters, type: table.type });
}

/** Known rows of a live value. */
export function rows(b: Builder, node: OnnxNode, x: Live, indices: Known): Item {
  const what = named(node);
  const axis = fromFront(intOf(node, "axis", 0), x.dims.length, what);
  const n = x.dims[axis]!;
  const at = integersOf(indices, what).map((index) => (index < 0 ? index + n : index));
  if (axis === x.batch?.axis) throw mixing(what);
  const outside = at.find((index) => !(index >= 0 && index < n));
  if (outside !== undefined) throw new InputError({ what, wanted: `indices below ${n}`, got: `${outside}` });
  const inBatch = axis < (x.batch?.axis ?? 0) ? indices.dims.length - 1 : 0;
  const dims = [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)];
  const layout: Layout = { dims, batch: x.batch && { ...x.batch, axis: x.batch.axis + inBatch } };
  const isRun = at.every((index, i) => i === 0 || index === at[i - 1]! + 1) && at.length > 0;
  if (isRun) {
    const whole = at.length === n;
    const run = { axis, start: at[0]!, step: 1, size: at.length };
    return b.relaid(node, whole ? x : part(b, node, x, [run]), layout);
  }
  const flat = { dims: x.dims.with(axis, at.length), batch: x.batch };
  const attributes = { axis: sampleAxis(x, axis, what), indices: at };
  return b.relaid(node, b.emit(node, "Gather", [x], flat, { attributes }), layout);
}

/** Repeats a value to a shape. */
export function expand(b: Builder, node: OnnxNode, x: Live, shape: Known): Live {
  const sizes = sizesOf(shape);
  const rank = Math.max(sizes.length, x.dims.length);
  const atBatch = x.batch ? x.batch.axis + sizes.length - x.dims.length : -1;
  const target =
    b.literal === undefined || !x.batch
      ? targetLayout(sizes, named(node))
      : { dims: sizes.map(({ c }, axis) => (axis === atBatch ? 1 : c)) };
  const own = target.batch && {
    ...target.batch,
    before: x.batch?.before ?? 1,
    after: x.batch?.after ?? target.batch.after,
  };
  const layout = broadcast(x, { dims: target.dims, batch: own }, named(node));
  const fitting = b.fit(node, x, layout);
  const same = count(sampleShape(fitting)) === count(sampleShape(layout));
  if (same) return b.relaid(node, fitting, layout);
  const attributes = { shape: sampleShape(layout) };
  return rank === 0 ? x : b.emit(node, "Expand", [fitting], layout, { attributes });
}
