/**
 * @file The largest learning rate at which a method is stable: f_{t+1} - y = (I - eta G) (f_t - y) decays while
 * |1 - eta mu| < 1 for every eigenvalue mu of G, so
 *
 *     eta_max = min over mu of 2 Re(mu) / |mu|^2,
 *
 * which is 2 / mu_max for the positive eigenvalues that most methods have. G of block-tri-diagonal and unit-wise NGD is
 * not symmetric. Its outer eigenvalues are found by Arnoldi's method (Saad, Numerical methods for large eigenvalue
 * problems, ch. 6): power iteration that keeps all its vectors, and so needs a few products with G, and no G.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { agree, demandWhole, NotFiniteError } from "../error.ts";
import type { Propagator } from "../fisher/fisher.ts";
import { hessenbergEigenvalues, type Complex } from "../linalg/hessenberg.ts";
import { block, norm, zeros } from "../linalg/matrix.ts";
import { randomState } from "../random/random-state.ts";

/** Options of {@link stableLearningRate}. */
export type StabilityOptions = Stoppable & {
  /** Products with G at most; as many as rows of G make the result exact. Default: 64. */
  iterations?: number;
  /** The search ends when twice as many products move the learning rate by less than this share. Default: 1e-6. */
  tolerance?: number;
  /** Eigenvalues smaller than this share of the largest count as rounding. Default: 1e-10. */
  epsilon?: number;
};

/**
 * The largest stable learning rate of a method whose G, on n rows, is `propagator` (made on the training kernel itself).
 * @returns 0 when an eigenvalue has no positive real part: then no learning rate is stable. Infinity for G = 0.
 */
export async function stableLearningRate(
  propagator: Propagator,
  n: number,
  { iterations = 64, tolerance = 1e-6, epsilon = 1e-10, signal }: StabilityOptions = {},
): Promise<number> {
  demandWhole("n", n);
  demandWhole("iterations", iterations);
  const steps = Math.min(n, iterations);
  const H = zeros(steps + 1, steps);
  const basis = [unit(randomState(0).normalsInto(new Float64Array(n)))];
  let rate = Infinity;
  for (let j = 0; j < steps; j++) {
    await breathe(signal);
    const w = Float64Array.from(await propagator(basis[j]!));
    agree("G", `${n} numbers`, `${w.length} numbers`);
    const size = norm({ rows: n, cols: 1, data: w });
    if (!Number.isFinite(size)) throw new NotFiniteError("G: wanted finite numbers in G v, got others");
    // Twice is enough (Kahan & Parlett) to be orthogonal in floating point.
    for (let pass = 0; pass < 2; pass++) {
      for (const [i, v] of basis.entries()) {
        let along = 0;
        for (let k = 0; k < n; k++) along += v[k]! * w[k]!;
        H.data[i * steps + j]! += along;
        for (let k = 0; k < n; k++) w[k]! -= along * v[k]!;
      }
    }
    const left = norm({ rows: n, cols: 1, data: w });
    const last = j + 1 === steps || left <= epsilon * size;
    if (last || Number.isInteger(Math.log2(j + 1))) {
      const before = rate;
      rate = stableRate(hessenbergEigenvalues(block(H, 0, j + 1, 0, j + 1)), epsilon);
      if (last || Math.abs(before - rate) <= tolerance * rate) break;
    }
    H.data[(j + 1) * steps + j] = left;
    basis.push(w.map((x) => x / left));
  }
  return rate;
}

function stableRate(values: readonly Complex[], epsilon: number): number {
  const sizes = values.map(({ re, im }) => Math.hypot(re, im));
  const least = epsilon * Math.max(...sizes);
  const rates = values.map(({ re }, i) => (sizes[i]! <= least ? Infinity : (2 * re) / sizes[i]! ** 2));
  return Math.max(0, Math.min(...rates));
}

const unit = (v: Float64Array): Float64Array => {
  const size = norm({ rows: v.length, cols: 1, data: v });
  return v.map((x) => x / size);
};
