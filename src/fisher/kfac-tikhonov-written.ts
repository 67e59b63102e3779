/**
 * @file K-FAC damped as a product on blocks that act at several positions (kfac-written.ts has the factors A and B): in their
 * eigenbases A = U diag(a) U^T and B = W diag(b) W^T,
 *
 *     dtheta_l = W [ (W^T (J_l^T r / N) U) / (b a^T + rho) ] U^T.
 *
 * With several positions the gradient has parts outside of the ranges of A and B; their weight is 1 / rho.
 */
import type { BlockKernel } from "../kernel/block.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { eigen } from "../linalg/eigen.ts";
import { asFloat64, scale, type Floats, type Matrix } from "../linalg/matrix.ts";
import { product } from "../linalg/product.ts";
import type { InvertOptions } from "./fisher.ts";
import { blockInverse, pulledBack, rowsOf, type BlockUpdate } from "./written.ts";

/** r to dtheta_l, for rho above zero. */
export async function writtenTikhonov(
  kernel: Kernel,
  layer: BlockKernel,
  index: number,
  damping: number,
  options: InvertOptions,
): Promise<BlockUpdate> {
  const { cols: N, epsilon } = kernel;
  const what = `kfac_tikhonov: layer ${index + 1}`;
  if (!layer.reduced) return blockInverse(layer, N, damping, { what, epsilon }, options);
  const { train } = await rowsOf(layer, "kfac_tikhonov");
  const { inputs, signals } = await layer.reduced();
  const A = await spectrum(inputs, N, options);
  const B = await spectrum(signals, N, options);
  const weights = Float64Array.from({ length: B.values.length * A.values.length }, (_, at) => {
    const [j, i] = [Math.floor(at / A.values.length), at % A.values.length];
    return 1 / (B.values[j]! * A.values[i]! + damping);
  });
  const size = weights.length;
  const condition = (A.values.at(-1)! * B.values.at(-1)! + damping) / (A.values[0]! * B.values[0]! + damping);
  options.onInversion?.({ what, size, rank: size, condition, epsilon });
  return async (residual) => {
    const d = pulledBack(layer, train, residual, N);
    const inside = await product(
      await product(B.vectors, d, { ...options, transA: true }),
      A.vectors,
      options,
    );
    for (let i = 0; i < size; i++) inside.data[i]! *= weights[i]!;
    return product(await product(B.vectors, inside, options), A.vectors, { ...options, transB: true });
  };
}

/** Eigenvectors and eigenvalues, at least zero and ascending, of F^T F / N. */
async function spectrum(
  F: Matrix<Floats>,
  samples: number,
  options: InvertOptions,
): Promise<{ vectors: Matrix; values: Float64Array }> {
  const f = asFloat64(F);
  const gram = await product(f, f, { ...options, transA: true });
  const { vectors, values } = await eigen(scale(gram, 1 / samples), options);
  return { vectors, values: Float64Array.from(values, (x) => Math.max(0, x)) };
}
