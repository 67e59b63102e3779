/**
 * @file The least-squares solution of A x = b with a symmetric positive semidefinite A [n, n] that may be singular, and a b
 * that need not be in its range: GMRES restricted to the range (Calvetti, Lewis & Reichel, GMRES-type methods for inconsistent
 * systems, Linear Algebra Appl. 316, 2000). With M a preconditioner [n, n], symmetric positive definite, that maps the
 * range of A to itself, it minimises |b - A x| over
 *
 *     x = M V y,   V [n, k] an orthonormal basis of A M b, (A M)^2 b, ..., (A M)^k b,   A M V_k = V_{k+1} H_k,
 *
 * so that y minimises |V_{k+1}^T b - H_k y|, by Givens rotations. Conjugate gradients diverge where A x = b has no solution;
 * here every direction lies in the range, x tends to A^+ b, the solution of least norm, and the residual never grows. The price
 * is the memory of the basis, k n numbers, kept orthogonal to the last digit.
 */
import { checkedSystem, IDENTITY, type CgOptions, type Operator } from "./conjugate-gradients.ts";
import { hessenbergLeastSquares } from "./hessenberg-least-squares.ts";
import { addMultiple, dot, length } from "./vectors.ts";

/** Options of {@link leastResidual}. */
export type LeastResidualOptions = Pick<
  CgOptions,
  "preconditioner" | "tolerance" | "maxIterations" | "what"
> & {
  /** Relative error of the products with A: components below it count as outside of the range. Default: 2^-52. */
  epsilon?: number;
  /** Called after every iteration. The run stops before the next one if it returns "stop". */
  onIteration?: (progress: {
    iteration: number;
    relativeResidual: number;
  }) => void | "stop" | Promise<void | "stop">;
};

/** The result of a run. */
export type LeastResidualResult = {
  readonly x: Float64Array;
  readonly iterations: number;
  /** |b - A x| / |b|, computed anew from x. At the solution, the part of b outside of the range. */
  readonly relativeResidual: number;
  /** Whether |b - A x| <= tolerance |b|, or |A M (b - A x)| <= tolerance |A M b|: nothing of it in the range is left. */
  readonly converged: boolean;
};

/** A new direction counts as rounding when it is smaller than this many roundings of the vector that it was made from. */
const ROUNDINGS = 8;

/**
 * A^+ b.
 * @throws InputError when sizes disagree or the tolerance is out of range, NotFiniteError when a product has entries that are not finite.
 */
export async function leastResidual(
  apply: Operator,
  b: Float64Array,
  options: LeastResidualOptions = {},
): Promise<LeastResidualResult> {
  const { preconditioner = IDENTITY, tolerance = 1e-10, maxIterations = b.length, onIteration } = options;
  const { what = "least residual", epsilon = 2 ** -52 } = options;
  const n = b.length;
  const {
    scale: size,
    times,
    precondition,
  } = checkedSystem(apply, b, { what, tolerance, maxIterations, preconditioner });
  if (size === 0) return { x: new Float64Array(n), iterations: 0, relativeResidual: 0, converged: true };
  const timesBoth = async (v: Float64Array): Promise<Float64Array> =>
    (await times(await precondition(v))).slice();

  const first = await timesBoth(b);
  const start = length(first);
  const basis: Float64Array[] = start > 0 ? [first.map((value) => value / start)] : [];
  const projected = hessenbergLeastSquares();
  let inside = 0;
  const note = (v: Float64Array): number => {
    const along = dot(v, b);
    inside += along * along;
    return along;
  };
  if (basis[0]) projected.begin(note(basis[0]));
  let y: Float64Array = new Float64Array(0);
  let converged = start === 0;
  let stop: void | "stop" = undefined;
  while (!converged && stop !== "stop" && projected.columns() < maxIterations) {
    const { column, next } = extended(basis, await timesBoth(basis.at(-1)!), epsilon);
    // A M r of the solution so far, in the basis: this column completes it.
    const left = projected.normalResidual(y, column, start);
    if (left <= tolerance * start) {
      converged = true;
      break;
    }
    if (next) basis.push(next);
    projected.add(column, next ? note(next) : 0);
    y = projected.solve();
    const outside = Math.max(0, size * size - inside);
    const relativeResidual = Math.sqrt(outside + projected.residual() ** 2) / size;
    converged = !next || relativeResidual <= tolerance;
    stop = await onIteration?.({ iteration: projected.columns(), relativeResidual });
  }

  const inRange = new Float64Array(n);
  for (const [j, weight] of y.entries()) addMultiple(inRange, weight, basis[j]!);
  const x = (await precondition(inRange)).slice();
  const Ax = await times(x);
  const relativeResidual = length(b.map((value, i) => value - Ax[i]!)) / size;
  return { x, iterations: projected.columns(), relativeResidual, converged };
}

/** The column of H for w = A M v_k, and v_{k+1}, which is undefined where w adds only rounding to the basis. */
function extended(
  basis: readonly Float64Array[],
  w: Float64Array,
  epsilon: number,
): { column: Float64Array; next: Float64Array | undefined } {
  const whole = length(w);
  const column = new Float64Array(basis.length + 1);
  // Two passes are enough to be orthogonal in floating point (Kahan & Parlett).
  for (let pass = 0; pass < 2; pass++) {
    for (const [i, v] of basis.entries()) {
      const along = dot(v, w);
      column[i]! += along;
      addMultiple(w, -along, v);
    }
  }
  const rest = length(w);
  if (rest <= ROUNDINGS * epsilon * whole) return { column, next: undefined };
  column[basis.length] = rest;
  return { column, next: w.map((value) => value / rest) };
}
