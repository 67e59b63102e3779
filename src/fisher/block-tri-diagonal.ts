/**
 * @file Block-tri-diagonal NGD (paper, section 4.2): blocks F_lk with |l - k| <= 1 are kept. With T_lk = 1 for
 * |l - k| <= 1 and S_l = Theta_l / N the push-through identity turns the P x P solve into
 *
 *     sum over |k - l| <= 1 of S_k v_k + rho v_l = r for every l,     dtheta_l = J_l^T v_l / N.
 *
 * Undamped, S_l v_l = (T^-1 1)_l r: every layer solves its own block times one number, and layers whose number is
 * zero do not move (for L = 3 only the middle one does). alpha = 1^T T^-1 1. T is singular for L = 3s + 2.
 *
 * Damped, layers 1, 3, 5, ... do not couple with each other, and their S_l + rho is positive definite: with
 * P_l = S_l (S_l + rho)^-1 they drop out by Cholesky and leave, for layers k = 2, 4, ..., a system of half the size,
 *
 *     (S_k + rho - (P_{k-1} + P_{k+1}) S_k) v_k - P_{k+1} S_{k+2} v_{k+2} - P_{k-1} S_{k-2} v_{k-2}
 *         = r - P_{k-1} r - P_{k+1} r,
 *
 * which is not definite and takes an LU.
 */
import { InputError } from "../error.ts";
import { layerNtk } from "../kernel/kernel.ts";
import { factorize, type Factorization } from "../matrix/cholesky.ts";
import { factorizeGeneral } from "../matrix/lu.ts";
import {
  addDiagonal,
  identity,
  matrix,
  rowRange,
  scale,
  setBlock,
  zeros,
  type Matrix,
} from "../matrix/matrix.ts";
import { accumulate, product } from "../matrix/product.ts";
import { addTimes } from "../matrix/vector-product.ts";
import { invertBytes, matrixBytes, vectorsBytes } from "./cost.ts";
import type { Coefficients, Fisher } from "./fisher.ts";
import { layerwisePropagator, perSample } from "./tangent.ts";

/**
 * T^-1 1 for T [L, L] with ones on three diagonals.
 * @throws InputError for L = 2, 5, 8, ..., where T is singular.
 */
export function blockWeights(layers: number): Float64Array {
  if (layers % 3 === 2) {
    throw new InputError(
      `n_layers: wanted a depth other than 2, 5, 8, ... for block_tri_diagonal, got ${layers} (its coupling of layers is singular there)`,
    );
  }
  // w_1 + w_2 = 1 and three neighbours sum to one, so the pattern has period three.
  const start = layers % 3 === 0 ? 0 : 1;
  return Float64Array.from({ length: layers }, (_, l) => [start, 1 - start, 0][l % 3]!);
}

export const blockTriDiagonal: Fisher = {
  name: "block_tri_diagonal",
  title: "NGD with the blocks of neighbouring layers of the Fisher matrix",
  usesCurvature: true,
  alpha: ({ layers }) => blockWeights(layers).reduce((sum, w) => sum + w, 0),

  async prepare(kernel, damping, { signal } = {}) {
    const { samples, epsilon } = kernel;
    const weights = blockWeights(kernel.layers.length);
    const grams = kernel.layers.map((layer) => scale(layerNtk(layer), 1 / samples));
    const what = (l: number) => `block_tri_diagonal: NTK of layer ${l + 1}`;

    if (damping === 0) {
      const blocks: (Factorization | undefined)[] = [];
      for (const [l, gram] of grams.entries()) {
        blocks.push(weights[l] === 0 ? undefined : await factorize(gram, { what: what(l), epsilon, signal }));
      }
      const solve = (residual: Float64Array) =>
        blocks.map((block, l) => block?.solve(residual).map((x) => weights[l]! * x));
      return {
        coefficients: async (residual) =>
          solve(residual).map((v): Coefficients => (v ? perSample(v, samples) : { kind: "none" })),
        propagator: async (cross) => layerwisePropagator(cross, solve),
      };
    }

    const solve = await coupledSolver(grams, damping, what, signal);
    return {
      async coefficients(residual) {
        const v = await solve(matrix(residual.length, 1, residual));
        return v.map(({ data }) => perSample(data, samples));
      },
      async propagator(cross) {
        // v_l = V_l r, with V solved for once: the recursion calls this many times.
        const V = await solve(identity(grams[0]!.rows));
        return layerwisePropagator(cross, (residual) =>
          V.map((Vl) => {
            const v = new Float64Array(Vl.rows);
            addTimes(v, 1, Vl, residual);
            return v;
          }),
        );
      },
    };
  },

  // Theta_l of every layer; undamped the factors of those that move, else what couples them, as one matrix [L m, L m] with
  // its factor, and factors of the layers.
  cost({ samples, outputs, layers: { length: L }, damped, ...options }) {
    const m = samples * outputs;
    const coupled = damped || options.leastNorm === true;
    const block = invertBytes(m, options);
    const system = coupled ? matrixBytes(L * m) : 0;
    const factors = (coupled ? L : Math.ceil(L / 2)) * block.kept;
    const kept = L * matrixBytes(m) + factors + system;
    return {
      prepare: { kept, peak: kept + system + block.peak + 2 * matrixBytes(m) },
      coefficients: vectorsBytes(m, 3 * L),
      propagator(rows) {
        const thetas = L * matrixBytes(rows.samples * rows.outputs, m);
        // V_l of every layer, and as many right-hand sides while they are solved for.
        const solved = coupled ? L * matrixBytes(m) : 0;
        return { kept: thetas + solved, peak: thetas + 3 * solved };
      },
      operations: coupled ? (2 / 3) * (L * m) ** 3 : (L * m ** 3) / 3,
    };
  },
};

/** R [n, m] to v_l [n, m] of every layer, damped; layers count from 0 here, so that the odd ones stay. */
async function coupledSolver(
  S: readonly Matrix[],
  rho: number,
  what: (l: number) => string,
  signal?: AbortSignal,
): Promise<(R: Matrix) => Promise<Matrix[]>> {
  const L = S.length;
  const n = S[0]!.rows;
  const dropped: Factorization[] = [];
  const P: Matrix[] = [];
  for (let l = 0; l < L; l += 2) {
    const damped = addDiagonal(scale(S[l]!, 1), rho);
    dropped[l] = await factorize(damped, { what: what(l), overwrite: true, signal });
    // S_l (S_l + rho)^-1 without solving for n right-hand sides.
    P[l] = addDiagonal(scale(await dropped[l]!.inverse(), -rho), 1);
  }
  const kept = Array.from({ length: Math.floor(L / 2) }, (_, i) => 2 * i + 1);
  const system = zeros(kept.length * n, kept.length * n);
  for (const [i, k] of kept.entries()) {
    const diagonal = addDiagonal(scale(S[k]!, 1), rho);
    for (const l of [k - 1, k + 1]) {
      if (l >= L) continue;
      await accumulate(diagonal, -1, P[l]!, S[k]!);
      const far = 2 * l - k;
      if (far > 0 && far < L)
        setBlock(system, i * n, ((far - 1) / 2) * n, scale(await product(P[l]!, S[far]!), -1));
    }
    setBlock(system, i * n, i * n, diagonal);
  }
  const coupled =
    kept.length > 0
      ? await factorizeGeneral(system, "block_tri_diagonal: coupled layers", { signal })
      : undefined;

  return async (R) => {
    const right = zeros(kept.length * n, R.cols);
    for (const [i, k] of kept.entries()) {
      const part = rowRange(right, i * n, (i + 1) * n);
      part.data.set(R.data);
      for (const l of [k - 1, k + 1]) if (l < L) await accumulate(part, -1, P[l]!, R);
    }
    const v: Matrix[] = [];
    if (coupled) {
      const solution = await coupled.solveMatrix(right);
      for (const [i, k] of kept.entries()) v[k] = rowRange(solution, i * n, (i + 1) * n);
    }
    for (let l = 0; l < L; l += 2) {
      const rest = scale(R, 1);
      for (const k of [l - 1, l + 1]) if (k > 0 && k < L) await accumulate(rest, -1, S[k]!, v[k]!);
      v[l] = await dropped[l]!.solveMatrix(rest);
    }
    return v;
  };
}
