/**
 * @file Preconditioned conjugate gradients (Hestenes & Stiefel 1952; Saad, Iterative Methods, algorithm 9.1) for
 * A x = b with a symmetric positive (semi)definite A [n, n] that is known only by its products A v, and M an
 * approximation of A^-1 that is known by its products too:
 *
 *     alpha = r^T z / p^T A p,   x += alpha p,   r -= alpha A p,   z = M r,   beta = r'^T z' / r^T z,   p = z + beta p.
 *
 * The r of the recursion drifts from b - A x by rounding. Where it says that the goal is reached, b - A x is computed: it
 * decides, and if it is greater the iteration starts again from it.
 *
 * A run may stop at any iteration and go on from its state elsewhere: the numbers are the same to the last bit as long as
 * the products are.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { InputError, NotFiniteError } from "../error.ts";
import type { LinearSolver } from "./linear-solver.ts";
import { dot, length } from "./vectors.ts";
import type { NpyArray, NpySource } from "./npy.ts";

/** v to A v, both [n]. */
export type Operator = (v: Float64Array) => Promise<Float64Array> | Float64Array;

/** All that the next iteration depends on. */
export type CgState = {
  readonly x: Float64Array;
  readonly r: Float64Array;
  readonly p: Float64Array;
  /** r^T M r. */
  readonly rz: number;
  /** Iterations done. */
  readonly iteration: number;
  /** Relative residual when b - A x was last computed; Infinity before. */
  readonly checked: number;
};

/** What is reported of an iteration. */
export type CgIteration = {
  readonly iteration: number;
  /** |r| / |b| of the recursion. */
  readonly relativeResidual: number;
  /** A copy of the state, from which an iteration goes on. */
  readonly state: () => CgState;
};

/** Options of conjugate gradients. */
export type CgOptions = Stoppable & {
  /** M, symmetric positive definite: it solves with an approximation of A. Default: the identity. */
  preconditioner?: Pick<LinearSolver, "solve">;
  /** Wanted |b - A x| / |b|, from 0 to below 1, which is that of x = 0. */
  tolerance?: number;
  /** Iterations at most, those of a resumed state included. Default: 10 n. */
  maxIterations?: number;
  /** Where to start. Default: zero. */
  start?: Float64Array;
  /** Where to go on; excludes `start`. */
  state?: CgState;
  /** Called after every iteration. The run stops before the next one if it returns "stop". */
  onIteration?: (progress: CgIteration) => void | "stop" | Promise<void | "stop">;
  /** Name of the system in errors. */
  what?: string;
};

/** Why a run ended short of its goal. */
export type CgBreakdown = {
  /** `operator`: p^T A p <= 0; `preconditioner`: r^T M r <= 0; `stagnation`: b - A x no longer shrinks. */
  readonly kind: "operator" | "preconditioner" | "stagnation";
  /** p^T A p / p^T p, or r^T M r / r^T r, or |b - A x| / |b|. */
  readonly value: number;
};

/** The result of a run. */
export type CgResult = {
  readonly x: Float64Array;
  readonly iterations: number;
  /** |b - A x| / |b|, computed anew from x. */
  readonly relativeResidual: number;
  /** Whether that is within the tolerance. */
  readonly converged: boolean;
  /** Why it stopped short of the tolerance, unless it ran out of iterations. */
  readonly breakdown: CgBreakdown | undefined;
  readonly state: CgState;
};

/** No preconditioner. */
export const IDENTITY: Pick<LinearSolver, "solve"> = { solve: (v) => v };

/** A residual computed anew that is more than this share of the one before means that rounding allows no further gain. */
const SHRUNK = 0.5;

/**
 * x with |b - A x| <= tolerance |b|.
 * @throws InputError when sizes disagree or the tolerance is out of range; NotFiniteError when a product has entries that are not finite.
 */
export async function conjugateGradients(
  apply: Operator,
  b: Float64Array,
  options: CgOptions = {},
): Promise<CgResult> {
  const {
    preconditioner = IDENTITY,
    tolerance = 1e-10,
    maxIterations = 10 * b.length,
    onIteration,
    signal,
  } = options;
  const { what = "conjugate gradients" } = options;
  const n = b.length;
  const { scale, times, precondition } = checkedSystem(apply, b, {
    what,
    tolerance,
    maxIterations,
    preconditioner,
  });
  const relative = (r: Float64Array): number => (scale === 0 ? length(r) : length(r) / scale);
  const residual = async (x: Float64Array): Promise<Float64Array> => {
    const Ax = await times(x);
    return b.map((value, i) => value - Ax[i]!);
  };

  let {
    x,
    r,
    p,
    rz,
    iteration,
    checked: seen,
  } = options.state
    ? copyState(options.state, n, what)
    : await firstState(options.start, b, residual, precondition, what);
  const state = (): CgState => ({ x: x.slice(), r: r.slice(), p: p.slice(), rz, iteration, checked: seen });
  let breakdown: CgBreakdown | undefined;
  let stop: void | "stop" = undefined;

  while (breakdown === undefined && stop !== "stop") {
    await breathe(signal);
    if (relative(r) <= tolerance) {
      // r is exactly b - A x where nothing has been iterated since it was computed.
      const fresh = await residual(x);
      const now = relative(fresh);
      if (now <= tolerance) break;
      if (now > SHRUNK * seen) {
        breakdown = { kind: "stagnation", value: now };
        break;
      }
      seen = now;
      r = fresh;
      p = (await precondition(r)).slice();
      rz = dot(r, p);
    }
    if (iteration >= maxIterations) break;
    if (!(rz > 0)) {
      breakdown = { kind: "preconditioner", value: rz / dot(r, r) };
      break;
    }
    const Ap = await times(p);
    const curvature = dot(p, Ap);
    if (!(curvature > 0)) {
      breakdown = { kind: "operator", value: curvature / dot(p, p) };
      break;
    }
    const alpha = rz / curvature;
    for (let i = 0; i < n; i++) {
      x[i]! += alpha * p[i]!;
      r[i]! -= alpha * Ap[i]!;
    }
    const z = await precondition(r);
    const next = dot(r, z);
    const beta = next / rz;
    for (let i = 0; i < n; i++) p[i] = z[i]! + beta * p[i]!;
    rz = next;
    iteration++;
    stop = await onIteration?.({ iteration, relativeResidual: relative(r), state });
  }

  const relativeResidual = relative(await residual(x));
  const converged = relativeResidual <= tolerance;
  return {
    x: x.slice(),
    iterations: iteration,
    relativeResidual,
    converged,
    breakdown: converged ? undefined : breakdown,
    state: state(),
  };
}

/** The state as arrays for `writeNpz`. */
export const cgStateToArrays = ({ x, r, p, rz, iteration, checked }: CgState): Record<string, NpySource> => ({
  x: { shape: [x.length], data: x },
  r: { shape: [r.length], data: r },
  p: { shape: [p.length], data: p },
  scalars: { shape: [3], data: Float64Array.of(rz, iteration, checked) },
});

/**
 * The state from what `readNpz` returns.
 * @throws InputError when an array is missing or not float64.
 */
export function cgStateFromArrays(arrays: ReadonlyMap<string, NpyArray>, name: string): CgState {
  const read = (key: string): Float64Array => {
    const data = arrays.get(key)?.data;
    if (data instanceof Float64Array) return data;
    throw new InputError(`${name}: wanted float64 array ${key}, got ${data ? "float32" : "none"}`);
  };
  const [rz, iteration, checked] = read("scalars");
  if (rz === undefined || iteration === undefined || checked === undefined) {
    throw new InputError(`${name}: wanted 3 scalars, got ${read("scalars").length}`);
  }
  return { x: read("x"), r: read("r"), p: read("p"), rz, iteration, checked };
}

async function firstState(
  start: Float64Array | undefined,
  b: Float64Array,
  residual: (x: Float64Array) => Promise<Float64Array>,
  precondition: (r: Float64Array) => Promise<Float64Array>,
  what: string,
): Promise<CgState> {
  if (start && start.length !== b.length) throw sizeError(what, "start", b.length, start.length);
  const x = start ? start.slice() : new Float64Array(b.length);
  const r = start ? await residual(x) : b.slice();
  const p = (await precondition(r)).slice();
  return { x, r, p, rz: dot(r, p), iteration: 0, checked: Infinity };
}

function copyState(state: CgState, n: number, what: string): CgState {
  for (const key of ["x", "r", "p"] as const) {
    if (state[key].length !== n) throw sizeError(what, `state.${key}`, n, state[key].length);
  }
  return { ...state, x: state.x.slice(), r: state.r.slice(), p: state.p.slice() };
}

/** A system and its preconditioner, whose products are checked. */
export type CheckedSystem = {
  /** |b|. */
  readonly scale: number;
  /** v to A v, and r to M r. */
  readonly times: (v: Float64Array) => Promise<Float64Array>;
  readonly precondition: (r: Float64Array) => Promise<Float64Array>;
};

/**
 * Checks the tolerance and b at once, and every product when it is made.
 * @throws InputError for a tolerance that is no number from 0 to below 1; NotFiniteError for a b that is not finite.
 */
export function checkedSystem(
  apply: Operator,
  b: Float64Array,
  {
    what,
    tolerance,
    maxIterations,
    preconditioner,
  }: Required<Pick<CgOptions, "what" | "tolerance" | "maxIterations" | "preconditioner">>,
): CheckedSystem {
  if (!(tolerance >= 0 && tolerance < 1)) {
    throw new InputError(`${what}: wanted a tolerance from 0 to below 1, got ${tolerance}`);
  }
  if (!(Number.isInteger(maxIterations) && maxIterations >= 0)) {
    throw new InputError(`${what}: wanted a whole number of iterations >= 0, got ${maxIterations}`);
  }
  const scale = length(b);
  if (!Number.isFinite(scale))
    throw new NotFiniteError(`${what}: wanted finite numbers in b, got |b| = ${scale}`);
  return {
    scale,
    times: checkedOperator(apply, b.length, what, "A v"),
    precondition: checkedOperator(preconditioner.solve, b.length, what, "M r"),
  };
}

/** The operator, with a check of the size and the finiteness of what it returns. */
const checkedOperator =
  (apply: Operator, n: number, what: string, product: string) =>
  async (v: Float64Array): Promise<Float64Array> => {
    const out = await apply(v);
    if (out.length !== n) throw sizeError(what, product, n, out.length);
    const bad = out.findIndex((x) => !Number.isFinite(x));
    if (bad < 0) return out;
    throw new NotFiniteError(`${what}: wanted finite numbers in ${product}, got ${out[bad]} at ${bad}`);
  };

const sizeError = (what: string, name: string, wanted: number, got: number): InputError =>
  new InputError(`${what}: wanted ${wanted} numbers in ${name}, got ${got}`);
