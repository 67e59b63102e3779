/**
 * @file The curvature of a loss, folded into a kernel. With Lambda_n = S_n S_n^T the curvature in the outputs of sample
 * n, the Fisher matrix is (1/N) J^T Lambda J: that of a mean squared error whose signals are S^T Delta. So a method sees
 * a loss only through the kernel made here, with B = S^T Delta Delta^T S, and through the residual that belongs to it.
 */
import type { Stoppable } from "../breathe.ts";
import {
  applyFactor,
  checkFactor,
  restrictFactor,
  rightProduct,
  transposedProduct,
  transposeFactor,
  type CurvatureFactor,
} from "../loss/curvature.ts";
import { matrix, zeros, type Matrix } from "../linalg/matrix.ts";
import { outerBlock, type BlockKernel, type Reduced } from "./block.ts";
import { kernelOfBlocks, lazyKernel, type Kernel, type KernelHead } from "./kernel.ts";
import { lazy } from "./lazy.ts";

/** The training kernel of S^T Delta on both sides, [N K, N K]. */
export function whitenKernel(kernel: Kernel, S: CurvatureFactor, options: Stoppable = {}): Kernel {
  checkFactor({ samples: kernel.cols, outputs: kernel.outputs }, S);
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
      whitenPair(block.reduced, S, options),
      whitenPair(block.expanded, S, options),
    ),
  );
  return kernelOfBlocks(head, whitened);
}

/** A cross kernel with plain signals in its rows and S^T Delta in its columns, [N' C, N K]. */
export function whitenColumns(kernel: Kernel, S: CurvatureFactor, options: Stoppable = {}): Kernel {
  checkFactor({ samples: kernel.cols, outputs: kernel.outputs }, S);
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
      whitenPair(block.reduced, S, options),
      whitenPair(block.expanded, S, options),
    ),
  );
  return kernelOfBlocks(head, whitened);
}

/** Inputs and signals of a block with S^T Delta for its signals. */
const whitenPair = (
  pair: BlockKernel["reduced"],
  S: CurvatureFactor,
  options: Stoppable,
): (() => Promise<Reduced>) | undefined =>
  pair &&
  lazy(async () => {
    const { inputs, signals } = await pair();
    return { inputs, signals: await transposedProduct(S, signals, options) };
  });

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
        out.data.set((await bothSides(block, restrictFactor(S, [n]), {})).data, n * K * K);
      }
      return out;
    },
    rowsOf: async (chosen) =>
      transposedProduct(
        restrictFactor(S, chosen),
        await rightProduct(await kernel.rowsOf(chosen), S, options),
        options,
      ),
  };
}

/** blockdiag(S)^T a blockdiag(S). */
const bothSides = async (a: Matrix, S: CurvatureFactor, options: Stoppable): Promise<Matrix> =>
  transposedProduct(S, await rightProduct(a, S, options), options);
