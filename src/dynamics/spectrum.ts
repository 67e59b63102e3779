/**
 * @file What the eigenvalues of a kernel say of gradient descent before it is run (Jacot et al., arXiv 1806.07572). With
 * Theta / N = V diag(lambda) V^T and modes c_i = v_i . (f_0 - y), the loss is the sum over i of
 *
 *     exp(-2 lambda_i s) c_i^2 / 2N  at time s = eta t of gradient flow,
 *     (1 - eta lambda_i)^(2t) c_i^2 / 2N  after t steps of gradient descent, stable up to eta = 2 / lambda_max.
 *
 * N is the number of samples whatever the number of outputs. A kernel of one output serves the columns of y alike; one of
 * all C outputs has N C eigenvalues, and y is one long column.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { demand } from "../error.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { eigen } from "../linalg/eigen.ts";
import { scale, trace, type Matrix } from "../linalg/matrix.ts";
import { product } from "../linalg/product.ts";

/** The spectrum of Theta / N on n = N C (outputs that the kernel covers) rows. */
export type Spectrum = {
  /** Eigenvalues lambda [n] of Theta / N, largest first; rounding may leave the smallest below zero. */
  readonly values: Float64Array;
  /** Eigenvectors in the columns [n, n], in the same order. */
  readonly vectors: Matrix;
  /** tr Theta / N. */
  readonly trace: number;
  /** Eigenvalues above n epsilon lambda_max, with epsilon that of the numbers in the kernel. */
  readonly rank: number;
  /** Largest over smallest eigenvalue; Infinity when the rank is deficient. */
  readonly condition: number;
  /** Largest stable learning rate of gradient descent on a squared error, 2 / lambda_max. */
  readonly maxLearningRate: number;
};

/** The spectrum of a training kernel. */
export async function kernelSpectrum(kernel: Kernel, options: ComputeOptions = {}): Promise<Spectrum> {
  const theta = scale(await kernel.matrix({ shared: true }), 1 / kernel.cols);
  const n = theta.rows;
  const { values: ascending, vectors } = await eigen(theta, options);
  const values = ascending.toReversed();
  for (let i = 0; i < n; i++) vectors.data.subarray(i * n, (i + 1) * n).reverse();
  const largest = values[0]!;
  const rank = values.filter((x) => x > n * kernel.epsilon * largest).length;
  return {
    values,
    vectors,
    trace: trace(theta),
    rank,
    condition: rank === n ? largest / values[n - 1]! : Infinity,
    maxLearningRate: 2 / largest,
  };
}

/** Squares of the modes of `r` [N, C], summed over its columns where the kernel covers one output: [n]. */
export async function modeEnergies(
  { vectors }: Spectrum,
  r: Matrix,
  options: ComputeOptions = {},
): Promise<Float64Array> {
  const n = vectors.rows;
  // One long column, or as many as there are outputs beside a kernel of one.
  if (r.data.length % n !== 0 || (r.rows !== n && r.data.length !== n)) {
    throw new RangeError(`modes: wanted ${n} rows or ${n} numbers, got ${r.rows} x ${r.cols}`);
  }
  const cols = r.data.length / n;
  const modes = await product(vectors, { rows: n, cols, data: r.data }, { ...options, transA: true });
  const energies = new Float64Array(n);
  for (const [at, c] of modes.data.entries()) energies[Math.floor(at / cols)]! += c * c;
  return energies;
}

/**
 * Share of |y|^2 that lies in the leading eigenvectors, cumulative: entry k is that of the first k + 1 of them [n]. Labels
 * in few of them are learnt soon; of labels that are all zero every share is 0.
 */
export async function labelEnergy(
  spectrum: Spectrum,
  y: Matrix,
  options: ComputeOptions = {},
): Promise<Float64Array> {
  const energies = await modeEnergies(spectrum, y, options);
  const total = energies.reduce((sum, x) => sum + x, 0);
  let sum = 0;
  return energies.map((x) => (total === 0 ? 0 : (sum += x) / total));
}

/**
 * Time s = eta t of gradient flow until the training loss (squared error) has fallen to `fraction` of its start.
 * @param residual f_0 - y [N, C]; -y is the mean over initialisations
 * @returns Infinity when that much of the residual lies where Theta has no eigenvalue above rounding.
 */
export async function convergenceTime(
  spectrum: Spectrum,
  residual: Matrix,
  fraction: number,
  options: ComputeOptions = {},
): Promise<number> {
  demandFraction(fraction);
  const { values, rank } = spectrum;
  const rates = values.map((value, i) => (i < rank ? 2 * value : 0));
  return timeToDecay(rates, await modeEnergies(spectrum, residual, options), fraction);
}

/**
 * Steps of gradient descent at `learningRate` for the same (a whole number).
 * @returns Infinity also when the learning rate is not stable: at 2 / lambda_max the first mode stays for ever.
 */
export async function convergenceSteps(
  spectrum: Spectrum,
  residual: Matrix,
  fraction: number,
  learningRate: number,
  options: ComputeOptions = {},
): Promise<number> {
  demandFraction(fraction);
  demand(learningRate > 0, "learningRate", "a number above 0", learningRate);
  const { values, rank } = spectrum;
  // A mode that one step ends has an infinite rate; any that underflows will do.
  const rateOf = (value: number): number =>
    Math.min(FASTEST, -2 * Math.log(Math.abs(1 - learningRate * value)));
  const rates = values.map((value, i) => (i < rank ? rateOf(value) : 0));
  return Math.ceil(timeToDecay(rates, await modeEnergies(spectrum, residual, options), fraction));
}

const demandFraction = (fraction: number): void =>
  demand(fraction > 0 && fraction <= 1, "fraction", "a number above 0 and up to 1", fraction);

/** exp(-FASTEST) is zero. */
const FASTEST = 1500;

/** Halvings of the bracket, down to the resolution of a float64. */
const BISECTIONS = 60;

/** The t at which sum energies_i exp(-rates_i t) is `fraction` of sum energies_i, by bisection. */
function timeToDecay(rates: Float64Array, energies: Float64Array, fraction: number): number {
  const left = (t: number): number =>
    energies.reduce((sum, energy, i) => sum + (energy > 0 ? energy * Math.exp(-rates[i]! * t) : 0), 0);
  const total = energies.reduce((sum, x) => sum + x, 0);
  const goal = fraction * total;
  const kept = energies.reduce((sum, energy, i) => sum + (rates[i]! > 0 ? 0 : energy), 0);
  if (total <= goal) return 0;
  if (kept > goal || rates.some((rate, i) => rate < 0 && energies[i]! > 0)) return Infinity;
  let [low, high] = [0, 1 / Math.max(...rates)];
  while (left(high) > goal) [low, high] = [high, 2 * high];
  for (let k = 0; k < BISECTIONS; k++) {
    const middle = (low + high) / 2;
    if (left(middle) > goal) low = middle;
    else high = middle;
  }
  return high;
}
