/**
 * @file Windows (windows.ts) in a graph. A value of B samples with P positions and C channels is [B, P, C]; its patches are
 * [B, T K, C], place by place of window by window.
 */
import type { Graph, Value } from "../engine/graph.ts";
import { gather, padWith, reshape, sumAlong } from "../engine/ops.ts";
import { placesOf, type Windows } from "./windows.ts";

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

/** The positions of a value [B, P, C] that a list names: [B, length, C], with `fill` for -1. */
function pick(g: Graph, value: Value, list: readonly number[], P: number, fill = 0): Value {
  if (!list.includes(-1)) return gather(g, value, list, 1);
  const indices = list.map((at) => (at < 0 ? P : at));
  return gather(g, padWith(g, value, [0, 0, 0], [0, 1, 0], fill), indices, 1);
}

const sums = (g: Graph, found: Value, most: number, P: number, C: number): Value =>
  most === 1 ? found : sumAlong(g, reshape(g, found, -1, P, most, C), 2);
