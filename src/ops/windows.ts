/**
 * @file Windows that slide over the positions of a sample (pixels, or places in a sequence): which positions each of them holds.
 * With n positions on an axis, a window of k of them `dilation` apart and b before and a after that are padding, window t holds the
 * positions
 *
 *     t stride + j dilation - b,  j = 0, ..., k - 1;     t = 0, ..., floor((n + b + a - (k - 1) dilation - 1) / stride)
 *
 * Padding "same" gives ceil(n / stride) windows, with the odd one of padding after; "circular" gives as many, and its padding is the
 * other edge; "valid" has none.
 */
import { agree, demand, demandWhole } from "../error.ts";
import { sizeOf, type Shape } from "./op.ts";

/** What lies beyond the edges; [before, after] for each axis is so many zeros. */
export type Padding = "same" | "valid" | "circular" | readonly (readonly [before: number, after: number])[];

/** Where windows lie; a number counts for every axis. */
export type WindowOptions = {
  stride?: number | readonly number[];
  /** How far apart neighbours in a window are. Default: 1. */
  dilation?: number | readonly number[];
  /** Default: "valid". */
  padding?: Padding;
};

/** The windows over a sample: T of them, of K positions each. */
export type Windows = {
  /** Their number along each axis; T is the product. */
  readonly positions: Shape;
  /** K. */
  readonly size: number;
  /** P, positions of the sample. */
  readonly pixels: number;
  /** Which position each place of each window holds, [T, K]; -1 for padding. */
  readonly sources: readonly number[];
};

/**
 * Checks a size and options of windows, and returns the windows over values [...positions, channels].
 * @throws InputError for sizes, strides, dilations and paddings that are none; what is returned throws RangeError for values that they
 * do not fit.
 */
export function readWindows(
  what: string,
  size: number | readonly number[],
  { stride = 1, dilation = 1, padding = "valid" }: WindowOptions,
): (shape: Shape) => Windows {
  const lists = { size, stride, dilation };
  for (const [name, value] of Object.entries(lists)) {
    for (const each of typeof value === "number" ? [value] : value) demandWhole(`${what}: ${name}`, each);
  }
  checkPadding(what, padding);
  const known = new Map<string, Windows>();
  return (shape) => {
    const key = shape.slice(0, -1).join();
    const found = known.get(key) ?? windowsOver(what, shape.slice(0, -1), lists, padding);
    known.set(key, found);
    return found;
  };
}

function checkPadding(what: string, padding: Padding): void {
  if (typeof padding !== "string") {
    for (const each of padding.flat()) demandWhole(`${what}: padding`, each, 0);
    return;
  }
  const names = ["same", "valid", "circular"];
  demand(names.includes(padding), `${what}: padding`, `one of ${names.join(", ")} or pairs`, padding);
}

type Lists = Readonly<Record<"size" | "stride" | "dilation", number | readonly number[]>>;

function windowsOver(
  what: string,
  axes: Shape,
  { size, stride, dilation }: Lists,
  padding: Padding,
): Windows {
  const fits = axes.length === 1 || axes.length === 2;
  const wanted = "values [length, channels] or [height, width, channels]";
  agree(
    what,
    wanted,
    fits ? wanted : `values with ${axes.length === 0 ? "one axis" : `${axes.length + 1} axes`}`,
  );
  const perAxis = <T>(name: string, list: readonly T[]): readonly T[] => {
    agree(`${what}: ${name}`, `one for each of ${axes.length} axes`, `one for each of ${list.length} axes`);
    return list;
  };
  const each = (name: string, value: number | readonly number[]) =>
    typeof value === "number" ? axes.map(() => value) : perAxis(name, value);
  const [sizes, strides, dilations] = [
    each("size", size),
    each("stride", stride),
    each("dilation", dilation),
  ];
  const pads = typeof padding === "string" ? axes.map(() => padding) : perAxis("padding", padding);
  const rows = axes.map((n, i) => axisWindows(what, n, sizes[i]!, strides[i]!, dilations[i]!, pads[i]!));
  return {
    positions: rows.map((windows) => windows.length),
    size: sizeOf(sizes),
    pixels: sizeOf(axes),
    sources: rows.length === 1 ? rows[0]!.flat() : product(rows[0]!, rows[1]!, axes[1]!),
  };
}

/** The windows along one axis of n positions. */
function axisWindows(
  what: string,
  n: number,
  size: number,
  stride: number,
  dilation: number,
  padding: "same" | "valid" | "circular" | readonly [number, number],
): number[][] {
  const span = (size - 1) * dilation + 1;
  const fill = Math.max(0, (Math.ceil(n / stride) - 1) * stride + span - n);
  const half: readonly [number, number] = padding === "valid" ? [0, 0] : [fill >> 1, fill - (fill >> 1)];
  const [before, after] = typeof padding === "string" ? half : padding;
  if (n + before + after < span) {
    throw new RangeError(`${what}: wanted ${span} positions or more on an axis, got ${n + before + after}`);
  }
  const count = Math.floor((n + before + after - span) / stride) + 1;
  const place = (at: number): number => {
    if (padding === "circular") return ((at % n) + n) % n;
    return at < n ? Math.max(-1, at) : -1;
  };
  return Array.from({ length: count }, (_, t) =>
    Array.from({ length: size }, (_, j) => place(t * stride + j * dilation - before)),
  );
}

/** Windows over rows and columns of an image, [T, K] row by row. */
function product(
  rows: readonly (readonly number[])[],
  cols: readonly (readonly number[])[],
  width: number,
): number[] {
  return rows.flatMap((is) =>
    cols.flatMap((js) => is.flatMap((i) => js.map((j) => (i < 0 || j < 0 ? -1 : i * width + j)))),
  );
}

/** The one number of a list that a size is when it is written out. */
export const sizeText = (size: number | readonly number[]): string =>
  typeof size === "number" ? `${size}` : size.join(" x ");

/** @throws RangeError unless every window holds a position that is not padding. */
export function demandFilled(what: string, { sources, size }: Windows): void {
  for (let t = 0; t < sources.length; t += size) {
    if (sources.slice(t, t + size).every((source) => source < 0)) {
      throw new RangeError(`${what}: wanted windows with a value in each, got one of padding alone`);
    }
  }
}
