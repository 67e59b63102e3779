/**
 * @file K-FAC with the damping on the Kronecker product itself, (A (x) B + rho I)^-1, where kfac.ts damps its factors
 * apart, (A + rho_A) (x) (B + rho_B). In the eigenbases A_l / N = U diag(a) U^T and B_l / N = W diag(b) W^T,
 *
 *     K_l = W [ (W^T E U) / (b a^T + rho) ] U^T,   E[(n, c), n] = r_nc / N,
 *
 * at the price of two eigendecompositions a layer. As rho goes to zero both are the same method.
 */
import { breathe } from "../breathe.ts";
import type { Kernel, LayerKernel } from "../kernel/kernel.ts";
import { eigen } from "../matrix/eigen.ts";
import { scale, zeros, type Matrix } from "../matrix/matrix.ts";
import { product } from "../matrix/product.ts";
import { eigenBytes, matrixBytes } from "./cost.ts";
import type { Coefficients, Fisher } from "./fisher.ts";
import { kfac } from "./kfac.ts";

export const kfacTikhonov: Fisher = {
  ...kfac,
  name: "kfac_tikhonov",
  title: "NGD with Kronecker-factored blocks, damped as products (A (x) B + rho I)",

  async prepare(kernel, damping, { signal } = {}) {
    // Undamped the two are one method, and Cholesky tells a singular Gram from a small eigenvalue better.
    if (damping === 0) return kfac.prepare(kernel, 0, { signal });
    const { samples: N, outputs: C } = kernel;
    const bases: Basis[] = [];
    for (const layer of kernel.layers) bases.push(await basisOf(kernel, layer, damping, signal));

    /** (W^T E U) o weights, [N C, N]. */
    const inBasis = async ({ U, W, weights }: Basis, residual: Float64Array): Promise<Matrix> => {
      await breathe(signal);
      const spread = zeros(N * C, N);
      for (let row = 0; row < N * C; row++) {
        const n = Math.floor(row / C);
        for (let m = 0; m < N; m++) spread.data[row * N + m] = (residual[row]! / N) * U.data[n * N + m]!;
      }
      const inside = await product(W, spread, { transA: true });
      return { ...inside, data: inside.data.map((x, i) => x * weights.data[i]!) };
    };

    return {
      async coefficients(residual) {
        const all: Coefficients[] = [];
        for (const basis of bases) {
          const left = await product(basis.W, await inBasis(basis, residual));
          all.push({ kind: "mixing", matrix: await product(left, basis.U, { transB: true }) });
        }
        return all;
      },
      async propagator(cross) {
        const sides: { left: Matrix; right: Matrix }[] = [];
        for (const [l, { inputGram, signalGram }] of cross.layers.entries()) {
          sides.push({
            left: await product(signalGram, bases[l]!.W),
            right: await product(inputGram, bases[l]!.U),
          });
        }
        return async (residual) => {
          const out = new Float64Array(sides[0]!.left.rows);
          for (const [l, { left, right }] of sides.entries()) {
            const moved = await product(left, await inBasis(bases[l]!, residual));
            const rowOutputs = moved.rows / right.rows;
            for (let row = 0; row < moved.rows; row++) {
              const at = Math.floor(row / rowOutputs) * N;
              for (let m = 0; m < N; m++) out[row]! += moved.data[row * N + m]! * right.data[at + m]!;
            }
          }
          return out;
        };
      },
    };
  },

  // U, W and the weights; every matrix between two bases has the size of K_l.
  cost(sizes) {
    if (!sizes.damped) return kfac.cost(sizes);
    const { samples: N, outputs, layers } = sizes;
    const [L, m] = [layers.length, N * outputs];
    const mixing = matrixBytes(m, N);
    const kept = L * (matrixBytes(N) + matrixBytes(m) + mixing);
    return {
      prepare: { kept, peak: kept + eigenBytes(m) + matrixBytes(m) },
      coefficients: { kept: L * mixing, peak: (L + 4) * mixing },
      propagator(rows) {
        const sides = matrixBytes(rows.samples * rows.outputs, m) + matrixBytes(rows.samples, N);
        return {
          kept: L * sides,
          peak: L * sides + 4 * matrixBytes(Math.max(m, rows.samples * rows.outputs), N),
        };
      },
      operations: L * (7 * (N ** 3 + m ** 3) + 4 * (m ** 2 * N + m * N ** 2)),
    };
  },
};

/** Eigenvectors of A_l [N, N] and B_l [N C, N C], and 1 / (b a^T + rho) [N C, N]. */
type Basis = { readonly U: Matrix; readonly W: Matrix; readonly weights: Matrix };

async function basisOf(
  kernel: Kernel,
  layer: LayerKernel,
  damping: number,
  signal: AbortSignal | undefined,
): Promise<Basis> {
  const { values: a, vectors: U } = await eigen(scale(layer.inputGram, 1 / kernel.samples), { signal });
  const { values: b, vectors: W } = await eigen(scale(layer.signalGram, 1 / kernel.samples), { signal });
  const weights = zeros(b.length, a.length);
  for (let j = 0; j < b.length; j++) {
    for (let i = 0; i < a.length; i++) {
      weights.data[j * a.length + i] = 1 / (Math.max(0, a[i]!) * Math.max(0, b[j]!) + damping);
    }
  }
  return { U, W, weights };
}
