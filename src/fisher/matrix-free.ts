/**
 * @file Solves with X(Theta, rho) = (Theta / N + rho I)^-1 that never form Theta: conjugate gradients on its products
 * J (J^T v), 4 N P operations each, with a partial Cholesky factor of low rank as preconditioner (RPCholesky: Chen, Epperly,
 * Tropp & Webber, arXiv 2207.06503; Diaz, Epperly, Frangella, Tropp & Webber, arXiv 2304.12465). The NTK of a wide
 * network has few large eigenvalues and a long tail of small ones: the factor takes the large ones away, and what is left
 * is conditioned like the tail.
 */
import { demandWhole, InputError } from "../error.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { iterativeSolver } from "../linalg/iterative-solver.ts";
import type { LinearSolver } from "../linalg/linear-solver.ts";
import { woodburyPreconditioner, type LowRankSolver } from "../linalg/low-rank-preconditioner.ts";
import { partialCholesky } from "../linalg/pivoted-cholesky.ts";
import { selectRows } from "../linalg/matrix.ts";
import { xorshift } from "../random/xorshift.ts";
import type { PrepareOptions } from "./fisher.ts";

/** Samples whose rows of Theta are computed at a time. */
export const BLOCK = 128;
/** The default rank of the preconditioner for n unknowns. */
export function defaultRank(n: number): number {
  demandWhole("unknowns", n);
  return Math.min(Math.ceil(n / 4), 2000);
}

/**
 * r to v = X(Theta, rho) r by conjugate gradients. A singular Theta has no solution to converge to: that is an error, or with `singular` "least_norm"
 * the least-squares solution by the minimal residual method, whose update has the least norm.
 * @throws InputError for a tolerance outside of (0, 1); the solve UnsolvedError.
 */
export async function matrixFree(
  kernel: Kernel,
  rho: number,
  options: PrepareOptions = {},
): Promise<LinearSolver> {
  const { cols: N, outputs: C } = kernel;
  const {
    tolerance = 1e-4,
    maxIterations = 200,
    rank = defaultRank(N * C),
    singular = "refuse",
    onIteration,
    onEnd,
    state,
    signal,
  } = options;
  const what = "exact: NTK";
  if (!(tolerance > 0 && tolerance < 1)) {
    throw new InputError(`${what}: wanted a tolerance above 0 and below 1, got ${tolerance}`);
  }
  const preconditioner = rank > 0 ? await lowRank(kernel, rho, rank, options) : undefined;

  const apply = async (v: Float64Array): Promise<Float64Array> => {
    // The network's precision may be too narrow for v, and Theta is linear. A power of two changes no bit.
    const factor = 2 ** -exponentOf(v);
    const product = await kernel.times(v.map((x) => factor * x));
    return product.map((x, i) => x / factor / N + rho * v[i]!);
  };
  return iterativeSolver(apply, N * C, {
    what,
    tolerance,
    maxIterations,
    signal,
    epsilon: kernel.epsilon,
    leastNorm: singular === "least_norm",
    ...(preconditioner ? { preconditioner } : {}),
    ...(onIteration ? { onIteration } : {}),
    ...(state ? { state } : {}),
    onEnd: (report) => onEnd?.({ ...report, rank: preconditioner?.factorRank ?? 0 }),
  });
}

/**
 * The largest k with 2^k <= |v_i| for some i, where 2^-k is a number of all digits; 0 for v = 0, and for one that is not
 * finite, whose product is not either.
 */
function exponentOf(v: Float64Array): number {
  let most = 0;
  for (let i = 0; i < v.length; i++) most = Math.max(most, Math.abs(v[i]!));
  return most > 0 && most < Infinity ? Math.max(-1000, Math.min(1000, Math.floor(Math.log2(most)))) : 0;
}

/** (F F^T + mu I)^-1 with Theta / N = F F^T + rest, and mu what an eigenvalue of the rest is on average, plus rho. */
async function lowRank(
  kernel: Kernel,
  rho: number,
  rank: number,
  { onRank, engine, signal }: PrepareOptions,
): Promise<LowRankSolver> {
  const { cols: N, outputs: C } = kernel;
  const n = N * C;
  const { data } = await kernel.diagonal();
  const diagonal = Float64Array.from({ length: n }, (_, i) => data[i * C + (i % C)]! / N);
  const total = diagonal.reduce((sum, x) => sum + x, 0);
  const { factorT, left } = await partialCholesky(
    {
      diagonal,
      async rows(indices) {
        // Rows come by sample, all its outputs at once.
        const chosen = [...new Set(indices.map((i) => Math.floor(i / C)))];
        const at = new Map(chosen.map((sample, k) => [sample, k]));
        const whole = await kernel.rowsOf(chosen);
        const rows = selectRows(
          whole,
          indices.map((i) => at.get(Math.floor(i / C))! * C + (i % C)),
        );
        for (let i = 0; i < rows.data.length; i++) rows.data[i]! /= N;
        return rows;
      },
    },
    {
      maxRank: rank,
      block: Math.min(BLOCK, Math.ceil(rank / 8)),
      random: uniform(),
      tolerance: kernel.epsilon,
      engine,
      signal,
      ...(onRank ? { onProgress: (at) => onRank(at.rank, rank) } : {}),
    },
  );
  const rest = (left * total) / Math.max(1, n - factorT.rows);
  return woodburyPreconditioner(factorT, rho + Math.max(rest, kernel.epsilon * total), { engine, signal });
}

/** Numbers in [0, 1), the same in every run: they choose rows, no result depends on them. */
function uniform(): () => number {
  const next = xorshift();
  return () => (next() >>> 0) / 2 ** 32;
}
