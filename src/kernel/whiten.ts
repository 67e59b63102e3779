/**
 * @file The curvature of a loss, folded into a kernel. With Lambda_n = S_n S_n^T the curvature in the outputs of sample
 * n, the Fisher matrix is (1/N) J^T Lambda J: that of a mean squared error whose signals are S^T Delta. So a method sees
 * a loss only through the kernel made here, with B = S^T Delta Delta^T S, and through the residual that belongs to it.
 */
import type { Stoppable } from "../breathe.ts";
import { checkFactor, rightProduct, transposedProduct, type CurvatureFactor } from "../loss/curvature.ts";
import type { Kernel, LayerKernel } from "./kernel.ts";

/** The training kernel of S^T Delta on both sides, [N K, N K]. */
export async function whitenKernel(
  kernel: Kernel,
  S: CurvatureFactor,
  options: Stoppable = {},
): Promise<Kernel> {
  checkFactor(kernel, S);
  const last = kernel.layers.length - 1;
  const layers: LayerKernel[] = [];
  for (const [l, layer] of kernel.layers.entries()) {
    const { signalGram, signals, signalRank } = layer;
    const train = signals && (await transposedProduct(S, signals.train, options));
    layers.push({
      ...layer,
      signalGram: await transposedProduct(S, await rightProduct(signalGram, S, options), options),
      // Every direction that no S_n has is lost to the last layer, whose signals are the outputs themselves.
      signalRank: l === last ? Math.min(signalRank, S.rank) : signalRank,
      ...(train ? { signals: { rows: train, train } } : {}),
    });
  }
  return { ...kernel, outputs: S.columns, layers };
}

/** A cross kernel with plain signals in its rows and S^T Delta in its columns, [N' C, N K]. */
export async function whitenColumns(
  kernel: Kernel,
  S: CurvatureFactor,
  options: Stoppable = {},
): Promise<Kernel> {
  checkFactor(kernel, S);
  const layers: LayerKernel[] = [];
  for (const layer of kernel.layers) {
    const { signalGram, signals } = layer;
    const train = signals && (await transposedProduct(S, signals.train, options));
    layers.push({
      ...layer,
      signalGram: await rightProduct(signalGram, S, options),
      ...(train ? { signals: { rows: signals.rows, train } } : {}),
    });
  }
  return { ...kernel, outputs: S.columns, layers };
}
