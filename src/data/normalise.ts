/**
 * @file Normalisation of inputs: over a whole split, x ← (x − mean) / std with one scalar mean and standard
 * deviation (of the population, 1/(N·M)); then every sample divided by its Euclidean norm.
 *
 * Computed in float64 and rounded to float32: within one float32 rounding (3e-8) of the same in NumPy.
 */
import { InputError } from "../error.ts";
import { type Floats, type Matrix, zeros } from "../linalg/matrix.ts";

/** Entries [rows, cols] in any storage. */
type Entries = { readonly rows: number; readonly cols: number; readonly data: Floats | Uint8Array };

/**
 * A normalised copy of a split [N, M].
 * @param what what errors call the split: "training images"
 * @throws InputError naming the sample that is not finite or has no norm, or a split whose entries are all equal.
 */
export function normalise(x: Entries, what: string): Matrix {
  checkFinite(x, what);
  const { rows, cols, data } = x;
  // Plain loops: a set of all images has tens of millions of numbers, and iterators take ten times as long.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]!;
  const mean = sum / data.length;
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += (data[i]! - mean) ** 2;
  const std = Math.sqrt(squares / data.length);
  if (!(std > 0)) throw new InputError(`${what}: wanted a standard deviation above 0, got ${std}`);

  const out = zeros(rows, cols);
  for (let i = 0; i < data.length; i++) out.data[i] = (data[i]! - mean) / std;
  return normaliseRows(out, what);
}

/**
 * Divides every sample by its norm in place, rounding to float32, and returns the same matrix.
 * @throws InputError naming a sample without a norm.
 */
export function normaliseRows(x: Matrix, what: string): Matrix {
  for (let n = 0; n < x.rows; n++) {
    const row = x.data.subarray(n * x.cols, (n + 1) * x.cols);
    let squares = 0;
    for (let i = 0; i < row.length; i++) squares += row[i]! * row[i]!;
    const norm = Math.sqrt(squares);
    if (!(norm > 0) || norm === Infinity) {
      throw new InputError(`${what}: wanted samples with a finite norm above 0, got ${norm} for sample ${n}`);
    }
    for (let i = 0; i < row.length; i++) row[i] = Math.fround(row[i]! / norm);
  }
  return x;
}

/**
 * Refuses NaN and infinities.
 * @throws InputError naming the first such sample.
 */
export function checkFinite(x: Entries, what: string): void {
  let bad = 0;
  while (bad < x.data.length && Number.isFinite(x.data[bad])) bad++;
  if (bad === x.data.length) return;
  const where = `sample ${Math.floor(bad / x.cols)}, entry ${bad % x.cols}`;
  throw new InputError(`${what}: wanted finite numbers, got ${x.data[bad]} at ${where}`);
}
