/**
 * @file Kernel-target alignment (Cristianini et al. 2001; centred: Cortes, Mohri & Rostamizadeh 2012),
 *
 *     <K, Y Y^T> / (|K| |Y Y^T|)
 *
 * in Frobenius norms: 1 where the kernel is the labels' own, and the larger, the sooner gradient descent learns them.
 * Y Y^T is the sum over outputs of y_c y_c^T, and K [N, N] is Theta, or for a kernel of C outputs the mean of its C
 * diagonal blocks, which is Theta again at infinite width. Both are scale-free: no normalisation enters.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { agree } from "../error.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { map, norm, zeros, type Matrix } from "../linalg/matrix.ts";
import { product } from "../linalg/product.ts";

/** Options of {@link alignment}. */
export type AlignmentOptions = ComputeOptions & {
  /** Takes the mean out of features and labels first (H K H with H = I - 1 1^T / N). Default: false. */
  centred?: boolean;
};

/** Alignment of a training kernel with labels `y` [N, C], from -1 to 1 (0 where one of the two vanishes). */
export async function alignment(
  kernel: Kernel,
  y: Matrix,
  { centred = false, engine, signal }: AlignmentOptions = {},
): Promise<number> {
  agree("labels", `${kernel.cols} rows`, `${y.rows} rows`);
  const prepare = centred ? centre : (a: Matrix) => a;
  const K = prepare(await outputMean(kernel));
  const target = prepare(await product(y, y, { engine, signal, transB: true }));
  let inner = 0;
  for (let i = 0; i < K.data.length; i++) inner += K.data[i]! * target.data[i]!;
  const sizes = norm(K) * norm(target);
  return sizes === 0 ? 0 : inner / sizes;
}

/** Mean of the blocks Theta_cc [N, N] of a kernel of C outputs. */
async function outputMean(kernel: Kernel): Promise<Matrix> {
  const { cols: N, outputs: C } = kernel;
  const theta = await kernel.matrix({ shared: true });
  if (C === 1) return theta;
  const out = zeros(N, N);
  for (let n = 0; n < N; n++) {
    for (let m = 0; m < N; m++) {
      for (let c = 0; c < C; c++) out.data[n * N + m]! += theta.data[(n * C + c) * N * C + m * C + c]! / C;
    }
  }
  return out;
}

/** H a H for a symmetric a. */
function centre(a: Matrix): Matrix {
  const n = a.rows;
  const means = new Float64Array(n);
  for (let i = 0; i < a.data.length; i++) means[i % n]! += a.data[i]! / n;
  const mean = means.reduce((sum, x) => sum + x, 0) / n;
  return map(a, (x, i) => x - means[i % n]! - means[Math.floor(i / n)]! + mean);
}
