/**
 * @file Block-tri-diagonal NGD (paper, section 4.2): blocks F_lk with |l - k| <= 1 are kept. With T_lk = 1 for
 * |l - k| <= 1 and S_l = Theta_l / N the push-through identity turns the P x P solve into
 *
 *     sum over |k - l| <= 1 of S_k v_k + rho v_l = r for every l,     dtheta_l = J_l^T v_l / N.
 *
 * On a graph of blocks T has ones where two of them are neighbours (neighbours.ts). Undamped, S_l v_l = (T^-1 1)_l r: every layer solves its own block times one number, and layers whose number is
 * zero do not move (for L = 3 only the middle one does). alpha = 1^T T^-1 1. On a chain T is singular for L = 3s + 2.
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
import type { Coefficients, Fisher, Inversion, InvertOptions, Prepared, Singular } from "./fisher.ts";
import { chainOf, isChain, neighboursOf, sharesOf, type Neighbours } from "./neighbours.ts";
import { coupledSolver, type CoupledSolve } from "./coupled-layers.ts";
import { invert, onTheRange } from "./invert.ts";
import { layerwisePropagator, perSample } from "./dual.ts";

/**
 * T^-1 1 for the T of neighbouring blocks; with "least_norm" some solution where T is singular.
 * @throws InputError where T is singular: on a chain of 2, 5, 8, ... layers.
 */
export function blockWeights(neighbours: Neighbours, singular: Singular = "refuse"): Float64Array {
  const { w, unique } = sharesOf(neighbours);
  if (w && (unique || singular === "least_norm")) return w;
  const L = neighbours.length;
  if (isChain(neighbours)) {
    throw new InputError(
      `depth: wanted a depth other than 2, 5, 8, ... for block_tri_diagonal, got ${L} (its coupling of layers is singular there)`,
    );
  }
  throw new InputError(
    `network: wanted one whose coupling of neighbouring blocks is not singular for block_tri_diagonal, got ${L} blocks with a singular one`,
  );
}

export const blockTriDiagonal: Fisher = {
  name: "block_tri_diagonal",
  title: "NGD with the blocks of neighbouring layers of the Fisher matrix",
  needs: "blocks",
  curvature: "folded",
  alpha: ({ layers, neighbours = chainOf(layers) }, { singular } = {}) =>
    blockWeights(neighbours, singular).reduce((sum, w) => sum + w, 0),

  async prepare(kernel, damping, options = {}) {
    const { cols: samples, epsilon } = kernel;
    const neighbours = neighboursOf(blocksOf(kernel));
    const weights = blockWeights(neighbours, options.singular);
    if (damping === 0) {
      const apart = await layersApart(kernel, weights, options);
      if (apart) return preparedApart(apart, samples);
    }
    return preparedTogether(
      await coupledSolver(gramsOf(kernel), neighbours, damping, epsilon, options),
      samples,
    );
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
  if (leastNorm && !sharesOf(neighboursOf(layers)).unique) return undefined;
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
