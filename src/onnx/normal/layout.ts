/**
 * @file Where the samples are in a value. A model's values have the batch somewhere among their axes: at axis 0 mostly, at axis 1 inside of some
 * attention layers, and in one axis together with heads or tokens after a Reshape. One axis holds it, as before x N x after numbers. A
 * value of one sample is what remains without N; samples never mix, so every op is one on single samples.
 */
import { InputError } from "../../error.ts";
import { count } from "../model.ts";

/** The axis that holds the samples: its size is before x N x after. */
export type Batch = { readonly axis: number; readonly before: number; readonly after: number };

/** Sizes of a value; that of the batch's axis is before x after. No batch: the same for all samples. */
export type Layout = { readonly dims: readonly number[]; readonly batch?: Batch | undefined };

/** A size c + n N. */
export type Size = { readonly c: number; readonly n: number };

/** Whether axis 0 is the samples and nothing else. */
export const leads = ({ batch }: Layout): boolean =>
  batch?.axis === 0 && batch.before === 1 && batch.after === 1;

/** The shape of one sample. */
export const sampleShape = (layout: Layout): readonly number[] =>
  leads(layout) ? layout.dims.slice(1) : layout.dims;

/** An axis counted from the front. */
export function fromFront(axis: number, rank: number, what: string): number {
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new InputError({ what, wanted: `an axis of ${rank}`, got: `${axis}` });
}

/**
 * The axis of one sample's shape that is this axis of the value.
 * @throws InputError for the axis of the samples.
 */
export function sampleAxis(layout: Layout, axis: number, what: string): number {
  const at = fromFront(axis, layout.dims.length, what);
  if (at === layout.batch?.axis) throw mixing(what);
  return leads(layout) ? at - 1 : at;
}

/** What mixes samples has no Jacobian per sample. */
export const mixing = (what: string): InputError =>
  new InputError({
    what,
    wanted: "samples that stay apart",
    got: "an operation along the axis of the batch",
  });

const disagree = (what: string, wanted: string, got: string): InputError =>
  new InputError({ what, wanted, got });

/** Sizes in an error, with N for the samples. */
export function layoutText({ dims, batch }: Layout): string {
  const sizes = dims.map((size, axis) => {
    if (axis !== batch?.axis) return `${size}`;
    return size === 1 ? "N" : `${size}N`;
  });
  return `[${sizes.join(", ")}]`;
}

/** The layout that two broadcast to, as NumPy does it, without their last `keep` axes (of a matrix product). */
export function broadcast(a: Layout, b: Layout, what: string): Layout {
  const rank = Math.max(a.dims.length, b.dims.length);
  const [left, right] = [padded(a, rank), padded(b, rank)];
  if (left.batch && right.batch && !sameBatch(left.batch, right.batch)) {
    throw disagree(what, "samples along one axis", `${layoutText(a)} and ${layoutText(b)}`);
  }
  const batch = left.batch ?? right.batch;
  const dims = left.dims.map((m, axis) => {
    const n = right.dims[axis]!;
    // Without the samples this axis must be 1; of before x after it may be as well.
    if (axis === batch?.axis) {
      const [mine, theirs] = left.batch ? [m, right.batch ? m : n] : [n, m];
      if (theirs === 1 || (left.batch && right.batch)) return mine;
    } else if (m === n || n === 1) return m;
    else if (m === 1) return n;
    throw disagree(what, "shapes that broadcast", `${layoutText(a)} and ${layoutText(b)}`);
  });
  return { dims, batch };
}

const sameBatch = (a: Batch, b: Batch): boolean =>
  a.axis === b.axis && a.before === b.before && a.after === b.after;

/** The same value with axes of size 1 in front. */
export function padded({ dims, batch }: Layout, rank: number): Layout {
  const more = rank - dims.length;
  return {
    dims: [...Array.from({ length: more }, () => 1), ...dims],
    batch: batch && { ...batch, axis: batch.axis + more },
  };
}

/** The shape of one sample of `a` where it broadcasts to `result`. */
export function fitted(a: Layout, result: Layout): readonly number[] {
  const { dims } = padded(a, result.dims.length);
  const shape = leads(result) ? dims.slice(1) : dims;
  const kept = sampleShape(a);
  // Axes of size 1 in front change nothing.
  const start = shape.length - kept.length;
  const same = start >= 0 && shape.every((size, i) => (i < start ? size === 1 : size === kept[i - start]));
  return same ? kept : shape;
}

/** A value with its axes in another order. */
export const transposed = ({ dims, batch }: Layout, perm: readonly number[]): Layout => ({
  dims: perm.map((axis) => dims[axis]!),
  batch: batch && { ...batch, axis: perm.indexOf(batch.axis) },
});

/**
 * The layout of a value in the shape `sizes`, in the same order of its numbers.
 * @param literal the batch that the file fixes, where it fixes one: sizes then hold it in place of N
 */
export function reshaped(layout: Layout, sizes: readonly Size[], what: string, literal?: number): Layout {
  const total = count(layout.dims);
  const refuse = () => {
    const text = sizes.map(({ c, n }) => (n === 0 ? `${c}` : `${n}N`)).join(", ");
    return disagree(what, `a shape for ${layoutText(layout)}`, `[${text}]`);
  };
  const plain = sizes.map(({ c, n }) => (n === 0 ? c : n));
  if (!layout.batch) {
    if (count(plain) !== total || sizes.some(({ n }) => n !== 0)) throw refuse();
    return { dims: plain };
  }
  const { axis, before, after } = layout.batch;
  const pre = count(layout.dims.slice(0, axis)) * before;
  const post = count(layout.dims.slice(axis + 1)) * after;
  for (const [at, { c, n }] of sizes.entries()) {
    const size = literal === undefined ? n : c / literal;
    if (literal === undefined && (n === 0 || c !== 0)) continue;
    const batch = {
      axis: at,
      before: pre / count(plain.slice(0, at)),
      after: post / count(plain.slice(at + 1)),
    };
    const whole = Number.isInteger(batch.before) && Number.isInteger(batch.after);
    if (whole && size === batch.before * batch.after) return { dims: plain.with(at, size), batch };
  }
  throw refuse();
}
