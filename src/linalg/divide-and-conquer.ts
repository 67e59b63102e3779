/**
 * @file Eigenvalues and eigenvectors of large symmetric tridiagonal matrices by divide and conquer (Cuppen, Numer. Math.
 * 36, 1981; Gu & Eisenstat, SIAM J. Matrix Anal. Appl. 16, 1995; LAPACK's dstedc, dlaed2 and dlaed3). T is cut in two,
 *
 *     T = diag(T1, T2) + |e| u u^T = diag(V1, V2) (D + rho z z^T) diag(V1, V2)^T,
 *
 * entries of z and differences of D that rounding cannot tell from zero are deflated, and the eigenvectors U of what is
 * left come from its roots (secular.ts) for a z that is changed by rounding only, which makes them orthogonal to
 * working precision however close the roots are. diag(V1, V2) U is the engine's Gemm, and most of the work.
 *
 * Eigenvectors are rows throughout: they are then contiguous.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { implicitQl } from "./implicit-ql.ts";
import { identity, matrix, zeros, type Matrix } from "./matrix.ts";
import { product } from "./product.ts";
import { secularRoots, type Roots } from "./secular.ts";

/** Eigenvalues of T, ascending, and eigenvectors in rows [n, n]. */
export type TridiagonalEigen = { readonly values: Float64Array; readonly rows: Matrix };

/** The largest size for which the QL method is faster. */
const LEAF = 32;
const EPSILON = 2 ** -53;

/** Decomposes T of a diagonal [n] and an off-diagonal [n - 1] whose largest entries are near 1. */
export async function divideAndConquer(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  options: ComputeOptions = {},
): Promise<TridiagonalEigen> {
  const n = diagonal.length;
  if (n <= LEAF) return byQl(diagonal, offDiagonal, options);
  const cut = n >> 1;
  const e = offDiagonal[cut - 1]!;
  const [upper, lower] = [diagonal.slice(0, cut), diagonal.slice(cut)];
  upper[cut - 1]! -= Math.abs(e);
  lower[0]! -= Math.abs(e);
  const first = await divideAndConquer(upper, offDiagonal.subarray(0, cut - 1), options);
  const second = await divideAndConquer(lower, offDiagonal.subarray(cut), options);
  return merge(first, second, e, options);
}

/** The same by the QL method. */
export async function byQl(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  options: ComputeOptions = {},
): Promise<TridiagonalEigen> {
  const d = diagonal.slice();
  const rows = identity(d.length);
  await implicitQl(d, offDiagonal, rows, options);
  const order = [...d.keys()].sort((i, j) => d[i]! - d[j]!);
  const sorted = zeros(d.length, d.length);
  for (const [to, from] of order.entries()) sorted.data.set(rowOf(rows, from), to * d.length);
  return { values: Float64Array.from(order, (i) => d[i]!), rows: sorted };
}

const rowOf = ({ cols, data }: Matrix, i: number): Float64Array => data.subarray(i * cols, (i + 1) * cols);

/** An eigenpair of D before the merge; the vector's part on either side of the cut is absent where it is zero. */
type Pair = { value: number; z: number; upper: Float64Array | undefined; lower: Float64Array | undefined };

async function merge(
  first: TridiagonalEigen,
  second: TridiagonalEigen,
  e: number,
  options: ComputeOptions,
): Promise<TridiagonalEigen> {
  const cut = first.values.length;
  const n = cut + second.values.length;
  const { kept, deflated } = deflate(pairs(first, second, e), 2 * Math.abs(e), cut, n - cut);
  const d = Float64Array.from(kept, ({ value }) => value);
  const roots = await secularRoots(
    d,
    Float64Array.from(kept, ({ z }) => z),
    2 * Math.abs(e),
    options,
  );
  const z = await restoredZ(d, roots, kept, options);
  const upper = await combine(roots, z, kept, "upper", cut, options);
  const lower = await combine(roots, z, kept, "lower", n - cut, options);

  const out = { values: new Float64Array(n), rows: zeros(n, n) };
  const all = [
    ...deflated,
    ...Array.from(roots.values, (value, j) => ({
      value,
      upper: upper && rowOf(upper, j),
      lower: lower && rowOf(lower, j),
    })),
  ].sort((a, b) => a.value - b.value);
  for (const [i, { value, upper, lower }] of all.entries()) {
    out.values[i] = value;
    if (upper) out.rows.data.set(upper, i * n);
    if (lower) out.rows.data.set(lower, i * n + cut);
  }
  return out;
}

/** The pairs of both halves by ascending value, with z of norm 1. */
function pairs(first: TridiagonalEigen, second: TridiagonalEigen, e: number): Pair[] {
  const cut = first.values.length;
  const upper = Array.from(first.values, (value, i) => {
    const row = rowOf(first.rows, i);
    return { value, z: Math.SQRT1_2 * row[cut - 1]!, upper: row, lower: undefined };
  });
  const lower = Array.from(second.values, (value, i) => {
    const row = rowOf(second.rows, i);
    return { value, z: Math.SQRT1_2 * Math.sign(e) * row[0]!, upper: undefined, lower: row };
  });
  return [...upper, ...lower].sort((a, b) => a.value - b.value);
}

/**
 * Sets aside the pairs that are eigenpairs already: those whose z is negligible, and one of any two whose values are nearly
 * equal, after a rotation that moves its z to the other. The pairs that are kept have distinct values and no small z.
 */
function deflate(
  all: readonly Pair[],
  rho: number,
  upperSize: number,
  lowerSize: number,
): { kept: Pair[]; deflated: Pair[] } {
  const size = all.reduce((most, { value, z }) => Math.max(most, Math.abs(value), Math.abs(z)), 0);
  const tolerance = 8 * EPSILON * size;
  const kept: Pair[] = [];
  const deflated: Pair[] = [];
  for (const pair of all) {
    if (rho * Math.abs(pair.z) <= tolerance) {
      deflated.push(pair);
      continue;
    }
    const before = kept.at(-1);
    if (before) {
      const length = Math.hypot(before.z, pair.z);
      const [c, s] = [pair.z / length, -before.z / length];
      const gap = pair.value - before.value;
      if (Math.abs(gap * c * s) <= tolerance) {
        turn(before, pair, c, s, upperSize, lowerSize);
        pair.z = length;
        deflated.push(before);
        kept.pop();
      }
    }
    kept.push(pair);
  }
  return { kept, deflated };
}

/** Rotates two pairs by (c, s); the off-diagonal entry that D then has is negligible. */
function turn(a: Pair, b: Pair, c: number, s: number, upperSize: number, lowerSize: number): void {
  if (a.upper ?? b.upper) {
    rotate((a.upper ??= new Float64Array(upperSize)), (b.upper ??= new Float64Array(upperSize)), c, s);
  }
  if (a.lower ?? b.lower) {
    rotate((a.lower ??= new Float64Array(lowerSize)), (b.lower ??= new Float64Array(lowerSize)), c, s);
  }
  const [p, q] = [a.value, b.value];
  a.value = p * c * c + q * s * s;
  b.value = p * s * s + q * c * c;
}

function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let i = 0; i < x.length; i++) {
    const [p, q] = [x[i]!, y[i]!];
    x[i] = c * p + s * q;
    y[i] = c * q - s * p;
  }
}

/**
 * The z for which the roots that were found are exact (Loewner's formula):
 * z_i^2 = product over j of (lambda_j - d_i) / product over j other than i of (d_j - d_i), up to rho.
 */
async function restoredZ(
  d: Float64Array,
  { distances }: Roots,
  kept: readonly Pair[],
  { signal }: ComputeOptions,
): Promise<Float64Array> {
  const k = d.length;
  const squares = new Float64Array(k);
  for (let i = 0; i < k; i++) squares[i] = -distances.data[i * k + i]!;
  for (let j = 0; j < k; j++) {
    await breathe(signal);
    const pole = d[j]!;
    for (let i = 0, at = j * k; i < k; i++, at++) {
      if (i !== j) squares[i]! *= distances.data[at]! / (d[i]! - pole);
    }
  }
  return squares.map((square, i) => Math.sqrt(Math.abs(square)) * Math.sign(kept[i]!.z));
}

/** The eigenvectors' parts on one side of the cut [k, size], of the kept pairs that have one; undefined if none has. */
async function combine(
  { distances }: Roots,
  z: Float64Array,
  kept: readonly Pair[],
  side: "upper" | "lower",
  size: number,
  options: ComputeOptions,
): Promise<Matrix | undefined> {
  const k = kept.length;
  const used = Int32Array.from([...kept.keys()].filter((i) => kept[i]![side]));
  if (used.length === 0) return undefined;
  const basis = zeros(used.length, size);
  for (const [to, i] of used.entries()) basis.data.set(kept[i]![side]!, to * size);
  const u = new Float64Array(k * used.length);
  for (let j = 0; j < k; j++) {
    await breathe(options.signal);
    let square = 0;
    for (let i = 0, at = j * k; i < k; i++, at++) square += (z[i]! / distances.data[at]!) ** 2;
    const scale = 1 / Math.sqrt(square);
    for (let to = 0, at = j * used.length; to < used.length; to++, at++) {
      const i = used[to]!;
      u[at] = (scale * z[i]!) / distances.data[j * k + i]!;
    }
  }
  return product(matrix(k, used.length, u), basis, options);
}
