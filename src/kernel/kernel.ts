/**
 * @file A tangent kernel: Theta between samples of its rows and of its columns, as a matrix or only as products with one,
 * and where it was asked for the kernels of its blocks, of which it is the sum. Rows are test samples and columns training
 * samples (or training samples on both sides). It is lazy: a part is computed when it is first asked for. Empirical and
 * analytic kernels are the same type, and everything after this folder takes either.
 */
import { agree, demandWhole } from "../error.ts";
import { allFinite, selectRows, toFloat64, zeros, type Matrix } from "../linalg/matrix.ts";
import { addTimes } from "../linalg/vector-product.ts";
import { addBlockNtk, areFinite, outerBlock, type BlockKernel, type BlockParts } from "./block.ts";
import { lazy } from "./lazy.ts";

/**
 * What is needed of a kernel: Theta alone, those of its blocks, their factors A and B, the same at every position of a sample, or the
 * signals of single units.
 */
export type KernelNeeds = "ntk" | "blocks" | "kronecker" | "positions" | "units";

/** What a kernel is of. */
export type KernelHead = {
  /** Of the network as it stands, or of its limit of infinite width. */
  readonly source: "empirical" | "analytic";
  /** N', samples of the rows. */
  readonly rows: number;
  /** N, samples of the columns: the training side. */
  readonly cols: number;
  /** C, outputs that its columns cover. */
  readonly outputs: number;
  /** Outputs that its rows cover, where a curvature was folded into the columns alone. Default: `outputs`. */
  readonly rowOutputs?: number;
  /**
   * Equal diagonal blocks that it stands for: at infinite width the outputs of a network are independent, so one block
   * (`outputs` 1) serves all of them; 1 for an empirical kernel.
   */
  readonly copies: number;
  /** Machine epsilon of the numbers in it: 2^-23 when the engine computed them in float32. */
  readonly epsilon: number;
};

/** The kernel of a network. */
export type Kernel = Required<KernelHead> & {
  /**
   * Theta [N' C, N C]: a new matrix that belongs to the caller, or with `shared` perhaps the kernel's own, which is not to be
   * written into.
   */
  matrix(options?: { shared?: boolean }): Promise<Matrix>;
  /** Theta v for v [N C]. */
  times(v: Float64Array): Promise<Float64Array>;
  /** Theta's rows of the outputs of some samples, [samples C, N C]. */
  rowsOf(samples: readonly number[]): Promise<Matrix>;
  /** Of a kernel of samples with themselves: the blocks [C, C] on the diagonal of Theta, one below the other: [N C, C]. */
  diagonal(): Promise<Matrix>;
  /** First layer to last; left out where only the sum is there, in a fraction of the memory. */
  readonly blocks?: readonly BlockKernel[];
};

/**
 * The kernel that a matrix Theta [N' C, N C] is, of which no blocks are known.
 * @throws RangeError where it has not that shape.
 */
export function matrixKernel(head: KernelHead, theta: Matrix): Kernel {
  const full = complete(head);
  checkGram("kernel", theta, full.rows * full.rowOutputs, full.cols * full.outputs);
  return lazyKernel(full, async () => theta);
}

/** The same for a matrix that is made when it is asked for, and kept. */
export function lazyKernel(head: KernelHead, theta: () => Promise<Matrix>): Kernel {
  const kept = lazy(theta);
  return {
    ...withProducts(complete(head), kept),
    matrix: async ({ shared = false } = {}) => (shared ? kept() : toFloat64(await kept())),
  };
}

/**
 * The kernel whose blocks have these matrices.
 * @throws RangeError where they do not fit together.
 */
export function blocksKernel(head: KernelHead, parts: readonly BlockParts[]): Kernel {
  const { rows, cols, outputs, rowOutputs } = complete(head);
  for (const [l, { A, B }] of parts.entries()) {
    checkGram(`kernel: A of layer ${l + 1}`, A, rows, cols);
    checkGram(`kernel: B of layer ${l + 1}`, B, rows * rowOutputs, cols * outputs);
  }
  return kernelOfBlocks(
    head,
    parts.map(({ A, B, units, reduced, expanded, ...info }) =>
      outerBlock(
        info,
        async () => ({ A, B }),
        units && (async () => units),
        reduced && (async () => reduced),
        expanded && (async () => expanded),
      ),
    ),
  );
}

/** The same for blocks that are lazy themselves. Theta is their sum, made when it is asked for. */
export function kernelOfBlocks(head: KernelHead, blocks: readonly BlockKernel[]): Kernel {
  if (blocks.length === 0) throw new RangeError("kernel: wanted a layer or more, got none");
  const full = complete(head);
  const sum = async (): Promise<Matrix> => {
    const theta = zeros(full.rows * full.rowOutputs, full.cols * full.outputs);
    for (const block of blocks) addBlockNtk(theta, await block.factors());
    return theta;
  };
  return { ...withProducts(full, lazy(sum)), matrix: sum, blocks };
}

function complete(head: KernelHead): Required<KernelHead> {
  const { source, rows, cols, outputs, rowOutputs = outputs, copies, epsilon } = head;
  for (const [name, value] of Object.entries({ rows, cols, outputs, rowOutputs, copies })) {
    demandWhole(`kernel: ${name}`, value);
  }
  return { source, rows, cols, outputs, rowOutputs, copies, epsilon };
}

/** Products with Theta, and parts of it, from a matrix that is kept for them. */
function withProducts(
  head: Required<KernelHead>,
  theta: () => Promise<Matrix>,
): Omit<Kernel, "matrix" | "blocks"> {
  const { rows, cols, outputs, rowOutputs } = head;
  return {
    ...head,
    async times(v) {
      agree("v", `${cols * outputs} numbers`, `${v.length} numbers`);
      const out = new Float64Array(rows * rowOutputs);
      addTimes(out, 1, await theta(), v);
      return out;
    },
    async diagonal() {
      agree("kernel", `${cols * outputs} rows`, `${rows * rowOutputs} rows`);
      const { data } = await theta();
      const out = zeros(rows * outputs, outputs);
      for (let row = 0; row < out.rows; row++) {
        const from = row * out.rows + Math.floor(row / outputs) * outputs;
        out.data.set(data.subarray(from, from + outputs), row * outputs);
      }
      return out;
    },
    rowsOf: async (samples) => selectRows(await theta(), samples, rowOutputs),
  };
}

/**
 * Checks that a kernel is of whole numbers of samples and outputs, and beside a training kernel that it is a cross kernel of it.
 * @throws RangeError or InputError where it is not.
 */
export function checkKernel(kernel: Kernel, training?: Kernel): void {
  const { cols, outputs, blocks } = kernel;
  complete(kernel);
  if (!training) return;
  agree("kernel", `${training.cols} training samples`, `${cols} training samples`);
  agree("kernel", `${training.outputs} outputs`, `${outputs} outputs`);
  if (blocks && training.blocks) {
    agree("kernel", `${training.blocks.length} layers`, `${blocks.length} layers`);
  }
}

function checkGram(what: string, { rows, cols, data }: Matrix, height: number, width: number): void {
  agree(what, `${width} columns`, `${cols} columns`);
  agree(what, `${height} rows`, `${rows} rows`);
  agree(what, `${rows * cols} numbers`, `${data.length} numbers`);
}

/**
 * The blocks of a kernel.
 * @throws RangeError where it has none.
 */
export function blocksOf({ blocks }: Kernel, what = "kernel"): readonly BlockKernel[] {
  if (!blocks) throw new RangeError(`${what}: wanted a kernel of layers, got their sum`);
  return blocks;
}

/** Whether a kernel has finite numbers alone. */
export async function isFiniteKernel(kernel: Kernel): Promise<boolean> {
  if (!kernel.blocks) return allFinite((await kernel.matrix({ shared: true })).data);
  for (const block of kernel.blocks) if (!areFinite(await block.factors())) return false;
  return true;
}
