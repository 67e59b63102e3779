/**
 * @file The curvature of a loss, folded into a kernel. With Lambda_n = S_n S_n^T the curvature in the outputs of sample
 * n, the Fisher matrix is (1/N) J^T Lambda J: that of a mean squared error whose signals are S^T Delta. So a method sees
 * a loss only through the kernel made here, with B = S^T Delta Delta^T S, and through the residual that belongs to it.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { agree } from "../error.ts";
import { matrix, zeros, type Floats, type Matrix } from "../matrix/matrix.ts";
import { outerBlock } from "./block.ts";
import { kernelOfBlocks, lazyKernel, type Kernel, type KernelHead } from "./kernel.ts";
import { lazy } from "./lazy.ts";

/** S_n [C, K] of every sample. */
export type CurvatureFactor = {
  readonly samples: number;
  /** C, outputs. */
  readonly outputs: number;
  /** K, columns: fewer than C where the curvature has null directions. */
  readonly columns: number;
  /** [N, C, K] */
  readonly values: Float64Array;
  /** Rank of [S_1, ..., S_N] [C, N K]: less than C where a null direction is the same for all samples. */
  readonly rank: number;
};

/** The training kernel of S^T Delta on both sides, [N K, N K]. */
export function whitenKernel(kernel: Kernel, S: CurvatureFactor, options: Stoppable = {}): Kernel {
  checkFactor(kernel, S);
  const head = { ...kernel, outputs: S.columns, rowOutputs: S.columns };
  const { blocks } = kernel;
  if (!blocks) return whitenProducts(kernel, head, S, options);
  const last = blocks.length - 1;
  const whitened = blocks.map((block, l) =>
    outerBlock(
      // Every direction that no S_n has is lost to the last layer, whose signals are the outputs themselves.
      l === last ? { ...block, signalRank: Math.min(block.signalRank, S.rank) } : block,
      lazy(async () => {
        const { A, B } = await block.factors();
        return { A, B: await bothSides(B, S, options) };
      }),
      block.units &&
        lazy(async () => {
          const train = await transposedProduct(S, (await block.units!()).train, options);
          return { rows: train, train };
        }),
    ),
  );
  return kernelOfBlocks(head, whitened);
}

/** A cross kernel with plain signals in its rows and S^T Delta in its columns, [N' C, N K]. */
export function whitenColumns(kernel: Kernel, S: CurvatureFactor, options: Stoppable = {}): Kernel {
  checkFactor(kernel, S);
  const head = { ...kernel, outputs: S.columns };
  const { blocks } = kernel;
  if (!blocks) {
    return lazyKernel(head, async () => rightProduct(await kernel.matrix({ shared: true }), S, options));
  }
  const whitened = blocks.map((block) =>
    outerBlock(
      block,
      lazy(async () => {
        const { A, B } = await block.factors();
        return { A, B: await rightProduct(B, S, options) };
      }),
      block.units &&
        lazy(async () => {
          const { rows, train } = await block.units!();
          return { rows, train: await transposedProduct(S, train, options) };
        }),
    ),
  );
  return kernelOfBlocks(head, whitened);
}

/** S^T Theta S where Theta may be no matrix: its products are Theta's between products with S. */
function whitenProducts(
  kernel: Kernel,
  head: Required<KernelHead>,
  S: CurvatureFactor,
  options: Stoppable,
): Kernel {
  return {
    ...head,
    matrix: async () => bothSides(await kernel.matrix({ shared: true }), S, options),
    times: async (v) => transposeFactor(S, await kernel.times(applyFactor(S, v))),
    async diagonal() {
      const { data } = await kernel.diagonal();
      const { samples, outputs: C, columns: K } = S;
      const out = zeros(samples * K, K);
      for (let n = 0; n < samples; n++) {
        const block = matrix(C, C, data.subarray(n * C * C, (n + 1) * C * C));
        out.data.set((await bothSides(block, restrict(S, [n]), {})).data, n * K * K);
      }
      return out;
    },
    rowsOf: async (chosen) =>
      transposedProduct(
        restrict(S, chosen),
        await rightProduct(await kernel.rowsOf(chosen), S, options),
        options,
      ),
  };
}

/** blockdiag(S)^T a blockdiag(S). */
const bothSides = async (a: Matrix, S: CurvatureFactor, options: Stoppable): Promise<Matrix> =>
  transposedProduct(S, await rightProduct(a, S, options), options);

/** The factors of some samples. */
function restrict(S: CurvatureFactor, samples: readonly number[]): CurvatureFactor {
  const size = S.outputs * S.columns;
  const values = new Float64Array(samples.length * size);
  for (const [i, n] of samples.entries()) values.set(S.values.subarray(n * size, (n + 1) * size), i * size);
  return { ...S, samples: samples.length, values };
}

/** @throws RangeError unless a curvature is of the samples and outputs of a kernel. */
export function checkFactor(
  { cols: samples, outputs }: Pick<Kernel, "cols" | "outputs">,
  S: CurvatureFactor,
): void {
  agree(
    "curvature",
    `${samples} samples of ${outputs} outputs`,
    `${S.samples} samples of ${S.outputs} outputs`,
  );
  agree("curvature", `${samples * outputs * S.columns} numbers`, `${S.values.length} numbers`);
}

/** S v for v [N, K]: [N, C]. */
export function applyFactor(S: CurvatureFactor, v: Float64Array): Float64Array {
  const { samples, outputs: C, columns: K } = S;
  agree("coefficients", `${samples * K} numbers`, `${v.length} numbers`);
  const out = new Float64Array(samples * C);
  for (let row = 0; row < samples * C; row++) {
    const n = Math.floor(row / C);
    for (let k = 0; k < K; k++) out[row]! += S.values[row * K + k]! * v[n * K + k]!;
  }
  return out;
}

/** S^T v for v [N, C]: [N, K]. */
export function transposeFactor(S: CurvatureFactor, v: Float64Array): Float64Array {
  const out = zeros(S.samples * S.columns, 1);
  for (let row = 0; row < v.length; row++) addTransposed(out, S, { rows: v.length, cols: 1, data: v }, row);
  return out.data;
}

/** blockdiag(S) K for K [N K, m]: [N C, m]. */
export function applyFactorRows(S: CurvatureFactor, a: Matrix): Matrix {
  const { samples, outputs: C, columns: K } = S;
  agree("coefficients", `${samples * K} rows`, `${a.rows} rows`);
  const out = zeros(samples * C, a.cols);
  for (let row = 0; row < samples * C; row++) {
    const n = Math.floor(row / C);
    for (let k = 0; k < K; k++) addRow(out.data, row, a.data, n * K + k, a.cols, S.values[row * K + k]!);
  }
  return out;
}

/** blockdiag(S)^T a for a [N C, m]: [N K, m]. */
export async function transposedProduct(
  S: CurvatureFactor,
  a: Matrix<Floats>,
  { signal }: Stoppable = {},
): Promise<Matrix> {
  const out = zeros(S.samples * S.columns, a.cols);
  for (let row = 0; row < a.rows; row++) {
    await breathe(signal);
    addTransposed(out, S, a, row);
  }
  return out;
}

/** What one row of a [N C, m] adds to blockdiag(S)^T a. */
function addTransposed(
  out: Matrix,
  { outputs: C, columns: K, values }: CurvatureFactor,
  a: Matrix<Floats>,
  row: number,
): void {
  const n = Math.floor(row / C);
  for (let k = 0; k < K; k++) addRow(out.data, n * K + k, a.data, row, a.cols, values[row * K + k]!);
}

/** a blockdiag(S) for a [m, N C]: [m, N K]. */
export async function rightProduct(
  a: Matrix,
  S: CurvatureFactor,
  { signal }: Stoppable = {},
): Promise<Matrix> {
  const { samples, outputs: C, columns: K } = S;
  const out = matrix(a.rows, samples * K, new Float64Array(a.rows * samples * K));
  for (let i = 0; i < a.rows; i++) {
    await breathe(signal);
    for (let row = 0; row < samples * C; row++) {
      const value = a.data[i * a.cols + row]!;
      if (value === 0) continue;
      const to = i * out.cols + Math.floor(row / C) * K;
      for (let k = 0; k < K; k++) out.data[to + k]! += value * S.values[row * K + k]!;
    }
  }
  return out;
}

/** target[to] += weight * source[from], rows of `cols` numbers. */
function addRow(
  target: Float64Array,
  to: number,
  source: Floats,
  from: number,
  cols: number,
  weight: number,
): void {
  if (weight === 0) return;
  for (let j = 0, t = to * cols, s = from * cols; j < cols; j++, t++, s++) target[t]! += weight * source[s]!;
}
