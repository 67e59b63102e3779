/**
 * @file Block-tri-diagonal NGD (paper, section 4.2): blocks F_lk with |l - k| <= 1 are kept. With T_lk = 1 for
 * |l - k| <= 1 and S_l = Theta_l / N the push-through identity turns the P x P solve into
 *
 *     sum over |k - l| <= 1 of S_k v_k + rho v_l = r for every l,     dtheta_l = J_l^T v_l / N.
 *
 * Undamped, S_l v_l = (T^-1 1)_l r: every layer solves its own block times one number, and layers whose number is
 * zero do not move (for L = 3 only the middle one does). alpha = 1^T T^-1 1. T is singular for L = 3s + 2.
 *
 * Damped, the layers are solved for together, in the coordinates of the range of J (coupled-layers.ts). So they are where
 * something is singular and the least step is asked for: F^+ J^T r / N.
 */
import { InputError } from "../error.ts";
import { blocksOf, type Kernel } from "../kernel/kernel.ts";
import type { InverseSolver } from "../linalg/linear-solver.ts";
import { identity, matrix, scale, type Matrix } from "../linalg/matrix.ts";
import { addTimes } from "../linalg/vector-product.ts";
import { invertBytes, matrixBytes, vectorsBytes } from "./cost.ts";
import type { Coefficients, Fisher, Inversion, InvertOptions, Prepared } from "./fisher.ts";
import { coupledSolver, type CoupledSolve } from "./coupled-layers.ts";
import { invert, onTheRange } from "./invert.ts";
import { layerwisePropagator, perSample } from "./dual.ts";

/**
 * T^-1 1 for T [L, L] with ones on three diagonals.
 * @throws InputError for L = 2, 5, 8, ..., where T is singular.
 */
export function blockWeights(layers: number): Float64Array {
  if (layers % 3 === 2) {
    throw new InputError(
      `depth: wanted a depth other than 2, 5, 8, ... for block_tri_diagonal, got ${layers} (its coupling of layers is singular there)`,
    );
  }
  return solutionOf(layers);
}

/**
 * A solution w of T w = 1, which exists for every depth; where T is singular it is not the only one, but its sum is that of
 * all.
 */
function solutionOf(layers: number): Float64Array {
  // w_1 + w_2 = 1 and three neighbours sum to one, so the pattern has period three.
  const start = layers % 3 === 0 ? 0 : 1;
  return Float64Array.from({ length: layers }, (_, l) => [start, 1 - start, 0][l % 3]!);
}

export const blockTriDiagonal: Fisher = {
  name: "block_tri_diagonal",
  title: "NGD with the blocks of neighbouring layers of the Fisher matrix",
  needs: "blocks",
  curvature: "folded",
  alpha: ({ layers }, { singular } = {}) =>
    (singular === "least_norm" ? solutionOf(layers) : blockWeights(layers)).reduce((sum, w) => sum + w, 0),

  async prepare(kernel, damping, options = {}) {
    const { cols: samples, epsilon } = kernel;
    const { length: L } = blocksOf(kernel);
    const weights = options.singular === "least_norm" ? solutionOf(L) : blockWeights(L);
    if (damping === 0) {
      const apart = await layersApart(kernel, weights, options);
      if (apart) return preparedApart(apart, samples);
    }
    return preparedTogether(await coupledSolver(gramsOf(kernel), damping, epsilon, options), samples);
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
      solve: vectorsBytes(m, 3 * L),
      onto(rows) {
        const thetas = L * matrixBytes(rows.samples * rows.outputs, m);
        // V_l of every layer, and as many right-hand sides while they are solved for.
        const solved = coupled ? L * matrixBytes(m) : 0;
        return { kept: thetas + solved, peak: thetas + 3 * solved };
      },
      operations: coupled ? (2 / 3) * (L * m) ** 3 : (L * m ** 3) / 3,
    };
  },
};

/** S_l of one layer after the other. */
async function* gramsOf(kernel: Kernel): AsyncGenerator<Matrix> {
  for (const layer of blocksOf(kernel)) yield scale(await layer.ntk(), 1 / kernel.cols);
}

/** r to v_l, undefined for a layer that does not move. */
type ApartSolve = (residual: Float64Array) => (Float64Array | undefined)[];

/**
 * S_l v_l = w_l r, undamped; undefined where that is not the least step: with a Gram or a T that is singular, for which
 * `singular` must be "least_norm".
 */
async function layersApart(
  kernel: Kernel,
  weights: Float64Array,
  { singular, onInversion, engine, signal }: InvertOptions,
): Promise<ApartSolve | undefined> {
  const { cols: samples, epsilon } = kernel;
  const layers = blocksOf(kernel);
  const leastNorm = singular === "least_norm";
  if (leastNorm && layers.length % 3 === 2) return undefined;
  const blocks: (InverseSolver | undefined)[] = [];
  const inversions: Inversion[] = [];
  for (const [l, layer] of layers.entries()) {
    // With a singular Gram of a layer that need not move there is a smaller step in which it does.
    const idle = weights[l] === 0;
    if (idle && !leastNorm) {
      blocks.push(undefined);
      continue;
    }
    try {
      const block = await invert(
        scale(await layer.ntk(), 1 / samples),
        { what: `block_tri_diagonal: NTK of layer ${l + 1}`, epsilon },
        {
          engine,
          signal,
          ...(onInversion && !idle ? { onInversion: (inversion) => inversions.push(inversion) } : {}),
        },
      );
      blocks.push(idle ? undefined : block);
    } catch (error) {
      if (onTheRange(error, singular)) return undefined;
      throw error;
    }
  }
  for (const inversion of inversions) onInversion?.(inversion);
  return (residual) => blocks.map((block, l) => block?.solve(residual).map((x) => weights[l]! * x));
}

const preparedApart = (solve: ApartSolve, samples: number): Prepared => ({
  solve: async (residual) =>
    solve(residual).map((v): Coefficients => (v ? perSample(v, samples) : { kind: "none" })),
  onto: (cross) => layerwisePropagator(cross, solve),
});

const preparedTogether = (solve: CoupledSolve, samples: number): Prepared => ({
  async solve(residual) {
    const v = await solve(matrix(residual.length, 1, residual));
    return v.map(({ data }) => perSample(data, samples));
  },
  async onto(cross) {
    // v_l = V_l r, with V solved for once: the recursion calls this many times.
    const V = await solve(identity(cross.cols * cross.outputs));
    return layerwisePropagator(cross, (residual) =>
      V.map((Vl) => {
        const v = new Float64Array(Vl.rows);
        addTimes(v, 1, Vl, residual);
        return v;
      }),
    );
  },
});
