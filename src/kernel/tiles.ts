/**
 * @file Matrices over pairs of samples, computed in tiles: which tiles there are, and where their numbers go. Where both sides
 * are one set of samples only what lies on and below the diagonal is computed, and mirrored, so that the matrix is exactly
 * symmetric and costs half.
 */
import type { Floats, Matrix } from "../linalg/matrix.ts";

/** Rows [row, row + rows) and columns [col, col + cols) of a matrix. */
export type Area = {
  readonly row: number;
  readonly rows: number;
  readonly col: number;
  readonly cols: number;
};

/** Rows and columns of the largest tiles. */
export type TileShape = { readonly rows: number; readonly cols: number };

/** Numbers of a tile: two of them (2 MB each) and the product's operands stay in the caches. */
const NUMBERS = 2 ** 18;
const ROWS = 512;
/** Fewer columns than this make slow products, and more than this need memory for nothing. */
const COLUMNS = { min: 256, max: 4096 };

/** Tiles of `rows` rows in a matrix [total.rows, total.cols]. */
export function tileShape(rows: number = ROWS, total: TileShape): TileShape {
  const cols = Math.min(COLUMNS.max, Math.max(COLUMNS.min, Math.floor(NUMBERS / rows)));
  return { rows: Math.min(rows, total.rows), cols: Math.min(cols, total.cols) };
}

/** The tiles of a matrix; for a symmetric one those that reach the diagonal or below. */
export function tilesOf(total: TileShape, shape: TileShape, symmetric: boolean): Area[] {
  const areas: Area[] = [];
  for (let start = 0; start < total.rows; start += shape.rows) {
    const end = Math.min(start + shape.rows, total.rows);
    const width = symmetric ? end : total.cols;
    for (let col = 0; col < width; col += shape.cols) {
      const row = symmetric ? Math.max(start, col) : start;
      areas.push({ row, rows: end - row, col, cols: Math.min(shape.cols, width - col) });
    }
  }
  return areas;
}

/** Writes what of a tile lies on and below the diagonal to its place, and with `transposed` [cols, rows] above it. */
export function placeSymmetric(
  out: Matrix<Floats>,
  tile: Float64Array,
  transposed: Float64Array,
  { row, rows, col, cols }: Area,
): void {
  for (let i = 0; i < rows; i++) {
    const count = Math.min(cols, row + i - col + 1);
    out.data.set(tile.subarray(i * cols, i * cols + count), (row + i) * out.cols + col);
  }
  for (let j = 0; j < cols; j++) {
    const skipped = Math.max(0, col + j - row);
    out.data.set(
      transposed.subarray(j * rows + skipped, (j + 1) * rows),
      (col + j) * out.cols + row + skipped,
    );
  }
}
