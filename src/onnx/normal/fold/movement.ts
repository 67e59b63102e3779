/**
 * @file Known values whose numbers are moved: reshaped, transposed, cut, joined, repeated. What only reorders axes or renames sizes stays a view of the
 * stored tensor, so that a weight is recognised behind it.
 */
import { InputError } from "../../../error.ts";
import { count } from "../../model.ts";
import { arrayFor, computed, demandSize, type Known } from "../known.ts";
import { transposed, type Batch, type Layout } from "../layout.ts";
import type { Run } from "../selection.ts";
import { indexInto } from "./elementwise.ts";

/** Numbers of `a` by index, as a value of these sizes. */
export function picked(a: Known, layout: Layout, index: (i: number) => number, what: string): Known {
  const { dims, batch } = layout;
  demandSize(dims, what);
  const size = count(dims);
  const from = (numbers: Known["slope"] & {}) => {
    const out = arrayFor(a.type, size);
    for (let i = 0; i < size; i++) out[i] = numbers[index(i)]!;
    return out;
  };
  return {
    ...computed(a.type, dims, () => from(a.values()), [a]),
    batch,
    slope: a.slope && from(a.slope),
  };
}

/** The same numbers in other sizes. */
export const renamed = (a: Known, dims: readonly number[], batch?: Batch): Known => ({ ...a, dims, batch });

/** Axes in another order. */
export function turned(a: Known, perm: readonly number[], what: string): Known {
  const layout = transposed(a, perm);
  const long = perm.filter((axis) => a.dims[axis]! > 1);
  if (long.every((axis, i) => i === 0 || axis > long[i - 1]!)) return { ...a, ...layout };
  const strides = a.dims.map((_, axis) => count(a.dims.slice(axis + 1)));
  const steps = perm.map((axis) => strides[axis]!);
  const index = (i: number) => {
    let at = 0;
    for (let axis = layout.dims.length - 1, rest = i; axis >= 0; axis--) {
      const size = layout.dims[axis]!;
      at += (rest % size) * steps[axis]!;
      rest = Math.floor(rest / size);
    }
    return at;
  };
  const moved = picked(a, layout, index, what);
  const { origin } = a;
  const before = origin?.perm ?? origin?.dims.map((_, axis) => axis);
  const isStored = origin && before!.map((axis) => origin.dims[axis]).join() === a.dims.join();
  if (!isStored) return moved;
  const order = perm.map((axis) => before![axis]!);
  const back = order.every((axis, i) => axis === i);
  const values = back ? origin.values : moved.values;
  return { ...moved, values, origin: { ...origin, perm: back ? undefined : order } };
}

/** A part of every axis that has a run. */
export function cut(a: Known, runs: readonly Run[], what: string): Known {
  if (runs.length === 0) return a;
  const dims = [...a.dims];
  const strides = a.dims.map((_, axis) => count(a.dims.slice(axis + 1)));
  let start = 0;
  const steps = [...strides];
  for (const run of runs) {
    dims[run.axis] = run.size;
    start += run.start * strides[run.axis]!;
    steps[run.axis] = run.step * strides[run.axis]!;
  }
  const index = (i: number) => {
    let at = start;
    for (let axis = dims.length - 1, rest = i; axis >= 0; axis--) {
      at += (rest % dims[axis]!) * steps[axis]!;
      rest = Math.floor(rest / dims[axis]!);
    }
    return at;
  };
  return picked(a, { dims, batch: a.batch }, index, what);
}

/** Rows of an axis by their indices, in the shape `shape` in place of that axis. */
export function gathered(
  a: Known,
  axis: number,
  indices: readonly number[],
  shape: readonly number[],
  what: string,
): Known {
  const n = a.dims[axis]!;
  const at = indices.map((index) => (index < 0 ? index + n : index));
  const outside = at.findIndex((index) => !(Number.isInteger(index) && index >= 0 && index < n));
  if (outside >= 0) {
    throw new InputError({ what, wanted: `indices below ${n}`, got: `${indices[outside]}` });
  }
  const inner = count(a.dims.slice(axis + 1));
  const dims = [...a.dims.slice(0, axis), ...shape, ...a.dims.slice(axis + 1)];
  if (at.length === n && shape.length === 1 && at.every((index, i) => index === i)) return a;
  const row = at.length * inner;
  return picked(
    a,
    { dims },
    (i) => Math.floor(i / row) * n * inner + at[Math.floor((i % row) / inner)]! * inner + (i % inner),
    what,
  );
}

/** Values one after the other along an axis. */
export function joined(items: readonly Known[], axis: number, what: string): Known {
  const [first] = items as [Known];
  const fits = ({ dims }: Known) =>
    dims.length === first.dims.length && dims.every((size, i) => i === axis || size === first.dims[i]);
  if (!items.every(fits)) {
    const got = items.map(({ dims }) => `[${dims.join(", ")}]`).join(", ");
    throw new InputError({ what, wanted: "shapes that differ along one axis", got });
  }
  const dims = first.dims.with(
    axis,
    items.reduce((sum, { dims }) => sum + dims[axis]!, 0),
  );
  demandSize(dims, what);
  const inner = count(first.dims.slice(axis + 1));
  const row = dims[axis]! * inner;
  const gather = (numbersOf: (item: Known) => Known["slope"]) => {
    const out = arrayFor(first.type, count(dims));
    let offset = 0;
    for (const item of items) {
      const numbers = numbersOf(item);
      const length = item.dims[axis]! * inner;
      if (numbers && length > 0) {
        for (let i = 0; i < numbers.length; i++) {
          out[Math.floor(i / length) * row + offset + (i % length)] = numbers[i]!;
        }
      }
      offset += length;
    }
    return out;
  };
  const slope = items.some((item) => item.slope) ? gather((item) => item.slope) : undefined;
  return {
    ...computed(first.type, dims, () => gather((item) => item.values()), items),
    batch: first.batch,
    slope,
  };
}

/** Repeats axes of size 1, and adds axes in front, to a layout to which it broadcasts. */
export function expanded(a: Known, layout: Layout, what: string): Known {
  if (count(layout.dims) === count(a.dims)) return renamed(a, layout.dims, layout.batch);
  return picked(a, layout, indexInto(a.dims, layout.dims), what);
}
