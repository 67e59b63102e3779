/**
 * @file Unit-wise NGD (paper, section 4.4; Amari et al., arXiv 1808.07172), for any number of outputs: one block of the
 * Fisher matrix a unit. A unit i of a layer sees N samples through s_n = sum_c Delta_nci^2 and b_n = sum_c Delta_nci r_nc,
 * and its block solves in the N x N dual,
 *
 *     (diag(s) A_l / N + rho I) z = b,     U_l[., i] = z / N,
 *
 * whatever C is. Samples on which the unit is silent (s_n = 0) have z_n = 0 and are left out; on the others
 * z = s^(1/2) w makes the system symmetric, (s^(1/2) A s^(1/2) / N + rho I) w = s^(-1/2) b. alpha = gamma (L - 1) M / C + 1
 * with gamma the share of active samples (1/2 for ReLU): the paper's gamma (L - 1) M and the last layer's 1.
 *
 * Undamped at finite width this divides by arbitrarily small signals and diverges; rho about 1e-6 is enough.
 */
import { InputError, SingularGramError } from "../error.ts";
import type { Kernel, LayerKernel } from "../kernel/kernel.ts";
import { zeros, type Floats, type Matrix } from "../matrix/matrix.ts";
import { product } from "../matrix/product.ts";
import type { Coefficients, Fisher } from "./fisher.ts";

/** Share of samples on which a ReLU unit is active. */
const ACTIVE_SHARE = 0.5;

export const unitWise: Fisher = {
  name: "unit_wise",
  title: "NGD with one block of the Fisher matrix a unit",
  usesCurvature: true,
  usesSignals: true,
  alpha: ({ layers, width, outputs }) => (ACTIVE_SHARE * (layers - 1) * width) / outputs + 1,

  async prepare(kernel, damping) {
    // Training and test outputs move by the same update: the last one is kept.
    let last: { residual: Float64Array; updates: Matrix[] } | undefined;
    const solveLayers = (residual: Float64Array): Matrix[] => {
      if (last?.residual !== residual) {
        const updates = kernel.layers.map((layer, l) => solveUnits(kernel, layer, l, residual, damping));
        last = { residual, updates };
      }
      return last.updates;
    };
    return {
      coefficients: async (residual) =>
        solveLayers(residual).map((U): Coefficients => ({ kind: "update", matrix: U })),
      async propagator(cross) {
        return async (residual) => {
          const out = new Float64Array(cross.layers[0]!.signalGram.rows);
          for (const [l, U] of solveLayers(residual).entries()) {
            await addUnits(out, cross.layers[l]!, l, U);
          }
          return out;
        };
      },
    };
  },
};

/** Delta_l of a kernel. */
function signalsOf(layer: LayerKernel, l: number): { rows: Matrix<Floats>; train: Matrix<Floats> } {
  if (layer.signals) return layer.signals;
  throw new InputError(`unit_wise: wanted a kernel with the signals of its units in layer ${l + 1}, got Grams alone`);
}

/** U_l [N, M] of one layer. */
function solveUnits(
  kernel: Kernel,
  layer: LayerKernel,
  l: number,
  residual: Float64Array,
  damping: number,
): Matrix {
  const { samples: N, outputs: C } = kernel;
  const { train } = signalsOf(layer, l);
  const M = train.cols;
  const A = layer.inputGram.data;
  const U = zeros(N, M);
  const [root, right] = [new Float64Array(N), new Float64Array(N)];
  const active = new Int32Array(N);
  const lower = new Float64Array(N * N);

  for (let i = 0; i < M; i++) {
    let count = 0;
    for (let n = 0; n < N; n++) {
      let s = 0;
      let b = 0;
      for (let c = 0; c < C; c++) {
        const delta = train.data[(n * C + c) * M + i]!;
        s += delta * delta;
        b += delta * residual[n * C + c]!;
      }
      if (s === 0) continue;
      active[count] = n;
      root[count] = Math.sqrt(s);
      right[count] = b / root[count]!;
      count++;
    }
    for (let p = 0; p < count; p++) {
      const row = A.subarray(active[p]! * N, active[p]! * N + N);
      const weight = root[p]! / N;
      for (let q = 0; q <= p; q++) lower[p * count + q] = weight * root[q]! * row[active[q]!]!;
      lower[p * count + p]! += damping;
    }
    if (!solveInPlace(lower, right, count)) {
      throw new SingularGramError({
        what: `unit_wise: unit ${i + 1} of layer ${l + 1}`,
        size: count,
        rank: undefined,
        condition: Infinity,
      });
    }
    for (let p = 0; p < count; p++) U.data[active[p]! * M + i] = (root[p]! * right[p]!) / N;
  }
  return U;
}

/** Solves with a small symmetric positive definite matrix (lower triangle, destroyed); false when it is not. */
function solveInPlace(a: Float64Array, x: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j < i; j++) {
      let sum = a[row + j]!;
      const other = j * n;
      for (let p = 0; p < j; p++) sum -= a[row + p]! * a[other + p]!;
      a[row + j] = sum / a[other + j]!;
    }
    let pivot = a[row + i]!;
    let value = x[i]!;
    for (let p = 0; p < i; p++) {
      pivot -= a[row + p]! * a[row + p]!;
      value -= a[row + p]! * x[p]!;
    }
    if (!(pivot > 0)) return false;
    const diagonal = Math.sqrt(pivot);
    a[row + i] = diagonal;
    x[i] = value / diagonal;
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = i * n;
    const value = x[i]! / a[row + i]!;
    x[i] = value;
    for (let p = 0; p < i; p++) x[p]! -= a[row + p]! * value;
  }
  return true;
}

/** out += sum over units i of Delta'[., i] o (A' U[., i]), on the rows of a cross kernel. */
async function addUnits(out: Float64Array, layer: LayerKernel, l: number, U: Matrix): Promise<void> {
  const { rows } = signalsOf(layer, l);
  const moved = await product(layer.inputGram, U);
  const C = rows.rows / moved.rows;
  const M = U.cols;
  for (let row = 0; row < rows.rows; row++) {
    const at = Math.floor(row / C) * M;
    let sum = 0;
    for (let i = 0; i < M; i++) sum += rows.data[row * M + i]! * moved.data[at + i]!;
    out[row]! += sum;
  }
}
