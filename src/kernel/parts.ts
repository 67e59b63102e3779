/**
 * @file Kernels made from others: with the copies of an analytic one written out, and restricted to some samples.
 */
import { asFloat64, selectRows, zeros, type Matrix } from "../linalg/matrix.ts";
import { demandWhole } from "../error.ts";
import { outerBlock, type BlockKernel } from "./block.ts";
import { kernelOfBlocks, lazyKernel, type Kernel } from "./kernel.ts";
import { lazy } from "./lazy.ts";

/** Writes out the copies of an analytic kernel: B_l (x) I_C, a kernel of C outputs. */
export function expandOutputs(kernel: Kernel): Kernel {
  const { copies: C, blocks } = kernel;
  demandWhole("kernel: copies", C);
  if (C === 1) return kernel;
  const head = { ...kernel, outputs: C, rowOutputs: C, copies: 1 };
  if (!blocks) {
    return lazyKernel(head, async () => timesIdentity(await kernel.matrix({ shared: true }), C));
  }
  // Not kept: a caller that needs them twice keeps them.
  const expanded = blocks.map((block) =>
    outerBlock({ ...block, signalRank: C * block.signalRank }, async () => {
      const { A, B } = await block.factors();
      return { A, B: timesIdentity(B, C) };
    }),
  );
  return kernelOfBlocks(head, expanded);
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

/** The part of a kernel on some samples: `rows` of its rows (default: all), `cols` of its training samples. */
export function restrictKernel(kernel: Kernel, cols: ArrayLike<number>, rows?: ArrayLike<number>): Kernel {
  const { outputs, rowOutputs, blocks } = kernel;
  const head = { ...kernel, cols: cols.length, rows: rows?.length ?? kernel.rows };
  const part = (a: Matrix, sizes: Sizes): Matrix => select(a, cols, sizes, rows);
  if (!blocks) {
    const sizes = { rows: rowOutputs, cols: outputs };
    return lazyKernel(head, async () => part(await kernel.matrix({ shared: true }), sizes));
  }
  const restricted = blocks.map((block): BlockKernel => {
    const { units, reduced, expanded } = block;
    const factors = lazy(async () => {
      const { A, B } = await block.factors();
      return { A: part(A, { rows: 1, cols: 1 }), B: part(B, { rows: rowOutputs, cols: outputs }) };
    });
    const chosenOf = (pair: typeof reduced) =>
      pair &&
      lazy(async () => {
        const { inputs, signals } = await pair();
        return { inputs: selectRows(inputs, cols), signals: selectRows(signals, cols, outputs) };
      });
    const beside = [chosenOf(reduced), chosenOf(expanded)] as const;
    if (!units) return outerBlock(block, factors, undefined, ...beside);
    const chosen = lazy(async () => {
      const all = await units();
      return {
        rows: rows ? selectRows(all.rows, rows, rowOutputs) : all.rows,
        train: selectRows(all.train, cols, outputs),
      };
    });
    return outerBlock(block, factors, chosen, ...beside);
  });
  return kernelOfBlocks(head, restricted);
}

/** Rows and columns of a sample. */
type Sizes = { readonly rows: number; readonly cols: number };

/** Blocks of a matrix: those of `rows` (default: all) and `cols`. */
function select(
  a: Matrix,
  cols: ArrayLike<number>,
  { rows: height, cols: size }: Sizes,
  rows?: ArrayLike<number>,
): Matrix {
  const part = rows ? asFloat64(selectRows(a, rows, height)) : a;
  const out = zeros(part.rows, cols.length * size);
  for (let i = 0, at = 0; i < part.rows; i++) {
    for (let k = 0; k < cols.length; k++) {
      const from = i * part.cols + cols[k]! * size;
      for (let c = 0; c < size; c++, at++) out.data[at] = part.data[from + c]!;
    }
  }
  return out;
}
