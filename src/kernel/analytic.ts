/**
 * @file The kernel of an infinitely wide network (paper, section 2.2; Jacot et al., arXiv 1806.07572; Lee et al.,
 * arXiv 1902.06720), for inputs of any norm:
 *
 *     A_1 = sigma_w^2 x.x' / M_0 + sigma_b^2,     A_{l+1} = sigma_w^2 E[phi phi'] + sigma_b^2
 *     B_L = 1,                                    B_l = sigma_w^2 B_{l+1} o E[phi-dot phi-dot']
 *
 * in the NTK parameterisation, where A_L is the NNGP kernel of the outputs. The outputs are independent: B is the block of
 * one of them. Theta = sum over l of A_l o B_l needs no A_l and B_l, as it passes forward (Jacot et al., theorem 1):
 *
 *     Theta <- sigma_w^2 Theta + A_l at weights,     Theta <- Theta o E[phi-dot phi-dot'] at a nonlinearity.
 *
 * All in float64, tile by tile (tiles.ts), in place (network/tile.ts).
 */
import { matrix, zeros, type Floats, type Matrix } from "../linalg/matrix.ts";
import type { Network } from "../network/network.ts";
import { dampingOf, type BlockParts } from "./block.ts";
import { blocksKernel, matrixKernel, type Kernel, type KernelHead, type KernelNeeds } from "./kernel.ts";
import { sweep, type SweepOptions, type TileWork } from "./sweep.ts";

/** Options of {@link analyticKernel}. */
export type AnalyticOptions = SweepOptions & {
  /** With "ntk" the sum over the layers alone is computed, in the memory of one matrix. Default: "kronecker". */
  needs?: KernelNeeds;
};

/** Options of {@link analyticNtk} and {@link analyticNngp}. */
export type SumOptions<T extends Floats = Float64Array> = SweepOptions & {
  /** Where to write, N' N numbers: a Float32Array holds them rounded, in half the memory. Default: float64 of its own. */
  into?: T;
};

/**
 * The analytic kernel between samples `x1` [N', M_0] and training samples `x2` [N, M_0] (default: `x1` itself), layer by layer:
 * 2 L matrices, or with `needs` "ntk" their sum. Only the layers of the network matter, and its widths only as fan-in
 * and fan-out of K-FAC's damping.
 * @throws InputError for samples or variances that are not finite.
 * @example
 * import { analyticKernel, matrix, mlp } from "natgrad";
 *
 * const network = mlp(2, { depth: 3 });
 * const train = matrix(2, 2, Float64Array.of(1, 0, 0, 1));
 * const test = matrix(1, 2, Float64Array.of(0.6, 0.8));
 * const kernel = await analyticKernel(network, test, train);
 * const theta = await kernel.matrix(); // [1, 2]
 * console.log(theta.rows, theta.cols, kernel.blocks?.length); // 1 2 3
 */
export async function analyticKernel(
  network: Network,
  x1: Matrix<Floats>,
  x2: Matrix<Floats> = x1,
  { needs = "kronecker", ...options }: AnalyticOptions = {},
): Promise<Kernel> {
  const head: KernelHead = {
    source: "analytic",
    rows: x1.rows,
    cols: x2.rows,
    outputs: 1,
    copies: network.outputs,
    epsilon: 2 ** -52,
  };
  if (needs === "ntk") return matrixKernel(head, await analyticNtk(network, x1, x2, options));
  const last = network.blocks.length - 1;
  const layers: BlockParts[] = network.blocks.map(({ fanIn, fanOut, columns, scales }, l) => ({
    fanIn,
    fanOut,
    columns,
    ...dampingOf(scales),
    // Hidden widths are infinite; the input features and the outputs are not.
    inputRank: l === 0 ? columns : Infinity,
    signalRank: l === last ? 1 : Infinity,
    A: zeros(x1.rows, x2.rows),
    B: zeros(x1.rows, x2.rows),
  }));
  const passages = network.nodes.map(({ block: l }): Passage | undefined => {
    if (l === undefined) return undefined;
    return { inputGram: layers[l]!.A, signalGram: layers[l]!.B };
  });
  const work = passBothWays(network, passages);
  await sweep(network, x1, x2, options, work.buffers, work.run);
  return blocksKernel(head, layers);
}

/**
 * The NTK of one output, Theta = sum over l of A_l o B_l [N', N], between samples `x1` [N', M_0] and `x2` [N, M_0] (default: `x1`
 * itself), with no normalisation by N. Memory: the result and tiles of a few MB.
 * @throws InputError for samples or variances that are not finite.
 */
export async function analyticNtk<T extends Floats = Float64Array>(
  network: Network,
  x1: Matrix<Floats>,
  x2: Matrix<Floats> = x1,
  { into, ...options }: SumOptions<T> = {},
): Promise<Matrix<T>> {
  const out = given(x1.rows, x2.rows, into);
  await sweep(network, x1, x2, options, 1, ({ buffers: [theta], steps, store }) => {
    theta!.fill(0);
    for (const { apply } of steps) apply(theta);
    store(out, theta!);
  });
  return out;
}

/**
 * The NNGP kernel E[f(x) f(x')] of one output [N', N], in any parameterisation; arguments as of {@link analyticNtk}.
 * @throws InputError for samples or variances that are not finite.
 */
export async function analyticNngp<T extends Floats = Float64Array>(
  network: Network,
  x1: Matrix<Floats>,
  x2: Matrix<Floats> = x1,
  { into, ...options }: SumOptions<T> = {},
): Promise<Matrix<T>> {
  const out = given(x1.rows, x2.rows, into);
  await sweep(network, x1, x2, options, 0, ({ cov, steps, store }) => {
    for (const { apply } of steps) apply();
    store(out, cov);
  });
  return out;
}

/** @throws RangeError when `into` has another length. */
const given = <T extends Floats>(rows: number, cols: number, into: T | undefined): Matrix<T> =>
  matrix(rows, cols, into ?? (new Float64Array(rows * cols) as T));

/** Matrices [N', N] to be filled with what a layer sees; those left out are not wanted. */
export type Passage = {
  /** Covariance of the values that leave the layer. */
  readonly values?: Matrix;
  /** Weight layers: A_l. */
  readonly inputGram?: Matrix;
  /** Covariance of the signals at its output; B_l for a weight layer. */
  readonly signalGram?: Matrix;
};

/** Work of {@link sweep} that passes covariances through the network and signals back, one passage per layer. */
export function passBothWays(
  { nodes }: Network,
  passages: readonly (Passage | undefined)[],
): { buffers: number; run(tile: TileWork): void } {
  const run = ({ cov, buffers, steps, store }: TileWork): void => {
    const [scratch, ...rest] = buffers as [Float64Array, ...Float64Array[]];
    // What signals are multiplied by on the way back: a number, or E[phi-dot phi-dot'].
    const factors = steps.map(({ rule }) => (rule.kind === "weights" ? rule.gain : rest.pop()!));
    for (const [k, { apply }] of steps.entries()) {
      const { inputGram, values } = passages[k] ?? {};
      const factor = factors[k]!;
      // A weight layer adds its A to nothing; a nonlinearity multiplies ones.
      apply(typeof factor === "number" ? scratch.fill(0) : factor.fill(1));
      if (inputGram) store(inputGram, scratch);
      if (values) store(values, cov);
    }
    const signals = scratch.fill(1);
    for (const [k, factor] of [...factors.entries()].toReversed()) {
      const { signalGram } = passages[k] ?? {};
      if (signalGram) store(signalGram, signals);
      multiplyBy(signals, factor);
    }
  };
  return { buffers: 1 + nodes.filter(({ block }) => block === undefined).length, run };
}

/** signals o= factor. */
function multiplyBy(signals: Float64Array, factor: number | Float64Array): void {
  if (typeof factor === "number") for (let i = 0; i < signals.length; i++) signals[i]! *= factor;
  else for (let i = 0; i < signals.length; i++) signals[i]! *= factor[i]!;
}
