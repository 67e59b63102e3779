/**
 * @file The NTK of a linearised network on its N training samples, Theta [N C, N C], for methods that look at no layer by
 * itself: formed when it is asked for, or only multiplied with.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { agree } from "../error.ts";
import type { Jacobian } from "../jacobian/jacobian.ts";
import type { Linearization } from "../jacobian/linearize.ts";
import { rowRange, selectRows, zeros, type Floats, type Matrix } from "../linalg/matrix.ts";
import type { Grams, Side } from "./gram.ts";
import type { Kernel } from "./kernel.ts";

/** Called with the progress of long work. */
export type KernelProgress = (what: string, done: number, total: number) => void;

/** What a linearisation is turned into a {@link Kernel} with. */
export type KernelTools = Stoppable & {
  grams: Grams;
  jacobian: Jacobian;
  epsilon: number;
  progress?: KernelProgress;
};

/** Theta of a linearisation, without its blocks. It lives as long as H and Delta of the linearisation, and keeps nothing. */
export function linearizedKernel(
  { samples, layers, outputs }: Linearization,
  { grams, jacobian, epsilon, progress, signal }: KernelTools,
): Kernel {
  const C = outputs.cols;
  return {
    source: "empirical",
    rows: samples,
    cols: samples,
    outputs: C,
    rowOutputs: C,
    copies: 1,
    epsilon,
    matrix: () =>
      grams.theta(layers, undefined, {
        signal,
        ...(progress ? { progress: (...at) => progress("Gram", ...at) } : {}),
      }),
    async times(v) {
      agree("v", `${samples * C} numbers`, `${v.length} numbers`);
      return jacobian.tangentProduct({ layers }, v, { signal });
    },
    async diagonal() {
      const out = zeros(samples * C, C);
      for (const layer of layers) await addBlocks(out, layer, signal);
      return out;
    },
    rowsOf: (chosen) => grams.theta(gather(layers, chosen, C), layers, { signal }),
  };
}

/** H_l and Delta_l of some samples, in new arrays. */
const gather = (side: Side, samples: readonly number[], C: number): Side =>
  side.map(({ inputs, signals, kept }) => ({
    kept,
    inputs: selectRows(inputs, samples),
    signals: selectRows(signals, samples, C),
  }));

/** out[n] += |H[n]|^2 Delta[n] Delta[n]^T for every sample n; with positions the sum of that over pairs of them. */
async function addBlocks(
  out: Matrix,
  { inputs: H, signals: delta, kept: T }: Side[number],
  signal: AbortSignal | undefined,
): Promise<void> {
  const C = out.cols;
  if (T > 1) return addPairs(out, H, delta, T, signal);
  for (let n = 0; n < H.rows; n++) {
    await breathe(signal);
    const h = rowRange(H, n, n + 1).data;
    const size = dot(h, h);
    for (let c = 0; c < C; c++) {
      const row = rowRange(delta, n * C + c, n * C + c + 1).data;
      for (let d = 0; d <= c; d++) {
        const other = d === c ? row : rowRange(delta, n * C + d, n * C + d + 1).data;
        const value = size * dot(row, other);
        out.data[(n * C + c) * C + d]! += value;
        if (d < c) out.data[(n * C + d) * C + c]! += value;
      }
    }
  }
}

/** out[n] += sum over t, s of (H[n, t] . H[n, s]) Delta[n, t] Delta[n, s]^T. */
async function addPairs(
  out: Matrix,
  H: Side[number]["inputs"],
  delta: Side[number]["signals"],
  T: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const C = out.cols;
  const part = (m: Matrix<Floats>, row: number, t: number): Floats => {
    const width = m.cols / T;
    return m.data.subarray(row * m.cols + t * width, row * m.cols + (t + 1) * width);
  };
  for (let n = 0; n < H.rows; n++) {
    for (let t = 0; t < T; t++) {
      await breathe(signal);
      for (let s = 0; s <= t; s++) {
        const size = dot(part(H, n, t), part(H, n, s));
        for (let c = 0; c < C; c++) {
          for (let d = 0; d < C; d++) {
            const value = size * dot(part(delta, n * C + c, t), part(delta, n * C + d, s));
            out.data[(n * C + c) * C + d]! += value;
            if (s < t) out.data[(n * C + d) * C + c]! += value;
          }
        }
      }
    }
  }
}

function dot(a: Floats, b: Floats): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
