/**
 * @file A tangent kernel, kept factored: for each weight layer l the Grams
 *
 *     A_l [N', N]      of the inputs H_l,  and  B_l [N' C, N C]  of the signals Delta_l,
 *
 * from which the layer's NTK is Theta_l = B_l o (A_l (x) 1_C 1_C^T), with no normalisation by N or M. Rows are test
 * samples and columns training samples (or training samples on both sides). Empirical and analytic kernels are the
 * same type, so that everything after this folder does not care which it got.
 */
import { addScaled, zeros, type Matrix } from "../matrix/matrix.ts";

/** The factored kernel of one weight layer. */
export type LayerKernel = {
  readonly fanIn: number;
  readonly fanOut: number;
  /** A_l [N', N]. */
  readonly inputGram: Matrix;
  /** B_l [N' C, N C]. */
  readonly signalGram: Matrix;
  /** Columns of H_l: an upper bound on the rank of A_l that the architecture sets (Infinity: no bound). */
  readonly inputRank: number;
  /** Columns of Delta_l: the same for B_l. */
  readonly signalRank: number;
};

/** The factored kernel of a network. */
export type Kernel = {
  /** Samples of the training side, N. */
  readonly samples: number;
  /** C, outputs that the signal Grams cover. */
  readonly outputs: number;
  /**
   * Equal diagonal blocks that the signal Grams stand for: at infinite width the outputs of a network are
   * independent, so one block (`outputs` 1) serves all of them; 1 for an empirical kernel.
   */
  readonly copies: number;
  /** Machine epsilon of the numbers in it: 2^-23 when the engine computed them in float32. */
  readonly epsilon: number;
  readonly layers: readonly LayerKernel[];
};

/** Theta_l = B_l o (A_l (x) 1_C 1_C^T) [N' C, N C]. */
export function layerNtk(layer: LayerKernel, outputs: number): Matrix {
  const { inputGram: A, signalGram: B } = layer;
  const theta = zeros(B.rows, B.cols);
  for (let i = 0; i < B.rows; i++) {
    const a = A.data.subarray(Math.floor(i / outputs) * A.cols);
    const row = i * B.cols;
    for (let j = 0, at = row; j < A.cols; j++) {
      for (let c = 0; c < outputs; c++, at++) theta.data[at] = B.data[at]! * a[j]!;
    }
  }
  return theta;
}

/** The NTK of the network: sum over l of Theta_l [N' C, N C]. */
export function ntk(kernel: Kernel): Matrix {
  const [first, ...rest] = kernel.layers.map((layer) => layerNtk(layer, kernel.outputs));
  for (const theta of rest) addScaled(first!, 1, theta);
  return first!;
}
