/**
 * @file K-FAC with the damping on the Kronecker product itself, (A (x) B + rho I)^-1, where kfac.ts damps its factors
 * apart, (A + rho_A) (x) (B + rho_B). In the eigenbases A_l / N = U diag(a) U^T and B_l / N = W diag(b) W^T,
 *
 *     K_l = W [ (W^T E U) / (b a^T + rho) ] U^T,   E[(n, c), n] = r_nc / N,
 *
 * at the price of two eigendecompositions per layer. What is null in A or in B is no direction of the layer's Jacobian: it
 * would vanish in the product with H and Delta, were its eigenvalue not rounding, and has weight zero in place of 1 / rho. So
 * as rho goes to zero both are the same method.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import type { BlockKernel } from "../kernel/block.ts";
import { blocksOf, type Kernel } from "../kernel/kernel.ts";
import { eigen } from "../linalg/eigen.ts";
import { scale, zeros, type Matrix } from "../linalg/matrix.ts";
import { product } from "../linalg/product.ts";
import { eigenBytes, matrixBytes } from "./cost.ts";
import type { Coefficients, Fisher, InvertOptions, Propagator } from "./fisher.ts";
import { numericalZero } from "../linalg/singular.ts";
import { kfac } from "./kfac.ts";
import { writtenTikhonov } from "./kfac-tikhonov-written.ts";
import { outerLayers, writtenCost, writtenKfacCost } from "./written-cost.ts";
import { sumOf, writtenPropagator, type BlockUpdate } from "./written.ts";

export const kfacTikhonov: Fisher = {
  ...kfac,
  name: "kfac_tikhonov",
  title: "NGD with Kronecker-factored blocks, damped as products (A (x) B + rho I)",

  async prepare(kernel, damping, options = {}) {
    const { engine, signal } = options;
    const computing = { engine, signal };
    // Undamped the two are one method, and Cholesky tells a singular Gram from a small eigenvalue better.
    if (damping === 0) return kfac.prepare(kernel, 0, options);
    const { cols: N, outputs: C } = kernel;
    const bases: (Basis | BlockUpdate)[] = [];
    for (const [l, layer] of blocksOf(kernel).entries()) {
      bases.push(
        layer.written
          ? await writtenTikhonov(kernel, layer, l, damping, options)
          : await basisOf(kernel, layer, damping, `kfac_tikhonov: layer ${l + 1}`, options),
      );
    }

    /** (W^T E U) o weights, [N C, N]. */
    const inBasis = async ({ U, W, weights }: Basis, residual: Float64Array): Promise<Matrix> => {
      await breathe(signal);
      const spread = zeros(N * C, N);
      for (let row = 0; row < N * C; row++) {
        const n = Math.floor(row / C);
        for (let m = 0; m < N; m++) spread.data[row * N + m] = (residual[row]! / N) * U.data[n * N + m]!;
      }
      const inside = await product(W, spread, { ...computing, transA: true });
      return { ...inside, data: inside.data.map((x, i) => x * weights.data[i]!) };
    };

    return {
      async solve(residual) {
        const all: Coefficients[] = [];
        for (const basis of bases) {
          if (typeof basis === "function") {
            all.push({ kind: "whole", matrix: await basis(residual) });
            continue;
          }
          const left = await product(basis.W, await inBasis(basis, residual), computing);
          const mixing = await product(left, basis.U, { ...computing, transB: true });
          all.push({ kind: "mixing", matrix: mixing });
        }
        return all;
      },
      async onto(cross) {
        const sides: { left: Matrix; right: Matrix; basis: Basis }[] = [];
        const written: Propagator[] = [];
        for (const [l, layer] of blocksOf(cross).entries()) {
          const basis = bases[l]!;
          if (typeof basis === "function") {
            written.push(await writtenPropagator(layer, basis, "kfac_tikhonov"));
            continue;
          }
          const { A, B } = await layer.factors();
          sides.push({
            left: await product(B, basis.W, computing),
            right: await product(A, basis.U, computing),
            basis,
          });
        }
        const outer: Propagator = async (residual) => {
          const out = new Float64Array(cross.rows * cross.rowOutputs);
          for (const { left, right, basis } of sides) {
            const moved = await product(left, await inBasis(basis, residual), computing);
            const rowOutputs = moved.rows / right.rows;
            for (let row = 0; row < moved.rows; row++) {
              const at = Math.floor(row / rowOutputs) * N;
              for (let m = 0; m < N; m++) out[row]! += moved.data[row * N + m]! * right.data[at + m]!;
            }
          }
          return out;
        };
        if (written.length === 0) return outer;
        return sumOf(sides.length === 0 ? written : [outer, ...written]);
      },
    };
  },

  // U, W and the weights; every matrix between two bases has the size of K_l.
  cost(sizes) {
    if (!sizes.damped) return kfac.cost(sizes);
    const { samples: N, outputs, layers } = sizes;
    const [L, m] = [outerLayers(layers).length, N * outputs];
    const mixing = matrixBytes(m, N);
    const written = writtenCost(layers, writtenKfacCost(sizes, { expand: false, eigenvectors: true }));
    const kept = written.kept + L * (matrixBytes(N) + matrixBytes(m) + mixing);
    return {
      prepare: {
        kept,
        peak: kept + Math.max(L > 0 ? eigenBytes(m) + matrixBytes(m) : 0, written.peak - written.kept),
      },
      solve: { kept: L * mixing + written.updates, peak: (L + 4) * mixing + written.updates },
      onto(rows) {
        const sides = matrixBytes(rows.samples * rows.outputs, m) + matrixBytes(rows.samples, N);
        return {
          kept: L * sides,
          peak: L * sides + 4 * matrixBytes(Math.max(m, rows.samples * rows.outputs), N),
        };
      },
      operations: L * (7 * (N ** 3 + m ** 3) + 4 * (m ** 2 * N + m * N ** 2)) + written.operations,
    };
  },
};

/** Eigenvectors of A_l [N, N] and B_l [N C, N C], and 1 / (b a^T + rho) [N C, N], zero in null directions. */
type Basis = { readonly U: Matrix; readonly W: Matrix; readonly weights: Matrix };

async function basisOf(
  kernel: Kernel,
  layer: BlockKernel,
  damping: number,
  what: string,
  { onInversion, engine, signal }: InvertOptions,
): Promise<Basis> {
  const { cols: N, epsilon } = kernel;
  const grams = await layer.factors();
  const A = await onRange(scale(grams.A, 1 / N), layer.inputRank, epsilon, { engine, signal });
  const B = await onRange(scale(grams.B, 1 / N), layer.signalRank, epsilon, { engine, signal });
  const weights = zeros(B.values.length, A.values.length);
  for (const [j, b] of B.values.entries()) {
    for (const [i, a] of A.values.entries()) {
      weights.data[j * A.values.length + i] = a > 0 && b > 0 ? 1 / (a * b + damping) : 0;
    }
  }
  const condition = (A.largest * B.largest + damping) / (A.smallest * B.smallest + damping);
  onInversion?.({ what, size: A.rank * B.rank, rank: A.rank * B.rank, condition, epsilon });
  return { U: A.vectors, W: B.vectors, weights };
}

/** Eigenvectors, and the eigenvalues with zeros for all that is rounding. */
type Spectrum = {
  readonly vectors: Matrix;
  readonly values: Float64Array;
  readonly rank: number;
  /** The extremes of those that are not zero; zero where all are. */
  readonly smallest: number;
  readonly largest: number;
};

async function onRange(
  k: Matrix,
  maxRank: number,
  epsilon: number,
  options: ComputeOptions,
): Promise<Spectrum> {
  const { values: all, vectors } = await eigen(k, options);
  const zero = numericalZero(all, epsilon);
  const values = all.map((x, i) => (x > zero && i >= all.length - maxRank ? x : 0));
  const kept = values.filter((x) => x > 0);
  return { vectors, values, rank: kept.length, smallest: kept[0] ?? 0, largest: kept.at(-1) ?? 0 };
}
