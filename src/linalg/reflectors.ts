/**
 * @file Products of Householder reflections, H_1 H_2 ... H_m with H_i = I - tau_i v_i v_i^T, applied many at a time as
 *
 *     H_1 ... H_m = I - V T V^T
 *
 * with an upper triangular T [m, m] (Schreiber & Van Loan, SIAM J. Sci. Stat. Comput. 10, 1989; LAPACK's dlarft, dlarfb).
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { zeros, type Matrix } from "./matrix.ts";
import { accumulate, product, view } from "./product.ts";

/** Consecutive reflections: column i of v [n - start, m] acts on the rows from `start` on. */
export type Reflectors = {
  readonly start: number;
  readonly v: Matrix;
  readonly tau: Float64Array;
};

/** Reflections that are applied at a time. */
const GROUP = 128;

/** z <- Q z in place, Q [n, n] the product of all reflections in their order. */
export async function applyReflectors(
  all: readonly Reflectors[],
  z: Matrix,
  options: ComputeOptions = {},
): Promise<void> {
  const transposed = { ...options, transA: true };
  for (const { start, v, tau } of grouped(all).toReversed()) {
    await breathe(options.signal);
    const rows = view(z.data, z.cols, start, z.rows);
    const t = triangle(await product(v, v, transposed), tau);
    const [left, right] = [await product(v, t, options), await product(v, rows, transposed)];
    await accumulate(rows, -1, left, right, options);
  }
}

/** The same one reflection at a time, in plain loops. */
export function applyReflectorsPlainly({ start, v, tau }: Reflectors, z: Matrix): void {
  const along = new Float64Array(z.cols);
  for (let c = v.cols - 1; c >= 0; c--) {
    along.fill(0);
    for (let i = c; i < v.rows; i++) {
      const weight = tau[c]! * v.data[i * v.cols + c]!;
      for (let j = 0, at = (start + i) * z.cols; j < z.cols; j++, at++) along[j]! += weight * z.data[at]!;
    }
    for (let i = c; i < v.rows; i++) {
      const weight = v.data[i * v.cols + c]!;
      for (let j = 0, at = (start + i) * z.cols; j < z.cols; j++, at++) z.data[at]! -= weight * along[j]!;
    }
  }
}

/** Neighbours put together. */
function grouped(all: readonly Reflectors[]): Reflectors[] {
  const groups: Reflectors[] = [];
  for (let from = 0; from < all.length;) {
    let [to, width] = [from, 0];
    while (to < all.length && width + all[to]!.tau.length <= Math.max(GROUP, all[from]!.tau.length)) {
      width += all[to++]!.tau.length;
    }
    groups.push(join(all.slice(from, to), width));
    from = to;
  }
  return groups;
}

function join(parts: readonly Reflectors[], width: number): Reflectors {
  const { start, v: first } = parts[0]!;
  const v = zeros(first.rows, width);
  const tau = new Float64Array(width);
  let column = 0;
  for (const part of parts) {
    for (let i = 0; i < part.v.rows; i++) {
      const row = part.v.data.subarray(i * part.v.cols, (i + 1) * part.v.cols);
      v.data.set(row, (part.start - start + i) * width + column);
    }
    tau.set(part.tau, column);
    column += part.tau.length;
  }
  return { start, v, tau };
}

/** T from V^T V: column i is -tau_i T (V^T v_i) above a diagonal of tau_i. */
function triangle(gram: Matrix, tau: Float64Array): Matrix {
  const m = gram.rows;
  const t = zeros(m, m);
  for (let i = 0; i < m; i++) {
    for (let r = 0; r < i; r++) {
      let sum = 0;
      for (let c = r; c < i; c++) sum += t.data[r * m + c]! * gram.data[c * m + i]!;
      t.data[r * m + i] = -tau[i]! * sum;
    }
    t.data[i * m + i] = tau[i]!;
  }
  return t;
}
