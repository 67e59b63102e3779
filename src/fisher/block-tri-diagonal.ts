/**
 * @file Block-tri-diagonal NGD (paper, section 4.2): blocks F_lk with |l - k| <= 1 are kept. With T_lk = 1 for
 * |l - k| <= 1 and S_l = Theta_l / N the push-through identity turns the P x P solve into
 *
 *     [(T (x) I) blockdiag(S_l) + rho I] v = 1_L (x) r,     dtheta_l = J_l^T v_l / N.
 *
 * Undamped, S_l v_l = (T^-1 1)_l r: every layer solves its own block times one number, and layers whose number is
 * zero do not move (for L = 3 only the middle one does). alpha = 1^T T^-1 1. T is singular for L = 3s + 2.
 */
import { InputError } from "../error.ts";
import { layerNtk } from "../kernel/kernel.ts";
import { factorize } from "../matrix/cholesky.ts";
import { solveGeneral } from "../matrix/lu.ts";
import { matrix, scale, zeros, type Matrix } from "../matrix/matrix.ts";
import type { Fisher } from "./fisher.ts";
import { addProduct, layerwisePropagator, perSample } from "./tangent.ts";

const WHAT = "block_tri_diagonal: coupled system";

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
  // Elimination by hand: w_1 + w_2 = 1, and three neighbours sum to one, so the pattern has period three.
  const start = layers % 3 === 0 ? 0 : 1;
  return Float64Array.from({ length: layers }, (_, l) => [start, 1 - start, 0][l % 3]!);
}

export const blockTriDiagonal: Fisher = {
  name: "block_tri_diagonal",
  title: "NGD with the blocks of neighbouring layers of the Fisher matrix",
  alpha: ({ layers }) => blockWeights(layers).reduce((sum, w) => sum + w, 0),

  prepare(kernel, damping) {
    const { samples, outputs, epsilon } = kernel;
    const weights = blockWeights(kernel.layers.length);
    const grams = kernel.layers.map((layer) => scale(layerNtk(layer, outputs), 1 / samples));

    if (damping === 0) {
      const blocks = grams.map((gram, l) =>
        weights[l] === 0
          ? undefined
          : factorize(gram, { what: `block_tri_diagonal: NTK of layer ${l + 1}`, epsilon }),
      );
      const solve = (residual: Float64Array) =>
        blocks.map((block, l) => block?.solve(residual).map((x) => weights[l]! * x));
      return {
        coefficients: (residual) =>
          solve(residual).map((v) => (v ? perSample(v, samples) : { kind: "none" as const })),
        propagator: (cross) => layerwisePropagator(cross, solve),
      };
    }

    const system = coupledSystem(grams, damping);
    const n = grams[0]!.rows;
    const split = (v: Float64Array) => grams.map((_, l) => v.subarray(l * n, (l + 1) * n));
    return {
      coefficients(residual) {
        const right = matrix(n * grams.length, 1, repeat(residual, grams.length));
        return split(solveGeneral(system, right, WHAT).data).map((v) => perSample(v, samples));
      },
      propagator(cross) {
        // v = V r with V [L N C, N C] solved for once: the recursion calls this many times.
        const V = solveGeneral(system, stackedIdentity(n, grams.length), WHAT);
        return layerwisePropagator(cross, (residual) => {
          const v = new Float64Array(V.rows);
          addProduct(v, V, residual, 1);
          return split(v);
        });
      },
    };
  },
};

/** (T (x) I) blockdiag(S_l) + rho I, [L n, L n]. */
function coupledSystem(grams: readonly Matrix[], damping: number): Matrix {
  const L = grams.length;
  const n = grams[0]!.rows;
  const system = zeros(L * n, L * n);
  for (let l = 0; l < L; l++) {
    for (let k = Math.max(0, l - 1); k <= Math.min(L - 1, l + 1); k++) {
      for (let i = 0; i < n; i++) {
        system.data.set(grams[k]!.data.subarray(i * n, (i + 1) * n), (l * n + i) * L * n + k * n);
      }
    }
  }
  for (let i = 0; i < L * n; i++) system.data[i * L * n + i]! += damping;
  return system;
}

/** v repeated `times` times: 1_L (x) v. */
function repeat(v: Float64Array, times: number): Float64Array {
  const out = new Float64Array(v.length * times);
  for (let l = 0; l < times; l++) out.set(v, l * v.length);
  return out;
}

/** 1_L (x) I, [L n, n]. */
function stackedIdentity(n: number, L: number): Matrix {
  const out = zeros(L * n, n);
  for (let row = 0; row < out.rows; row++) out.data[row * n + (row % n)] = 1;
  return out;
}
