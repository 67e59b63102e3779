/**
 * @file The lower triangle of a symmetric matrix in block rows: what lies left of the diagonal block [size, start] and
 * the diagonal block [size, size], each contiguous, so that products read and write them in place.
 *
 * A matrix may be rearranged within its own memory: block row after block row moves towards the beginning of the
 * array. Block row R ends below start^2 / 2 + (5 / 2) start * width, and its entries are read from start * n on.
 */
import { matrix, type Matrix } from "./matrix.ts";

/** Rows `start` to `start + size`. */
export type BlockRow = {
  readonly start: number;
  readonly size: number;
  /** Columns [0, start) [size, start]. */
  readonly left: Matrix;
  /** Columns [start, start + size) [size, size], with zeros above the diagonal. */
  readonly diagonal: Matrix;
};

/** The matrix can be cut in place where a block row is at most this share of it. */
const NARROW = 1 / 4;

/** Block rows of K [n, n], `width` rows each, in new memory or, with `inPlace`, in the memory of K, whose entries are lost. */
export function cutBlockRows(k: Matrix, width: number, inPlace = false): BlockRow[] {
  const { rows: n, data } = k;
  if (inPlace && width > NARROW * n) {
    throw new RangeError(`cutBlockRows: wanted at most ${NARROW * n} rows in place, got ${width}`);
  }
  const target = inPlace ? data : new Float64Array(packedLength(n, width));
  const rows: BlockRow[] = [];
  let end = 0;
  for (let start = 0; start < n; start += width) {
    const size = Math.min(width, n - start);
    const [left, diagonal] = [end, end + size * start];
    end = diagonal + size * size;
    for (let i = 0; i < size; i++) {
      const from = (start + i) * n;
      move(data, from, from + start, target, left + i * start);
      move(data, from + start, from + start + i + 1, target, diagonal + i * size);
    }
    // All that is still to be read lies further on, so that zeros may be written once all rows of this block have moved.
    for (let i = 0; i < size; i++) target.fill(0, diagonal + i * size + i + 1, diagonal + (i + 1) * size);
    rows.push({
      start,
      size,
      left: matrix(size, start, target.subarray(left, diagonal)),
      diagonal: matrix(size, size, target.subarray(diagonal, end)),
    });
  }
  return rows;
}

/** target[at ...] <- source[from, to); the two may be the same. */
function move(source: Float64Array, from: number, to: number, target: Float64Array, at: number): void {
  if (source === target) target.copyWithin(at, from, to);
  else target.set(source.subarray(from, to), at);
}

function packedLength(n: number, width: number): number {
  let length = 0;
  for (let start = 0; start < n; start += width) {
    const size = Math.min(width, n - start);
    length += size * (start + size);
  }
  return length;
}
