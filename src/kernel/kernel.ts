/**
 * @file A tangent kernel, kept factored: for each weight layer l the Grams
 *
 *     A_l [N', N]      of the inputs H_l,  and  B_l [N' C, N C]  of the signals Delta_l,
 *
 * from which the layer's NTK is Theta_l = B_l o (A_l (x) 1_C 1_C^T), with no normalisation by N or M. Rows are test
 * samples and columns training samples (or training samples on both sides). Empirical and analytic kernels are the
 * same type, so that everything after this folder does not care which it got.
 */
import { agree, demandWhole } from "../error.ts";
import { allFinite, asFloat64, selectRows, zeros, type Floats, type Matrix } from "../matrix/matrix.ts";
import type { LayerScales } from "../network/parameterization.ts";

/** The factored kernel of one weight layer. */
export type LayerKernel = {
  readonly fanIn: number;
  readonly fanOut: number;
  /** Columns of H_l at the widths of the network: fanIn, and one more where there are biases. */
  readonly columns: number;
  /** Orders of the eigenvalues of A_l and B_l that K-FAC's damping follows; left out: it is split by pi. */
  readonly damping?: { readonly inputs: number; readonly signals: number };
  /** A_l [N', N]. */
  readonly inputGram: Matrix;
  /** B_l [N' C, N C]. */
  readonly signalGram: Matrix;
  /** Columns of H_l: an upper bound on the rank of A_l that the architecture sets (Infinity: no bound). */
  readonly inputRank: number;
  /** Columns of Delta_l: the same for B_l. */
  readonly signalRank: number;
  /**
   * Delta_l itself, for methods that look at single units: of the samples of the rows [N' C, M] and of the training
   * samples [N C, M]. An analytic kernel has drawn units here, or none.
   */
  readonly signals?: { readonly rows: Matrix<Floats>; readonly train: Matrix<Floats> };
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

/**
 * The NTK of a network alone: what is left of a {@link Kernel} for those who look at no layer by itself, in a fraction of
 * the memory.
 */
export type NetworkKernel = Omit<Kernel, "layers"> & {
  /** Sum over l of Theta_l [N' C, N C]. */
  readonly theta: Matrix;
};

/** A kernel with or without its layers. */
export type AnyKernel = Kernel | NetworkKernel;

/** Whether a kernel holds the sum alone. */
export const isSummed = (kernel: AnyKernel): kernel is NetworkKernel => "theta" in kernel;

/**
 * Checks that the parts of a kernel fit together, and beside a training kernel that it is a cross kernel of it.
 * @throws RangeError where they do not.
 */
export function checkKernel(kernel: AnyKernel, training?: AnyKernel): void {
  const { samples: N, outputs: C } = kernel;
  demandWhole("kernel: samples", N);
  demandWhole("kernel: outputs", C);
  if (training) {
    agree("kernel", `${training.samples} training samples`, `${N} training samples`);
    agree("kernel", `${training.outputs} outputs`, `${C} outputs`);
  }
  if (isSummed(kernel)) return checkGram("kernel", kernel.theta, N * C);
  if (kernel.layers.length === 0) throw new RangeError("kernel: wanted a layer or more, got none");
  if (training && !isSummed(training)) {
    agree("kernel", `${training.layers.length} layers`, `${kernel.layers.length} layers`);
  }
  for (const [l, { inputGram, signalGram }] of kernel.layers.entries()) {
    checkGram(`kernel: A of layer ${l + 1}`, inputGram, N);
    checkGram(`kernel: B of layer ${l + 1}`, signalGram, N * C);
  }
}

function checkGram(what: string, { rows, cols, data }: Matrix, columns: number): void {
  agree(what, `${columns} columns`, `${cols} columns`);
  agree(what, `${rows * cols} numbers`, `${data.length} numbers`);
}

/** Whether A_l and B_l have finite numbers alone: divergence shows in the outputs, or in the Grams first. */
export const hasFiniteGrams = ({ inputGram, signalGram }: LayerKernel): boolean =>
  allFinite(inputGram.data) && allFinite(signalGram.data);

/** Whether a kernel has finite numbers alone. */
export const isFiniteKernel = (kernel: AnyKernel): boolean =>
  isSummed(kernel) ? allFinite(kernel.theta.data) : kernel.layers.every(hasFiniteGrams);

/** The damping scales of a parameterisation as a field that may be absent. */
export const dampingOf = ({ damping }: LayerScales): Pick<LayerKernel, "damping"> =>
  damping ? { damping } : {};

/** Theta_l = B_l o (A_l (x) 1_C 1_C^T) [N' C, N C]; the two C may differ (rows of plain, columns of whitened signals). */
export function layerNtk(layer: LayerKernel): Matrix {
  const { inputGram: A, signalGram: B } = layer;
  if (B.rows % A.rows !== 0 || B.cols % A.cols !== 0) {
    throw new RangeError(
      `kernel: wanted B with rows and columns for every output of A's ${A.rows} x ${A.cols}, got ${B.rows} x ${B.cols}`,
    );
  }
  return addLayerNtk(zeros(B.rows, B.cols), layer);
}

/** theta += Theta_l, in place. */
function addLayerNtk(theta: Matrix, { inputGram: A, signalGram: B }: LayerKernel): Matrix {
  const rowOutputs = B.rows / A.rows;
  const outputs = B.cols / A.cols;
  for (let i = 0; i < B.rows; i++) {
    const a = A.data.subarray(Math.floor(i / rowOutputs) * A.cols);
    for (let j = 0, at = i * B.cols; j < A.cols; j++) {
      for (let c = 0; c < outputs; c++, at++) theta.data[at]! += B.data[at]! * a[j]!;
    }
  }
  return theta;
}

/** Writes out the copies of an analytic kernel: B_l (x) I_C, a kernel of C outputs. */
export function expandOutputs(kernel: Kernel): Kernel;
export function expandOutputs(kernel: NetworkKernel): NetworkKernel;
export function expandOutputs(kernel: AnyKernel): AnyKernel;
export function expandOutputs(kernel: AnyKernel): AnyKernel {
  const { copies: C } = kernel;
  demandWhole("kernel: copies", C);
  if (C === 1) return kernel;
  if (isSummed(kernel)) return { ...kernel, outputs: C, copies: 1, theta: timesIdentity(kernel.theta, C) };
  return {
    ...kernel,
    outputs: C,
    copies: 1,
    layers: kernel.layers.map((layer) => ({
      ...layer,
      signalGram: timesIdentity(layer.signalGram, C),
      signalRank: C * layer.signalRank,
    })),
  };
}

/** b (x) I_C. */
function timesIdentity(b: Matrix, C: number): Matrix {
  const out = zeros(b.rows * C, b.cols * C);
  for (let i = 0; i < b.rows; i++) {
    for (let j = 0; j < b.cols; j++) {
      for (let c = 0; c < C; c++) out.data[(i * C + c) * out.cols + j * C + c] = b.data[i * b.cols + j]!;
    }
  }
  return out;
}

/** The NTK of the network: sum over l of Theta_l [N' C, N C]; that of a {@link NetworkKernel} is its own. */
export function ntk(kernel: AnyKernel): Matrix {
  if (isSummed(kernel)) return kernel.theta;
  checkKernel(kernel);
  const { rows, cols } = kernel.layers[0]!.signalGram;
  const theta = zeros(rows, cols);
  for (const layer of kernel.layers) addLayerNtk(theta, layer);
  return theta;
}

/** The part of a kernel on some samples: `rows` of its rows (default: all), `cols` of its training samples. */
export function restrictKernel<K extends AnyKernel>(
  kernel: K,
  cols: ArrayLike<number>,
  rows?: ArrayLike<number>,
): K;
export function restrictKernel(
  kernel: AnyKernel,
  cols: ArrayLike<number>,
  rows?: ArrayLike<number>,
): AnyKernel {
  const { outputs: C } = kernel;
  const samples = cols.length;
  if (isSummed(kernel)) return { ...kernel, samples, theta: select(kernel.theta, cols, C, rows) };
  return {
    ...kernel,
    samples,
    layers: kernel.layers.map(({ inputGram, signalGram, signals, ...layer }) => ({
      ...layer,
      inputGram: select(inputGram, cols, 1, rows),
      signalGram: select(signalGram, cols, C, rows),
      ...(signals
        ? {
            signals: {
              rows: rows ? selectRows(signals.rows, rows, C) : signals.rows,
              train: selectRows(signals.train, cols, C),
            },
          }
        : {}),
    })),
  };
}

/** Blocks [size, size] of a matrix: those of `rows` (default: all) and `cols`. */
function select(a: Matrix, cols: ArrayLike<number>, size: number, rows?: ArrayLike<number>): Matrix {
  const part = rows ? asFloat64(selectRows(a, rows, size)) : a;
  const out = zeros(part.rows, cols.length * size);
  for (let i = 0, at = 0; i < part.rows; i++) {
    for (let k = 0; k < cols.length; k++) {
      const from = i * part.cols + cols[k]! * size;
      for (let c = 0; c < size; c++, at++) out.data[at] = part.data[from + c]!;
    }
  }
  return out;
}
