/**
 * @file Unit-wise NGD (paper, section 4.4; Amari et al., arXiv 1808.07172), for any number of outputs: one block of the
 * Fisher matrix per unit. A unit i of a layer sees N samples through s_n = sum_c Delta_nci^2 and b_n = sum_c Delta_nci r_nc,
 * and its block solves in the N x N dual,
 *
 *     (diag(s) A_l / N + rho I) z = b,     U_l[., i] = z / N,
 *
 * whatever C is. Samples on which the unit is silent (s_n = 0) have z_n = 0 and are left out; on the others
 * z = s^(1/2) w makes the system symmetric, (s^(1/2) A s^(1/2) / N + rho I) w = s^(-1/2) b; where it is singular (fewer
 * inputs than active samples) its inverse on the range gives the least step of the unit. Undamped a unit projects the K
 * numbers of a sample's residual (K = C for a squared error) on one direction, so that alpha = (gamma (L - 1) M + C) / K,
 * with gamma the share of active samples (1/2 for ReLU, 1 where phi' is nowhere 0): the paper's gamma (L - 1) M units of hidden layers, and C of the last.
 *
 * Undamped at finite width this divides by arbitrarily small signals and may diverge; rho about 1e-9 is enough.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { InputError, SingularGramError } from "../error.ts";
import type { BlockKernel, Units } from "../kernel/block.ts";
import { blocksOf, type Kernel } from "../kernel/kernel.ts";
import { zeros, type Matrix } from "../linalg/matrix.ts";
import { product } from "../linalg/product.ts";
import { matrixBytes, type CostSizes } from "./cost.ts";
import type { Coefficients, Fisher, InvertOptions } from "./fisher.ts";
import type { DirectSolver } from "../linalg/linear-solver.ts";
import { rangeInverse } from "../linalg/range-inverse.ts";
import { roundings } from "../linalg/singular.ts";
import { addTimes } from "../linalg/vector-product.ts";
import { writtenUnits } from "./unit-wise-written.ts";
import { outerLayers, writtenCost, writtenUnitsCost } from "./written-cost.ts";
import type { BlockUpdate } from "./written.ts";

/** gamma where nothing states it. */
const RELU_SHARE = 0.5;

export const unitWise: Fisher = {
  name: "unit_wise",
  title: "NGD with one block of the Fisher matrix per unit",
  needs: "units",
  curvature: "folded",
  alpha: ({ layers, width, outputs, columns = outputs, chain = true, activeShare = RELU_SHARE }) =>
    chain ? (activeShare * (layers - 1) * width + outputs) / columns : undefined,

  async prepare(kernel, damping, options = {}) {
    const { engine, signal } = options;
    // One residual needs each unit's factor once. A propagator is applied many times, so it keeps the factors while they
    // are small.
    let kept: UnitFactors[][] | undefined;
    let last: { residual: Float64Array; updates: Matrix[] } | undefined;
    const written: (BlockUpdate | undefined)[] = [];
    for (const [l, layer] of blocksOf(kernel).entries()) {
      written.push(layer.written ? await writtenUnits(kernel, layer, l, damping, options) : undefined);
    }
    const solveLayers = async (residual: Float64Array): Promise<Matrix[]> => {
      // Training and test outputs move by the same update.
      if (last?.residual !== residual) {
        const updates: Matrix[] = [];
        for (const [l, layer] of blocksOf(kernel).entries()) {
          const update = written[l];
          if (update) {
            updates.push(await update(residual));
            continue;
          }
          const factors = kept ? kept[l]! : factorUnits(kernel, layer, l, damping, options);
          updates.push(await solveUnits(kernel, layer, l, factors, residual, signal));
        }
        last = { residual, updates };
      }
      return last.updates;
    };
    return {
      solve: async (residual) =>
        (await solveLayers(residual)).map((found, l): Coefficients => ({
          kind: written[l] ? "whole" : "update",
          matrix: found,
        })),
      async onto(cross) {
        const share = await activeShareOf(blocksOf(kernel));
        if (keptBytes(blocksOf(kernel), kernel.cols, share) > 0)
          kept ??= await keepUnits(kernel, damping, options);
        return async (residual) => {
          const out = new Float64Array(cross.rows * cross.rowOutputs);
          for (const [l, found] of (await solveLayers(residual)).entries()) {
            const layer = blocksOf(cross)[l]!;
            if (written[l]) addTimes(out, 1, (await unitsOf(layer, l)).rows, found.data);
            else await addUnits(out, layer, l, found, { engine, signal });
          }
          return out;
        };
      },
    };
  },

  // One unit's factor at a time, or all of them where a propagator keeps them; U_l of every layer.
  cost(sizes) {
    const { samples: N, leastNorm = false, activeShare = RELU_SHARE } = sizes;
    const layers = outerLayers(sizes.layers);
    const written = writtenCost(sizes.layers, writtenUnitsCost(sizes));
    const units = layers.reduce((sum, { fanOut }) => sum + fanOut, 0);
    const updates = matrixBytes(N, units) + written.updates;
    const unit = 8 * packedLength(N) + (leastNorm ? matrixBytes(N) : 0);
    // Units that are active on all samples or on none hold twice as much as those on half of them.
    const kept = Math.min(2, 1 / activeShare) * keptBytes(layers, N, activeShare);
    return {
      prepare: {
        kept: written.kept,
        peak: Math.max(written.peak, written.kept + unit + (leastNorm ? 6 * matrixBytes(N) : 0)),
      },
      solve: { kept: updates, peak: updates + unit },
      onto(rows) {
        const moved = Math.max(0, ...layers.map(({ fanOut }) => matrixBytes(rows.samples, fanOut)));
        return { kept: kept + updates, peak: kept + 2 * updates + unit + moved };
      },
      operations: units * ((activeShare * N) ** 3 / 3) + written.operations,
    };
  },
};

/** Factors of all units that a propagator may keep. */
const KEPT_BYTES = 2 ** 27;

/** The share of samples on which hidden units are active; never less than that of ReLU, so that no more is kept than planned. */
async function activeShareOf(layers: readonly BlockKernel[]): Promise<number> {
  let [active, all] = [0, 0];
  for (const [l, layer] of layers.slice(0, -1).entries()) {
    if (layer.written) continue;
    const { data } = (await unitsOf(layer, l)).train;
    for (let i = 0; i < data.length; i++) active += Number(data[i] !== 0);
    all += data.length;
  }
  return all === 0 ? RELU_SHARE : Math.max(RELU_SHARE, active / all);
}

/** Bytes of the factors of all units when every unit is active on its share of the samples; 0 where that is too much. */
function keptBytes(layers: CostSizes["layers"], samples: number, activeShare: number): number {
  const units = layers.reduce((sum, { fanOut }) => sum + fanOut, 0);
  const bytes = 8 * units * packedLength(activeShare * samples);
  return bytes <= KEPT_BYTES ? bytes : 0;
}

/** Numbers of a lower triangle of n rows, packed row by row: row i starts at packedLength(i). */
const packedLength = (n: number): number => (n * (n + 1)) / 2;

/** One unit: where it is active, s^(1/2) there, and the packed Cholesky factor of K = s^(1/2) A s^(1/2) / N + rho I. */
type UnitFactors = {
  readonly count: number;
  readonly active: Int32Array;
  readonly root: Float64Array;
  readonly lower: Float64Array;
  /** K^+, where K has no such factor. */
  readonly range: DirectSolver | undefined;
};

/** Delta_l of a kernel. */
async function unitsOf(layer: BlockKernel, l: number): Promise<Units> {
  if (layer.units) return layer.units();
  throw new InputError(
    `unit_wise: wanted a kernel with the signals of its units in layer ${l + 1}, got Grams alone`,
  );
}

/** The factors of the units of every layer, each in memory of its own. */
async function keepUnits(kernel: Kernel, damping: number, options: InvertOptions): Promise<UnitFactors[][]> {
  const kept: UnitFactors[][] = [];
  for (const [l, layer] of blocksOf(kernel).entries()) {
    const units: UnitFactors[] = [];
    if (layer.written) {
      kept.push(units);
      continue;
    }
    for await (const factors of factorUnits(kernel, layer, l, damping, options)) {
      const { count, active, root, lower, range } = factors;
      units.push({
        count,
        active: active.slice(0, count),
        root: root.slice(0, count),
        lower: lower.slice(0, packedLength(count)),
        range,
      });
    }
    kept.push(units);
  }
  return kept;
}

/** The factors of the units of a layer, one after the other in the same memory. */
async function* factorUnits(
  kernel: Kernel,
  layer: BlockKernel,
  l: number,
  damping: number,
  { singular, onInversion, signal }: InvertOptions,
): AsyncGenerator<UnitFactors> {
  const { cols: N, outputs: C, epsilon } = kernel;
  const { train } = await unitsOf(layer, l);
  const M = train.cols;
  const { data: A } = (await layer.factors()).A;
  const leastNorm = singular === "least_norm";
  // What the factorisation itself leaves of nothing.
  const zero = roundings(N, 2 ** -52);
  const seen = { size: 0, rank: 0, condition: 1 };
  const root = new Float64Array(N);
  const active = new Int32Array(N);
  const lower = new Float64Array(packedLength(N));
  const rangeOf = (count: number): Promise<DirectSolver> => {
    const entry = (p: number, q: number): number =>
      (root[p]! / N) * root[q]! * A[active[p]! * N + active[q]!]! + (p === q ? damping : 0);
    return rangeInverse(count, entry, Math.max(ROUNDINGS, count) * epsilon, { signal });
  };
  for (let i = 0; i < M; i++) {
    let count = 0;
    for (let n = 0; n < N; n++) {
      let s = 0;
      for (let c = 0; c < C; c++) s += train.data[(n * C + c) * M + i]! ** 2;
      if (s === 0) continue;
      active[count] = n;
      root[count] = Math.sqrt(s);
      count++;
    }
    for (let p = 0; p < count; p++) {
      const row = active[p]! * N;
      const weight = root[p]! / N;
      const at = packedLength(p);
      for (let q = 0; q <= p; q++) lower[at + q] = weight * root[q]! * A[row + active[q]!]!;
      lower[at + p]! += damping;
    }
    const left = await choleskyInPlace(lower, count, zero, signal);
    // Rows in their order may hide in rounding what pivots show.
    const found = leastNorm && left < Math.max(zero, SUSPICIOUS * epsilon) ? await rangeOf(count) : undefined;
    const range = left > zero && found?.rank === count ? undefined : found;
    if (!(left > zero) && !range) {
      throw new SingularGramError({
        what: `unit_wise: unit ${i + 1} of layer ${l + 1}`,
        size: count,
        rank: undefined,
        condition: Infinity,
        hasLeastNorm: true,
      });
    }
    note(seen, count, range?.rank ?? count, range?.condition() ?? 1 / left);
    yield { count, active, root, lower, range };
  }
  onInversion?.({ what: `unit_wise: worst unit of layer ${l + 1}`, ...seen, epsilon });
}

/** Roundings of a diagonal entry that are left of a row which depends on others, at most; */
const ROUNDINGS = 16;
/** without pivots many more, as small ones before it multiply them. */
const SUSPICIOUS = 1e4;

/** What was seen of the units of a layer: size and rank of the one that lacks most, and the largest condition. */
type Seen = { size: number; rank: number; condition: number };

function note(seen: Seen, size: number, rank: number, condition: number): void {
  // Among those that lack nothing the largest.
  const [lacks, most] = [size - rank, seen.size - seen.rank];
  if (lacks > most || (lacks === most && size > seen.size)) Object.assign(seen, { size, rank });
  seen.condition = Math.max(seen.condition, condition);
}

/** U_l [N, M] of one layer. */
async function solveUnits(
  { cols: N, outputs: C }: Kernel,
  layer: BlockKernel,
  l: number,
  units: Iterable<UnitFactors> | AsyncIterable<UnitFactors>,
  residual: Float64Array,
  signal: AbortSignal | undefined,
): Promise<Matrix> {
  const { train } = await unitsOf(layer, l);
  const M = train.cols;
  const U = zeros(N, M);
  const x = new Float64Array(N);
  let i = 0;
  for await (const { count, active, root, lower, range } of units) {
    await breathe(signal);
    for (let p = 0; p < count; p++) {
      const n = active[p]!;
      let b = 0;
      for (let c = 0; c < C; c++) b += train.data[(n * C + c) * M + i]! * residual[n * C + c]!;
      x[p] = b / root[p]!;
    }
    if (range) x.set(range.solve(x));
    else substituteInPlace(lower, x, count);
    for (let p = 0; p < count; p++) U.data[active[p]! * M + i] = (root[p]! * x[p]!) / N;
    i++;
  }
  return U;
}

/** Rows of a unit's factor between two calls of `breathe`: one row takes n^2 operations. */
const ROWS = 16;

/**
 * The Cholesky factor of a small packed matrix, in its place. Returns the least share of a diagonal entry that the rows
 * before it leave of it, which does not depend on how rows are scaled; ends at the first one that is `zero` or less, or
 * NaN.
 */
async function choleskyInPlace(
  a: Float64Array,
  n: number,
  zero: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  let least = 1;
  for (let i = 0; i < n; i++) {
    if (i % ROWS === 0) await breathe(signal);
    const row = packedLength(i);
    const whole = a[row + i]!;
    for (let j = 0; j < i; j++) {
      let sum = a[row + j]!;
      const other = packedLength(j);
      for (let p = 0; p < j; p++) sum -= a[row + p]! * a[other + p]!;
      a[row + j] = sum / a[other + j]!;
    }
    let pivot = a[row + i]!;
    for (let p = 0; p < i; p++) pivot -= a[row + p]! * a[row + p]!;
    const left = whole === 0 ? 0 : pivot / whole;
    if (!(left > zero)) return left;
    least = Math.min(least, left);
    a[row + i] = Math.sqrt(pivot);
  }
  return least;
}

/** Solves L L^T x = b in place. */
function substituteInPlace(lower: Float64Array, x: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const row = packedLength(i);
    let value = x[i]!;
    for (let p = 0; p < i; p++) value -= lower[row + p]! * x[p]!;
    x[i] = value / lower[row + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = packedLength(i);
    const value = x[i]! / lower[row + i]!;
    x[i] = value;
    for (let p = 0; p < i; p++) x[p]! -= lower[row + p]! * value;
  }
}

/** out += sum over units i of Delta'[., i] o (A' U[., i]), on the rows of a cross kernel. */
async function addUnits(
  out: Float64Array,
  layer: BlockKernel,
  l: number,
  U: Matrix,
  options: ComputeOptions,
): Promise<void> {
  const { rows } = await unitsOf(layer, l);
  const moved = await product((await layer.factors()).A, U, options);
  const C = rows.rows / moved.rows;
  const M = U.cols;
  for (let row = 0; row < rows.rows; row++) {
    await breathe(options.signal);
    const at = Math.floor(row / C) * M;
    let sum = 0;
    for (let i = 0; i < M; i++) sum += rows.data[row * M + i]! * moved.data[at + i]!;
    out[row]! += sum;
  }
}
