/**
 * @file The parts of one whitening step of samples in the rows of z [N, r]: S = (r/N) Σ_n z_n z_nᵀ = L Lᵀ, then
 * z ← z L⁻ᵀ, after which S = I. In place, on lower triangles.
 */
import { breathe } from "../breathe.ts";
import { type Matrix, zeros } from "../linalg/matrix.ts";

/** Divides every row by its norm in place. */
export function toSphere({ rows, cols, data }: Matrix): void {
  for (let n = 0; n < rows; n++) {
    const row = data.subarray(n * cols, (n + 1) * cols);
    let squares = 0;
    for (const value of row) squares += value * value;
    const norm = Math.sqrt(squares);
    for (let i = 0; i < cols; i++) row[i]! /= norm;
  }
}

/** (r/N) Σ_n z_n z_nᵀ [r, r]: the lower triangle. */
export async function secondMoment({ rows, cols, data }: Matrix, signal?: AbortSignal): Promise<Matrix> {
  const out = zeros(cols, cols);
  for (let n = 0; n < rows; n++) {
    await breathe(signal);
    const row = data.subarray(n * cols, (n + 1) * cols);
    for (let i = 0; i < cols; i++) {
      const factor = (cols / rows) * row[i]!;
      const at = i * cols;
      for (let j = 0; j <= i; j++) out.data[at + j]! += factor * row[j]!;
    }
  }
  return out;
}

/** ‖S − I‖_F / √r of a symmetric S, by its lower triangle. */
export function distanceFromIdentity({ rows, data }: Matrix): number {
  let squares = 0;
  for (let i = 0; i < rows; i++) {
    squares += (data[i * rows + i]! - 1) ** 2;
    for (let j = 0; j < i; j++) squares += 2 * data[i * rows + j]! ** 2;
  }
  return Math.sqrt(squares / rows);
}

/** L with S = L Lᵀ, in place on the lower triangle. */
export async function cholesky(s: Matrix, signal?: AbortSignal): Promise<Matrix> {
  const { rows: n, data } = s;
  for (let i = 0; i < n; i++) {
    await breathe(signal);
    for (let j = 0; j <= i; j++) {
      let sum = data[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= data[i * n + k]! * data[j * n + k]!;
      data[i * n + j] = i === j ? Math.sqrt(sum) : sum / data[j * n + j]!;
    }
  }
  return s;
}

/** a ← a L⁻ᵀ: every row y of the result solves L y = row. */
export async function divideRows(
  { rows, cols, data }: Matrix,
  lower: Matrix,
  signal?: AbortSignal,
): Promise<void> {
  for (let n = 0; n < rows; n++) {
    await breathe(signal);
    const row = data.subarray(n * cols, (n + 1) * cols);
    for (let i = 0; i < cols; i++) {
      let sum = row[i]!;
      for (let k = 0; k < i; k++) sum -= lower.data[i * cols + k]! * row[k]!;
      row[i] = sum / lower.data[i * cols + i]!;
    }
  }
}
