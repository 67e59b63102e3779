/**
 * @file Repetitions, and what is reported of them: the median, because the machines are shared and their noise has one
 * sign.
 */

/** The median of one or more numbers. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("median: wanted at least one number, got none");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The mean of one or more numbers. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, x) => sum + x, 0) / values.length;

/** Least, median and greatest. */
export type Spread = { readonly min: number; readonly median: number; readonly max: number };

/** The spread of one or more numbers. */
export const spread = (values: readonly number[]): Spread => ({
  min: Math.min(...values),
  median: median(values),
  max: Math.max(...values),
});

/** Records of numbers, turned into one record of arrays. */
export function columns<K extends string>(rows: readonly Readonly<Record<K, number>>[]): Record<K, number[]> {
  const out = {} as Record<K, number[]>;
  for (const row of rows) {
    for (const [key, value] of Object.entries(row) as [K, number][]) (out[key] ??= []).push(value);
  }
  return out;
}

/** Wall-clock seconds of `work`. */
export async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
