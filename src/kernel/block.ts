/**
 * @file The kernel of one parameter block (the weights of a layer with their biases), kept factored: the Grams
 *
 *     A_l [N', N]      of the inputs H_l,  and  B_l [N' C, N C]  of the signals Delta_l,
 *
 * from which its NTK is Theta_l = B_l o (A_l (x) 1_C 1_C^T), with no normalisation by N or M. A block that is kept as the rows of its
 * Jacobian is the case H_l = 1, Delta_l = J_l: A_l is ones and B_l the NTK itself.
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
  /** Whether Delta_l are the rows [N C, fanOut columns] of its Jacobian, and H_l ones. Default: false. */
  readonly written?: boolean;
  /** Blocks that it feeds, or is fed by, with no block between. Default: the ones before and after it. */
  readonly neighbours?: readonly number[];
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

/**
 * Of a block that acts at several positions of a sample: H_l [N, columns] averaged and Delta_l [N C, fanOut] summed over them, on
 * the training samples.
 */
export type Reduced = { readonly inputs: Matrix<Floats>; readonly signals: Matrix<Floats> };

/** The same at every one of T positions: H_l [N, T columns] and Delta_l [N C, T fanOut]. */
export type Expanded = Reduced;

/** The kernel of one block. Its matrices may be shared: they are not to be written into. */
export type BlockKernel = BlockInfo & {
  /** Theta_l, a new matrix that belongs to the caller. */
  ntk(): Promise<Matrix>;
  factors(): Promise<Factors>;
  units?(): Promise<Units>;
  reduced?(): Promise<Reduced>;
  expanded?(): Promise<Expanded>;
};

/** A block whose matrices are there. */
export type BlockParts = BlockInfo &
  Factors & { readonly units?: Units; readonly reduced?: Reduced; readonly expanded?: Expanded };

/** A block that gets its factors, and units and what is reduced where it has them, when they are asked for. */
export function outerBlock(
  info: BlockInfo,
  factors: () => Promise<Factors>,
  units?: () => Promise<Units>,
  reduced?: () => Promise<Reduced>,
  expanded?: () => Promise<Expanded>,
): BlockKernel {
  const { fanIn, fanOut, columns, damping, written, neighbours, inputRank, signalRank } = info;
  return {
    fanIn,
    fanOut,
    columns,
    inputRank,
    signalRank,
    ...(damping ? { damping } : {}),
    ...(written ? { written } : {}),
    ...(neighbours ? { neighbours } : {}),
    ntk: async () => blockNtk(await factors()),
    factors,
    ...(units ? { units } : {}),
    ...(reduced ? { reduced } : {}),
    ...(expanded ? { expanded } : {}),
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
