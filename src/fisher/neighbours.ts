/**
 * @file Which blocks of a network are neighbours: one feeds the other with no block between them. On a chain of layers these are the
 * layers before and after. T has ones on its diagonal and where two blocks are neighbours.
 */
import type { BlockKernel } from "../kernel/block.ts";

/** The neighbours of each block. */
export type Neighbours = readonly (readonly number[])[];

/** Those of a chain of L layers. */
export const chainOf = (layers: number): Neighbours =>
  Array.from({ length: layers }, (_, l) => [l - 1, l + 1].filter((k) => k >= 0 && k < layers));

/** Those of the blocks of a kernel; blocks that say nothing are a chain. */
export const neighboursOf = (blocks: readonly Pick<BlockKernel, "neighbours">[]): Neighbours =>
  chainOf(blocks.length).map((usual, l) => blocks[l]!.neighbours ?? usual);

/** Whether blocks are a chain. */
export const isChain = (neighbours: Neighbours): boolean => {
  const usual = chainOf(neighbours.length);
  return neighbours.every((each, l) => each.toSorted((a, b) => a - b).join() === usual[l]!.join());
};

/** A solution of T w = 1, and whether it is the only one; where there is none at all it is undefined. */
export type Shares = { readonly w: Float64Array | undefined; readonly unique: boolean };

/** Pivots of T below this are zero: its entries are zeros and ones. */
const ZERO = 1e-9;

/** T w = 1, by Gaussian elimination with pivots; numbers that are free are zero. */
export function sharesOf(neighbours: Neighbours): Shares {
  const L = neighbours.length;
  if (isChain(neighbours)) {
    // w_1 + w_2 = 1 and three neighbours sum to one, so the pattern has period three.
    const start = L % 3 === 0 ? 0 : 1;
    const w = Float64Array.from({ length: L }, (_, l) => [start, 1 - start, 0][l % 3]!);
    return { w, unique: L % 3 !== 2 };
  }
  const rows = neighbours.map((each, l) =>
    Float64Array.from({ length: L + 1 }, (_, k) => Number(k === L || k === l || each.includes(k))),
  );
  const pivots: number[] = [];
  for (let k = 0; k < L; k++) {
    const from = pivots.length;
    let best = from;
    for (let i = from; i < L; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[best]?.[k] ?? 0)) best = i;
    if (!(Math.abs(rows[best]?.[k] ?? 0) > ZERO)) continue;
    [rows[from], rows[best]] = [rows[best]!, rows[from]!];
    const pivot = rows[from]!;
    for (let j = L; j >= k; j--) pivot[j]! /= pivot[k]!;
    for (const row of rows) {
      const factor = row[k]!;
      if (row === pivot || factor === 0) continue;
      for (let j = k; j <= L; j++) row[j]! -= factor * pivot[j]!;
    }
    pivots.push(k);
  }
  if (rows.slice(pivots.length).some((row) => Math.abs(row[L]!) > ZERO))
    return { w: undefined, unique: false };
  const w = new Float64Array(L);
  for (const [i, k] of pivots.entries()) w[k] = rows[i]![L]!;
  return { w, unique: pivots.length === L };
}
