/**
 * @file Solves with the block-tri-diagonal Fisher matrix F, whose blocks J_l^T J_k / N with |l - k| <= 1 are kept, on its
 * range. With S_l = Theta_l / N = F_l F_l^T of numerical rank r_l (pivoted Cholesky) and J_l / sqrt N = F_l Q_l^T, Q_l of
 * orthonormal columns, F = Q M Q^T with the symmetric matrix of size sum r_l
 *
 *     M_lk = F_l^T F_k for |l - k| <= 1, else 0,      (M + rho) z = (F_l^T r)_l,      dtheta_l = Q_l z_l / sqrt N.
 *
 * dtheta_l = J_l^T v_l / N for every v_l with F_l^T v_l = z_l. Rows of J_l that were pivots are exact in F_l, and there F_l
 * is triangular: v_l is zero elsewhere.
 *
 * Rounding costs epsilon |F| |(F + rho)^-1|, as in the P x P solve: layers 1, 3, 5, ... do not couple with each other, and
 * M_ll + rho = L L^T is definite. They drop out through W_lk = L^-1 F_l^T F_k, whose square |W|^2 <= |S_k| however small
 * rho is, and leave for layers 2, 4, ... a symmetric system that is not definite and takes an LU:
 *
 *     (M_kk + rho - sum over l of W_lk^T W_lk) z_k - sum over l of W_lk^T W_lm z_m = F_k^T r - sum over l of W_lk^T L^-1 F_l^T r,
 *
 * with l = k +- 1 and m = k +- 2. Where M + rho has no inverse it has one on its range.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { factorize, type CholeskyFactor } from "../linalg/cholesky.ts";
import { factorizeGeneral, upperSolve } from "../linalg/lu.ts";
import {
  addDiagonal,
  matrix,
  rowRange,
  scale,
  selectRows,
  setBlock,
  stackRows,
  zeros,
  type Matrix,
} from "../linalg/matrix.ts";
import { partialCholesky } from "../linalg/pivoted-cholesky.ts";
import { accumulate, product } from "../linalg/product.ts";
import { pseudoInverse } from "../linalg/pseudo-inverse.ts";
import { growth, growthOf } from "../linalg/singular.ts";
import { addTimes, addTimesTransposed } from "../linalg/vector-product.ts";
import type { InvertOptions } from "./fisher.ts";
import { offering, onTheRange } from "./invert.ts";
import { isChain, type Neighbours } from "./neighbours.ts";

/** R [n, m] to v_l [n, m] of every layer. */
export type CoupledSolve = (R: Matrix) => Promise<Matrix[]>;

/** F_l and the rows of it that were pivots. */
type Layer = {
  /** F_l^T [r_l, n]. */
  readonly FT: Matrix;
  readonly pivots: readonly number[];
};

/** All layers, and which are neighbours. */
type Blocks = { readonly layers: readonly Layer[]; readonly neighbours: Neighbours };

/** Right-hand sides y_l [r_l, m] to z_l [r_l, m]. */
type CompressedSolve = (y: readonly Matrix[]) => Promise<Matrix[]>;

const NAME = "block_tri_diagonal";

/**
 * The solver for S_l [n, n], l = 1, ..., L, whose entries have the relative error epsilon; one of them is there at a time.
 * @throws SingularGramError when F + rho has no numerical inverse on the range of J, unless `singular` is "least_norm".
 */
export async function coupledSolver(
  S: AsyncIterable<Matrix>,
  neighbours: Neighbours,
  rho: number,
  epsilon: number,
  options: InvertOptions,
): Promise<CoupledSolve> {
  const computing = { engine: options.engine, signal: options.signal };
  const layers: Layer[] = [];
  for await (const gram of S) layers.push(await compress(gram, rho, epsilon, computing));
  const solve = await invertCompressed({ layers, neighbours }, rho, epsilon, options);
  return async (R) => {
    const y: Matrix[] = [];
    for (const { FT } of layers) y.push(await product(FT, R, computing));
    const v: Matrix[] = [];
    for (const [l, z] of (await solve(y)).entries()) v.push(await onPivots(layers[l]!, z, computing));
    return v;
  };
}

/** Rows that the pivoted Cholesky asks for at a time: more make faster products, fewer better pivots. */
const blockOf = (n: number): number => Math.min(32, Math.ceil(n / 16));

async function compress(S: Matrix, rho: number, epsilon: number, options: ComputeOptions): Promise<Layer> {
  const n = S.rows;
  // A direction of rounding, of size sqrt epsilon beside J, would change the least step by as much; damped it is its square
  // over rho, less than the rounding of the solve.
  const zero = rho === 0 ? n * epsilon : epsilon;
  const diagonal = Float64Array.from({ length: n }, (_, i) => S.data[i * n + i]!);
  const { factorT: FT, pivots } = await partialCholesky(
    { diagonal, rows: (indices) => selectRows(S, indices) },
    { ...options, maxRank: n, tolerance: zero, block: blockOf(n) },
  );
  return { FT, pivots };
}

/** v [n, m] with F^T v = z, zero in all rows but the pivots, for which F^T is triangular; z is overwritten. */
async function onPivots({ FT, pivots }: Layer, z: Matrix, options: ComputeOptions): Promise<Matrix> {
  const triangle = zeros(FT.rows, FT.rows);
  for (const [i, p] of pivots.entries()) {
    for (let j = 0; j <= i; j++) triangle.data[j * FT.rows + i] = FT.data[j * FT.cols + p]!;
  }
  await upperSolve(triangle, z, options);
  const v = zeros(FT.cols, z.cols);
  for (const [i, p] of pivots.entries()) v.data.set(rowRange(z, i, i + 1).data, p * z.cols);
  return v;
}

/** (M + rho)^-1, or the inverse on its range. */
async function invertCompressed(
  blocks: Blocks,
  rho: number,
  epsilon: number,
  options: InvertOptions,
): Promise<CompressedSolve> {
  const { singular, onInversion, engine, signal } = options;
  // Without damping the numerical range has to be found, of all layers together.
  if (rho === 0 && singular === "least_norm") return onRange(blocks, rho, epsilon, options);
  try {
    const computing = { engine, signal };
    const solve = isChain(blocks.neighbours)
      ? await eliminate(blocks.layers, rho, computing)
      : await together(blocks, rho, computing);
    const size = sum(blocks.layers.map(({ FT }) => FT.rows));
    if (onInversion) {
      const condition = await conditionOf(blocks, rho, solve, size);
      onInversion({ what: `${NAME}: coupled layers`, size, rank: size, condition, epsilon });
    }
    return solve;
  } catch (error) {
    if (onTheRange(error, singular)) return onRange(blocks, rho, epsilon, options);
    throw offering(error);
  }
}

/** (M + rho)^-1 by layers; they count from 0 here, so that the odd ones stay. */
async function eliminate(
  layers: readonly Layer[],
  rho: number,
  options: ComputeOptions,
): Promise<CompressedSolve> {
  const L = layers.length;
  const [transA, transB] = [
    { ...options, transA: true },
    { ...options, transB: true },
  ];
  const neighbours = (l: number): number[] => [l - 1, l + 1].filter((k) => k >= 0 && k < L);
  const dropped: CholeskyFactor[] = [];
  const W: Matrix[][] = [];
  for (let l = 0; l < L; l += 2) {
    const { FT } = layers[l]!;
    const own = addDiagonal(await product(FT, FT, transB), rho);
    dropped[l] = await factorize(own, {
      ...options,
      what: `${NAME}: NTK of layer ${l + 1}`,
      overwrite: true,
    });
    W[l] = [];
    for (const k of neighbours(l)) {
      W[l]![k] = await dropped[l]!.solveLower(await product(FT, layers[k]!.FT, transB));
    }
  }
  const kept = [...layers.keys()].filter((l) => l % 2 === 1);
  const starts = startsOf(kept.map((k) => layers[k]!.FT.rows));
  const system = zeros(starts.at(-1)!, starts.at(-1)!);
  for (const [i, k] of kept.entries()) {
    const { FT } = layers[k]!;
    const diagonal = addDiagonal(await product(FT, FT, transB), rho);
    for (const l of neighbours(k)) {
      await accumulate(diagonal, -1, W[l]![k]!, W[l]![k]!, transA);
      const far = 2 * l - k;
      if (far < 0 || far >= L) continue;
      const coupling = scale(await product(W[l]![k]!, W[l]![far]!, transA), -1);
      setBlock(system, starts[i]!, starts[(far - 1) / 2]!, coupling);
    }
    setBlock(system, starts[i]!, starts[i]!, diagonal);
  }
  const coupled = await factorizeGeneral(system, `${NAME}: coupled layers`, options);

  return async (y) => {
    const half: Matrix[] = [];
    for (let l = 0; l < L; l += 2) half[l] = await dropped[l]!.solveLower(y[l]!);
    const right = stack(
      kept.map((k) => y[k]!),
      y[0]!.cols,
    );
    for (const [i, k] of kept.entries()) {
      const part = rowRange(right, starts[i]!, starts[i + 1]!);
      for (const l of neighbours(k)) await accumulate(part, -1, W[l]![k]!, half[l]!, transA);
    }
    const solution = await coupled.solveMatrix(right);
    const z: Matrix[] = [];
    for (const [i, k] of kept.entries()) z[k] = rowRange(solution, starts[i]!, starts[i + 1]!);
    for (let l = 0; l < L; l += 2) {
      for (const k of neighbours(l)) await accumulate(half[l]!, -1, W[l]![k]!, z[k]!, options);
      z[l] = await dropped[l]!.solveUpper(half[l]!);
    }
    return z;
  };
}

/** M + rho, and where each block begins in it. */
async function wholeSystem(
  { layers, neighbours }: Blocks,
  rho: number,
  options: ComputeOptions,
): Promise<{ M: Matrix; starts: number[] }> {
  const starts = startsOf(layers.map(({ FT }) => FT.rows));
  const M = zeros(starts.at(-1)!, starts.at(-1)!);
  for (const [l, { FT }] of layers.entries()) {
    for (const k of [...neighbours[l]!, l]) {
      const coupling = await product(FT, layers[k]!.FT, { ...options, transB: true });
      setBlock(M, starts[l]!, starts[k]!, coupling);
    }
  }
  return { M: addDiagonal(M, rho), starts };
}

/** A solver of the whole system for the blocks apart. */
const apart =
  (solve: (b: Matrix) => Promise<Matrix>, starts: readonly number[]): CompressedSolve =>
  async (y) => {
    const z = await solve(stack(y, y[0]!.cols));
    return y.map((_, l) => rowRange(z, starts[l]!, starts[l + 1]!));
  };

/** (M + rho)^-1 of blocks that are no chain, by one LU. */
async function together(blocks: Blocks, rho: number, options: ComputeOptions): Promise<CompressedSolve> {
  const { M, starts } = await wholeSystem(blocks, rho, options);
  const { solveMatrix } = await factorizeGeneral(M, `${NAME}: coupled layers`, options);
  return apart(solveMatrix, starts);
}

/** (M + rho)^+ by its eigenvalues. */
async function onRange(
  blocks: Blocks,
  rho: number,
  epsilon: number,
  { onInversion, engine, signal }: InvertOptions,
): Promise<CompressedSolve> {
  const computing = { engine, signal };
  const { M, starts } = await wholeSystem(blocks, rho, computing);
  const inverse = await pseudoInverse(M, { ...computing, epsilon, semidefinite: false });
  const size = rho > 0 ? M.rows : sum(blocks.layers.map(({ FT }) => FT.cols));
  onInversion?.({
    what: `${NAME}: coupled layers`,
    size,
    rank: inverse.rank,
    condition: inverse.condition(),
    epsilon,
  });
  return apart((b) => inverse.solveMatrix(b), starts);
}

/** Solves that the condition is estimated by. */
const SOLVES = 2;

/** |M + rho| |(M + rho)^-1|, estimated from below. */
async function conditionOf(
  { layers, neighbours }: Blocks,
  rho: number,
  solve: CompressedSolve,
  size: number,
): Promise<number> {
  const starts = startsOf(layers.map(({ FT }) => FT.rows));
  const part = (v: Float64Array, l: number): Float64Array => v.subarray(starts[l]!, starts[l + 1]!);
  const inverse = await growthOf(
    async (v) => {
      const z = await solve(layers.map(({ FT }, l) => matrix(FT.rows, 1, part(v, l))));
      return stack(z, 1).data;
    },
    size,
    SOLVES,
  );
  const largest = growth((v) => {
    const moved = layers.map(({ FT }, l) => {
      const out = new Float64Array(FT.cols);
      addTimesTransposed(out, 1, FT, part(v, l));
      return out;
    });
    const out = v.map((x) => rho * x);
    for (const [l, { FT }] of layers.entries()) {
      for (const k of [...neighbours[l]!, l].toSorted((a, b) => a - b))
        addTimes(part(out, l), 1, FT, moved[k]!);
    }
    return out;
  }, size);
  return Math.max(1, inverse * largest);
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

/** Where each of some parts begins, and where the last one ends. */
const startsOf = (sizes: readonly number[]): number[] => [
  0,
  ...sizes.map((_, i) => sum(sizes.slice(0, i + 1))),
];

/** Matrices of `cols` columns one below the other, which may be none. */
const stack = (parts: readonly Matrix[], cols: number): Matrix =>
  parts.length > 0 ? stackRows(parts) : zeros(0, cols);
