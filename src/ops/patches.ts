/**
 * @file Windows (windows.ts) in a graph. A value of B samples with P positions and C channels is [B, P, C]; its patches are
 * [B, T K, C], place by place of window by window. Both ways are a Gather along the positions by a constant list: one copy, on every
 * device and in every precision.
 */
import type { Graph, Value } from "../engine/graph.ts";
import { concat, gather, gemm, padWith, reshape, sumAlong, transpose } from "../engine/ops.ts";
import { placesOf, type PositionClass } from "./places.ts";
import type { Windows } from "./windows.ts";

/** The patches [B, T K, C] of a value [B, P, C]. */
export const patches = (g: Graph, value: Value, { sources, pixels }: Windows, fill = 0): Value =>
  pick(g, value, sources, pixels, fill);

/** The way back of {@link patches}: sums over the places that hold each position, [B, P, C]. */
export function patchesBack(g: Graph, ct: Value, { sources, pixels }: Windows, channels: number): Value {
  const { most, places } = placesOf(sources, pixels);
  return sums(g, pick(g, ct, places, sources.length), most, pixels, channels);
}

/** For values [B, T, C] of windows: sums over the windows that hold each position, [B, P, C]. */
export function windowsBack(
  g: Graph,
  ct: Value,
  { sources, size, pixels }: Windows,
  channels: number,
): Value {
  const { most, places } = placesOf(sources, pixels);
  const windows = places.map((place) => (place < 0 ? -1 : Math.floor(place / size)));
  return sums(g, pick(g, ct, windows, sources.length / size), most, pixels, channels);
}

/**
 * The way back of patches times weights, from delta [B, T, O] and theta [O, K C] to [B, P, C], as the transposed convolution: for each
 * class of positions the windows that hold them are gathered and multiplied. This moves half as much memory as the product with theta
 * and {@link patchesBack}.
 */
export function transposedConvolution(
  g: Graph,
  delta: Value,
  theta: Value,
  { sources, size: K, pixels: P }: Windows,
  classes: readonly PositionClass[],
  { O, C }: { readonly O: number; readonly C: number },
): Value {
  const T = sources.length / K;
  const byOffset = transpose(g, reshape(g, theta, O, K, C), [1, 0, 2]);
  const parts = classes.map(({ offsets, pixels, windows }) => {
    const kernel = reshape(g, gather(g, byOffset, offsets, 0), -1, C);
    const held = reshape(g, pick(g, delta, windows, T), -1, offsets.length * O);
    return reshape(g, gemm(g, held, kernel), -1, pixels.length, C);
  });
  const order = Array.from({ length: P }, () => -1);
  const together = classes.flatMap(({ pixels }) => pixels);
  for (const [at, pixel] of together.entries()) order[pixel] = at;
  return pick(g, concat(g, parts, 1), order, together.length);
}

/** The positions of a value [B, P, C] that a list names: [B, length, C], with `fill` for -1. */
function pick(g: Graph, value: Value, list: readonly number[], P: number, fill = 0): Value {
  if (list.length === P && list.every((at, i) => at === i)) return value;
  if (!list.includes(-1)) return gather(g, value, list, 1);
  const indices = list.map((at) => (at < 0 ? P : at));
  return gather(g, padWith(g, value, [0, 0, 0], [0, 1, 0], fill), indices, 1);
}

const sums = (g: Graph, found: Value, most: number, P: number, C: number): Value =>
  most === 1 ? found : sumAlong(g, reshape(g, found, -1, P, most, C), 2);
