/**
 * @file The kernel of one parameter block (a weight layer with its biases), kept factored: the Grams
 *
 *     A_l [N', N]      of the inputs H_l,  and  B_l [N' C, N C]  of the signals Delta_l,
 *
 * from which its NTK is Theta_l = B_l o (A_l (x) 1_C 1_C^T), with no normalisation by N or M.
 */
import { allFinite, zeros, type Floats, type Matrix } from "../linalg/matrix.ts";
import type { LayerScales } from "../ops/parameterization.ts";

/** What is known of a block beside its numbers. */
export type BlockInfo = {
  readonly fanIn: number;
  readonly fanOut: number;
  /** Columns of H_l at the widths of the network: fanIn, and one more where there are biases. */
  readonly columns: number;
  /** Orders of the eigenvalues of A_l and B_l that K-FAC's damping follows; left out: it is split by pi. */
  readonly damping?: { readonly inputs: number; readonly signals: number };
  /** Columns of H_l: an upper bound on the rank of A_l that the architecture sets (Infinity: no bound). */
  readonly inputRank: number;
  /** Columns of Delta_l: the same for B_l. */
  readonly signalRank: number;
};

/** A_l [N', N] and B_l [N' C, N C]. */
export type Factors = { readonly A: Matrix; readonly B: Matrix };

/**
 * Delta_l itself, for methods that look at single units: of the samples of the rows [N' C, M] and of the training samples
 * [N C, M]. An analytic kernel has drawn units here, or none.
 */
export type Units = { readonly rows: Matrix<Floats>; readonly train: Matrix<Floats> };

/** The kernel of one block. Its matrices may be shared: they are not to be written into. */
export type BlockKernel = BlockInfo & {
  /** Theta_l, a new matrix that belongs to the caller. */
  ntk(): Promise<Matrix>;
  factors(): Promise<Factors>;
  units?(): Promise<Units>;
};

/** A block whose matrices are there. */
export type BlockParts = BlockInfo & Factors & { readonly units?: Units };

/** A block that gets its factors, and units where it has them, when they are asked for. */
export function outerBlock(
  info: BlockInfo,
  factors: () => Promise<Factors>,
  units?: () => Promise<Units>,
): BlockKernel {
  const { fanIn, fanOut, columns, damping, inputRank, signalRank } = info;
  return {
    fanIn,
    fanOut,
    columns,
    inputRank,
    signalRank,
    ...(damping ? { damping } : {}),
    ntk: async () => blockNtk(await factors()),
    factors,
    ...(units ? { units } : {}),
  };
}

/** The damping scales of a parameterisation as a field that may be absent. */
export const dampingOf = ({ damping }: LayerScales): Pick<BlockInfo, "damping"> =>
  damping ? { damping } : {};

/** Whether A_l and B_l have finite numbers alone: divergence shows in the outputs, or in the Grams first. */
export const areFinite = ({ A, B }: Factors): boolean => allFinite(A.data) && allFinite(B.data);

/**
 * Theta_l = B_l o (A_l (x) 1_C 1_C^T) [N' C, N C]; the two C may differ (rows of plain, columns of whitened signals).
 * @throws RangeError where B has not a row and a column for every output of A's.
 */
export const blockNtk = (factors: Factors): Matrix =>
  addBlockNtk(zeros(factors.B.rows, factors.B.cols), factors);

/** theta += Theta_l, in place. */
export function addBlockNtk(theta: Matrix, { A, B }: Factors): Matrix {
  if (B.rows % A.rows !== 0 || B.cols % A.cols !== 0) {
    throw new RangeError(
      `kernel: wanted B with rows and columns for every output of A's ${A.rows} x ${A.cols}, got ${B.rows} x ${B.cols}`,
    );
  }
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
