/**
 * @file Solves with X(Theta, rho) = (Theta / N + rho I)^-1 that never form Theta: conjugate gradients on its products
 * J (J^T v), 4 N P operations each, with a partial Cholesky factor of low rank as preconditioner (RPCholesky: Chen, Epperly,
 * Tropp & Webber, arXiv 2207.06503; Diaz, Epperly, Frangella, Tropp & Webber, arXiv 2304.12465). The NTK of a wide
 * network has few large eigenvalues and a long tail of small ones: the factor takes the large ones away, and what is left
 * is conditioned like the tail.
 */
import type { Tangent } from "../kernel/tangent.ts";
import { conjugateGradients } from "../matrix/conjugate-gradients.ts";
import { woodburyPreconditioner, type Preconditioner } from "../matrix/low-rank-preconditioner.ts";
import { partialCholesky } from "../matrix/pivoted-cholesky.ts";
import { selectRows } from "../matrix/matrix.ts";
import type { NetworkSolve, SolverOptions } from "./fisher.ts";

/** Samples whose rows of Theta are computed at a time. */
export const BLOCK = 128;
/** The default rank of the preconditioner for n unknowns. */
export const defaultRank = (n: number): number => Math.min(Math.ceil(n / 4), 2000);

/** v = X(Theta, rho) r by conjugate gradients. */
export async function matrixFree(
  tangent: Tangent,
  rho: number,
  options: SolverOptions = {},
): Promise<NetworkSolve> {
  const { samples: N, outputs: C } = tangent;
  const {
    tolerance = 1e-4,
    maxIterations = 200,
    rank = defaultRank(N * C),
    onIteration,
    onEnd,
    state,
    signal,
  } = options;
  const preconditioner = rank > 0 ? await lowRank(tangent, rho, rank, options) : undefined;
  return async (residual) => {
    const result = await conjugateGradients(
      async (v) => (await tangent.apply(v)).map((x, i) => x / N + rho * v[i]!),
      residual,
      {
        what: "exact: NTK",
        tolerance,
        maxIterations,
        signal,
        ...(preconditioner ? { preconditioner: (v: Float64Array) => preconditioner.apply(v) } : {}),
        ...(onIteration ? { onIteration } : {}),
        ...(state ? { state } : {}),
      },
    );
    const { iterations, relativeResidual, converged } = result;
    onEnd?.({ iterations, relativeResidual, converged, rank: preconditioner?.rank ?? 0 });
    return result.x;
  };
}

/** (F F^T + mu I)^-1 with Theta / N = F F^T + rest, and mu what an eigenvalue of the rest is on average, plus rho. */
async function lowRank(
  tangent: Tangent,
  rho: number,
  rank: number,
  { onRank, signal }: SolverOptions,
): Promise<Preconditioner> {
  const { samples: N, outputs: C } = tangent;
  const n = N * C;
  const { data } = await tangent.blocks();
  const diagonal = Float64Array.from({ length: n }, (_, i) => data[i * C + (i % C)]! / N);
  const total = diagonal.reduce((sum, x) => sum + x, 0);
  const { factorT, left } = await partialCholesky(
    {
      diagonal,
      async rows(indices) {
        // Rows come by sample, all its outputs at once.
        const chosen = [...new Set(indices.map((i) => Math.floor(i / C)))];
        const at = new Map(chosen.map((sample, k) => [sample, k]));
        const whole = await tangent.rows(chosen);
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
      tolerance: tangent.epsilon,
      signal,
      ...(onRank ? { onProgress: (at) => onRank(at.rank, rank) } : {}),
    },
  );
  const rest = (left * total) / Math.max(1, n - factorT.rows);
  return woodburyPreconditioner(factorT, rho + Math.max(rest, tangent.epsilon * total), { signal });
}

/** Numbers in [0, 1) from a 32-bit xorshift, the same in every run: they choose rows, no result depends on them. */
function uniform(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
