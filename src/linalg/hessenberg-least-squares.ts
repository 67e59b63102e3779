/**
 * @file min |c - H y| for an upper Hessenberg H [k + 1, k] that grows column by column, by Givens rotations (Saad & Schultz,
 * GMRES, SIAM J. Sci. Stat. Comput. 7, 1986), with a c [k + 1] of any entries.
 */
import { length } from "./vectors.ts";

/** A least-squares problem that grows by one column at a time. */
export type HessenbergLeastSquares = {
  /** The first entry of c. */
  begin(c: number): void;
  /** Adds column k of H [k + 2], and the next entry of c. */
  add(column: Float64Array, c: number): void;
  /** k, the number of columns so far. */
  columns(): number;
  /** |c - H y| at the solution. */
  residual(): number;
  /** y [k]. */
  solve(): Float64Array;
  /** |start e_0 - H_{k+1} H_k y| for the H_k so far, and H_{k+1} with one column more. */
  normalResidual(y: Float64Array, column: Float64Array, start: number): number;
};

/** A problem without a column. */
export function hessenbergLeastSquares(): HessenbergLeastSquares {
  const plain: Float64Array[] = [];
  const triangle: Float64Array[] = [];
  const rotations: (readonly [cos: number, sin: number])[] = [];
  const right: number[] = [];
  return {
    begin: (c) => void right.push(c),
    columns: () => plain.length,
    residual: () => Math.abs(right.at(-1)!),
    add(column, c) {
      plain.push(column);
      const h = column.slice();
      for (const [i, [cos, sin]] of rotations.entries()) {
        [h[i], h[i + 1]] = [cos * h[i]! + sin * h[i + 1]!, cos * h[i + 1]! - sin * h[i]!];
      }
      const k = triangle.length;
      const size = Math.hypot(h[k]!, h[k + 1]!);
      const [cos, sin] = size > 0 ? [h[k]! / size, h[k + 1]! / size] : [1, 0];
      rotations.push([cos, sin]);
      h[k] = size;
      triangle.push(h);
      right.push(cos * c - sin * right[k]!);
      right[k] = cos * right[k]! + sin * c;
    },
    solve() {
      const k = triangle.length;
      const y = Float64Array.from(right.slice(0, k));
      for (let j = k - 1; j >= 0; j--) {
        y[j] = triangle[j]![j] === 0 ? 0 : y[j]! / triangle[j]![j]!;
        for (let i = 0; i < j; i++) y[i]! -= triangle[j]![i]! * y[j]!;
      }
      return y;
    },
    normalResidual(y, column, start) {
      const image = new Float64Array(y.length + 1);
      for (const [j, weight] of y.entries())
        for (const [i, h] of plain[j]!.entries()) image[i]! += weight * h;
      const out = new Float64Array(y.length + 2);
      out[0] = start;
      for (const [j, weight] of image.entries()) {
        for (const [i, h] of (plain[j] ?? column).entries()) out[i]! -= weight * h;
      }
      return length(out);
    },
  };
}
