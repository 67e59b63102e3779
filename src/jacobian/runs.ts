/**
 * @file How much one run of the engine is given to do: enough for products at full speed, and no more than some tenths of a
 * second, because the thread that waits for a run handles nothing else meanwhile (no Ctrl-C, no other request).
 */

import { demandWhole } from "../error.ts";

/** Operations of one run. */
export const RUN = 2e10;

/** Samples of a run at most, by default: intermediate values are then a few MB per layer. */
export const TILE = 1024;
/** and at least. */
const LEAST = 16;

/** Samples of a run, by default, where one takes so many operations. */
export const tileFor = (operations: number): number =>
  Math.max(LEAST, Math.min(TILE, Math.floor(RUN / operations)));

/**
 * [start, end) in pieces of at most `size`.
 * @throws InputError for a size that is no whole number above 0.
 */
export function tiles(end: number, size: number, start = 0): [from: number, to: number][] {
  demandWhole("tile", size);
  const pieces: [number, number][] = [];
  for (let from = start; from < end; from += size) pieces.push([from, Math.min(from + size, end)]);
  return pieces;
}
