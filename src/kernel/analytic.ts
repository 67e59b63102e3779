/**
 * @file The kernel of an infinitely wide network (paper, section 2.2; Jacot et al., arXiv 1806.07572; Lee et al.,
 * arXiv 1902.06720), for inputs of any norm:
 *
 *     A_1 = sigma_w^2 x.x' / M_0 + sigma_b^2,     A_{l+1} = sigma_w^2 E[phi phi'] + sigma_b^2
 *     B_L = 1,                                    B_l = sigma_w^2 B_{l+1} o E[phi-dot phi-dot']
 *
 * in the NTK parameterisation, where A_L is the NNGP kernel of the outputs. The outputs are independent: B is the block of one of them. All in
 * float64 on the host; tiles bound the memory of the intermediate layers.
 */
import { asFloat64, matrix, rowRange, zeros, type Floats, type Matrix } from "../matrix/matrix.ts";
import { product } from "../matrix/product.ts";
import type { Covariance, InfiniteForward, Layer } from "../network/layer.ts";
import type { Network } from "../network/network.ts";
import { dampingOf, type Kernel, type LayerKernel } from "./kernel.ts";

/** Options of {@link analyticKernel}. */
export type AnalyticOptions = {
  /** Rows of a tile; need not divide the number of rows. Default: all. */
  tile?: number;
};

/**
 * The analytic kernel between samples `x1` [N', M_0] and training samples `x2` [N, M_0] (default: `x1` itself).
 * Only the layers of the network matter, and its widths only as fan-in and fan-out of K-FAC's damping.
 */
export async function analyticKernel(
  network: Network,
  x1: Matrix<Floats>,
  x2: Matrix<Floats> = x1,
  options: AnalyticOptions = {},
): Promise<Kernel> {
  const { tile = x1.rows } = options;
  const last = network.weights.length - 1;
  const layers: LayerKernel[] = network.weights.map(({ fanIn, fanOut, rows, scales }, l) => ({
    fanIn,
    fanOut,
    ...dampingOf(scales),
    // Hidden widths are infinite; the input features and the outputs are not.
    inputRank: l === 0 ? rows : Infinity,
    signalRank: l === last ? 1 : Infinity,
    inputGram: zeros(x1.rows, x2.rows),
    signalGram: zeros(x1.rows, x2.rows),
  }));
  const var2 = meanSquares(x2);
  for (let start = 0; start < x1.rows; start += tile) {
    const rows = rowRange(x1, start, Math.min(start + tile, x1.rows));
    let l = 0;
    for (const { inputGram, signals } of propagate(network, await inputCovariance(rows, x2, var2))) {
      if (!inputGram) continue;
      layers[l]!.inputGram.data.set(inputGram.data, start * x2.rows);
      layers[l]!.signalGram.data.set(signals.data, start * x2.rows);
      l++;
    }
  }
  return { samples: x2.rows, outputs: 1, copies: network.outputs, epsilon: 2 ** -52, layers };
}

/** What passes through a network of infinite width: one entry a layer, weight layers and others. */
export type Passage = {
  readonly layer: Layer;
  /** Covariance of the values that leave the layer. */
  readonly values: Matrix;
  /** Weight layers: A_l. */
  readonly inputGram: Matrix | undefined;
  /** Covariance of the signals at its output; B_l for a weight layer. */
  readonly signals: Matrix;
};

/** Passes covariances of inputs through the network and back. */
export function propagate(network: Network, input: Covariance): Passage[] {
  let state = input;
  let width = network.inputs;
  const steps: (InfiniteForward & { layer: Layer })[] = [];
  for (const layer of network.layers) {
    const step = layer.infinite(state, width);
    steps.push({ layer, ...step });
    state = step.output;
    width = layer.widthOut(width);
  }
  const ones = new Float64Array(input.cov.data.length).fill(1);
  let signals: Matrix = matrix(input.cov.rows, input.cov.cols, ones);
  const passages: Passage[] = [];
  for (const { layer, output, inputGram, backward } of steps.toReversed()) {
    passages.push({ layer, values: output.cov, inputGram, signals });
    signals = backward(signals);
  }
  return passages.toReversed();
}

/** x.x' / M_0 with its diagonals. */
export async function inputCovariance(
  x1: Matrix<Floats>,
  x2: Matrix<Floats>,
  var2: Float64Array = meanSquares(x2),
): Promise<Covariance> {
  const cov = await product(asFloat64(x1), asFloat64(x2), { transB: true });
  for (let i = 0; i < cov.data.length; i++) cov.data[i]! /= x1.cols;
  return { cov, var1: meanSquares(x1), var2 };
}

/** |x|^2 / M_0 of every row. */
function meanSquares(x: Matrix<Floats>): Float64Array {
  const out = new Float64Array(x.rows);
  for (let i = 0; i < x.rows; i++) {
    for (let k = 0; k < x.cols; k++) out[i]! += x.data[i * x.cols + k]! ** 2;
    out[i]! /= x.cols;
  }
  return out;
}
