/**
 * @file Blocks that are kept as the rows of their Jacobian, J_l [N C, O I] (block.ts): a method turns a residual into the update of
 * the weights itself, dtheta_l [O, I], and outputs move by J'_l dtheta_l. What a method does to the outer products of other
 * blocks in the N x N dual it does here to O x O and I x I matrices.
 */
import { InputError } from "../error.ts";
import type { BlockKernel } from "../kernel/block.ts";
import { addDiagonal, matrix, scale, zeros, type Floats, type Matrix } from "../linalg/matrix.ts";
import { product } from "../linalg/product.ts";
import { addTimes, addTimesTransposed } from "../linalg/vector-product.ts";
import { asFloat64, trace } from "../linalg/matrix.ts";
import type { InvertOptions, Propagator } from "./fisher.ts";
import { invert } from "./invert.ts";

/** r [N C] to dtheta_l [O, I], a new matrix. */
export type BlockUpdate = (residual: Float64Array) => Promise<Matrix>;

/** J_l of the samples of the rows and of the training samples. */
export async function rowsOf(layer: BlockKernel, what: string) {
  if (layer.units) return layer.units();
  throw new InputError(`${what}: wanted a kernel with the rows of its Jacobian, got Grams alone`);
}

/** J_l^T v / N as a matrix [O, I]. */
export function pulledBack(
  { fanOut, columns }: BlockKernel,
  train: Matrix<Floats>,
  v: Float64Array,
  samples: number,
): Matrix {
  const out = zeros(fanOut, columns);
  addTimesTransposed(out.data, 1 / samples, train, v);
  return out;
}

/** r to J'_l dtheta_l(r), on the rows of a cross kernel. */
export async function writtenPropagator(
  cross: BlockKernel,
  update: BlockUpdate,
  what: string,
): Promise<Propagator> {
  const { rows } = await rowsOf(cross, what);
  return async (residual) => {
    const out = new Float64Array(rows.rows);
    addTimes(out, 1, rows, (await update(residual)).data);
    return out;
  };
}

/** The sum of propagators with as many rows. */
export const sumOf =
  (parts: readonly Propagator[]): Propagator =>
  async (residual) => {
    let sum: Float64Array | undefined;
    for (const part of parts) {
      const moved = await part(residual);
      if (sum) for (let i = 0; i < moved.length; i++) sum[i]! += moved[i]!;
      else sum = moved;
    }
    return sum!;
  };

/** M [m, k] to M (F^T F / N + rho I)^-1 for F [n, k]. */
export type SideInverse = (m: Matrix) => Promise<Matrix>;

/** Columns up to which the k x k matrix is inverted itself, whatever the number of rows. */
const SMALL = 512;
/** Damping, as a share of the mean eigenvalue, down to which the dual loses no more than half the digits of float64. */
const DUAL_DAMPING = 1e-6;

/**
 * The inverse of a factor of K-FAC on the smaller side: of k x k numbers, or where F has fewer rows than columns through
 *
 *     (F^T F / N + rho)^-1 = (1 - F^T (F F^T / N + rho)^-1 F / N) / rho.
 *
 * @throws SingularGramError where there is no inverse, unless `singular` is "least_norm".
 */
export async function sideInverse(
  F: Matrix<Floats>,
  samples: number,
  rho: number,
  { what, epsilon }: { what: string; epsilon: number },
  options: InvertOptions,
): Promise<SideInverse> {
  const f = asFloat64(F);
  const { rows: n, cols: k } = f;
  const about = { what, epsilon, maxRank: Math.min(n, k) };
  if (n < k && k > SMALL) {
    const dual = scale(await product(f, f, { ...options, transB: true }), 1 / samples);
    if (rho > (DUAL_DAMPING * trace(dual)) / n) {
      const { solveMatrix } = await invert(addDiagonal(dual, rho), about, options);
      return async (m) => {
        const seen = await product(f, m, { ...options, transB: true }); // [n, m.rows]
        const back = await product(await solveMatrix(seen), f, { ...options, transA: true });
        return { ...m, data: m.data.map((x, i) => (x - back.data[i]! / samples) / rho) };
      };
    }
  }
  const primal = scale(await product(f, f, { ...options, transA: true }), 1 / samples);
  const inverse = await (await invert(addDiagonal(primal, rho), about, options)).inverse();
  return (m) => product(m, inverse, options);
}

/** The block by itself: dtheta = (J^T J / N + rho)^-1 J^T r / N, solved in the dual. */
export async function blockInverse(
  layer: BlockKernel,
  samples: number,
  damping: number,
  about: { what: string; epsilon: number },
  options: InvertOptions,
): Promise<BlockUpdate> {
  const { train } = await rowsOf(layer, about.what);
  const gram = addDiagonal(scale(await layer.ntk(), 1 / samples), damping);
  const { solve } = await invert(gram, about, options);
  return async (residual) => pulledBack(layer, train, solve(residual), samples);
}

/** Columns [from, to) of J as float64, [N C, to - from]. */
export function columnsOf(J: Matrix<Floats>, from: number, to: number): Matrix {
  const out = matrix(J.rows, to - from, new Float64Array(J.rows * (to - from)));
  for (let i = 0; i < J.rows; i++) {
    out.data.set(J.data.subarray(i * J.cols + from, i * J.cols + to), i * out.cols);
  }
  return out;
}
