/**
 * @file What a method takes: bytes and operations from sizes alone, stated by the method itself (`cost` in its file), so
 * that a plan has no list of methods. Bytes are those of float64 matrices, and an upper bound; what a factor keeps alive
 * counts, and so does what an inverse on the range needs where that is asked for.
 */

import { LARGEST_RANK } from "../linalg/singular.ts";
import type { BlockShape } from "../ops/op.ts";
import type { Solver } from "./solver.ts";

/** Sizes of a kernel that a method is prepared on. */
export type CostSizes = {
  /** N, columns of A_l. */
  readonly samples: number;
  /** C, outputs that the columns of B_l cover; those of a folded curvature where there is one. */
  readonly outputs: number;
  /** First layer to last. */
  readonly layers: readonly CostLayer[];
  /** gamma, the share of samples on which a hidden unit is active. Default: 1/2, as under ReLU. */
  readonly activeShare?: number;
  /** Whether there is a damping. */
  readonly damped: boolean;
  /** Whether singular Grams are inverted on their range, by eigendecompositions. */
  readonly leastNorm?: boolean;
  /** Whether the kernels are those of the network alone: what needs no more finds Theta' of other rows there. */
  readonly summed?: boolean;
  /** How it is solved, where the method has a choice. */
  readonly solver?: Solver;
  /** Rank of the preconditioner of conjugate gradients. */
  readonly rank?: number;
};

/** What a cost depends on of a layer: its columns of Delta_l alone, but for one that is kept as rows. */
export type CostLayer = { readonly fanOut: number } & Partial<
  Pick<BlockShape, "columns" | "positions" | "form">
>;

/** Rows of another kernel with the same columns: N' samples with C outputs each. */
export type CostRows = { readonly samples: number; readonly outputs: number };

/** Bytes that stay as long as what was made, and at the most while it is made or used, these included. */
export type Memory = { readonly kept: number; readonly peak: number };

/** What a method takes on a kernel, beside the kernel. */
export type Cost = {
  /** Of `prepare`: what it forms of Theta counts, but for products with J and rows of Theta. */
  readonly prepare: Memory;
  /** Of `solve`, and of what it returns. */
  readonly solve: Memory;
  /** Of `onto` such rows, the use of what it returns included. */
  onto(rows: CostRows): Memory;
  /** Floating-point operations of `prepare` and one `solve`; 0 for a method that forms no Gram. */
  readonly operations: number;
};

/** Bytes of a float64 matrix. */
export const matrixBytes = (rows: number, cols: number = rows): number => 8 * rows * cols;

/** Rows of a block of a Cholesky factor at most: what the blocks' inverses and scratch memory cost beside n^2. */
const BLOCK = 240;

/** Of a matrix [n, n] with its Cholesky factor, which keeps it while it is small and takes its place where it is large. */
export const choleskyBytes = (n: number): number =>
  (n > LARGEST_RANK ? 1 : 1.5) * matrixBytes(n) + 2 * matrixBytes(n, BLOCK);

/** Of an inverse from a Cholesky factor, and what it is made of. */
export const inverseBytes = (n: number): number => 1.6 * matrixBytes(n) + 3 * matrixBytes(n, BLOCK);

/** Of an eigendecomposition (eigen.ts), its vectors included. */
export const eigenBytes = (n: number): number => 7 * matrixBytes(n);

/** Of a matrix [n, n] that is inverted, perhaps on its range: for good, and meanwhile. */
export function invertBytes(n: number, { leastNorm = false }: Pick<CostSizes, "leastNorm">): Memory {
  const kept = choleskyBytes(n) + (leastNorm ? matrixBytes(n) : 0);
  return { kept, peak: kept + (leastNorm ? eigenBytes(n) : 0) };
}

/** Of a method whose coefficients are one number per sample and output in each of L layers. */
export const vectorsBytes = (m: number, layers: number): Memory => ({
  kept: 8 * m * layers,
  peak: 16 * m * layers,
});
