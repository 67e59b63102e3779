/**
 * @file The NTK of a network on its N training samples, Theta [N C, N C], for methods that look at no layer by itself:
 * formed when it is asked for, or only multiplied with.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { agree } from "../error.ts";
import type { Jacobian } from "../linearization/jacobian.ts";
import type { Linearization } from "../linearization/linearize.ts";
import {
  applyFactor,
  checkFactor,
  restrictFactor,
  rightProduct,
  transposedProduct,
  transposeFactor,
  type CurvatureFactor,
} from "../loss/curvature.ts";
import {
  matrix,
  rowRange,
  selectRows,
  toFloat64,
  zeros,
  type Floats,
  type Matrix,
} from "../matrix/matrix.ts";
import { addTimes } from "../matrix/vector-product.ts";
import type { Grams, Side } from "./gram.ts";
import { checkKernel, isSummed, ntk, type AnyKernel } from "./kernel.ts";

/** Told how much of something long is done. */
export type TangentProgress = (what: string, done: number, total: number) => void;

/** Theta of one network on its training samples. */
export type Tangent = {
  /** N. */
  readonly samples: number;
  /** C. */
  readonly outputs: number;
  /** Machine epsilon of the numbers that it is made of. */
  readonly epsilon: number;
  /** Theta [N C, N C], a new matrix that belongs to the caller. */
  gram(): Promise<Matrix>;
  /** Theta v for v [N C]. */
  apply(v: Float64Array): Promise<Float64Array>;
  /** The blocks [C, C] on the diagonal of Theta, one below the other: [N C, C]. */
  blocks(): Promise<Matrix>;
  /** Theta's rows of the C outputs of some samples, [samples C, N C]. */
  rows(samples: readonly number[]): Promise<Matrix>;
};

/** What a linearisation is turned into a {@link Tangent} with. */
export type TangentTools = Stoppable & {
  grams: Grams;
  jacobian: Jacobian;
  epsilon: number;
  progress?: TangentProgress;
};

/** Theta of a linearisation. */
export function linearizedTangent(
  { samples, layers, outputs }: Linearization,
  { grams, jacobian, epsilon, progress, signal }: TangentTools,
): Tangent {
  const C = outputs.cols;
  return {
    samples,
    outputs: C,
    epsilon,
    gram: () =>
      grams.theta(layers, undefined, {
        signal,
        ...(progress ? { progress: (...at) => progress("Gram", ...at) } : {}),
      }),
    apply: (v) => jacobian.tangentProduct({ layers }, v, { signal }),
    blocks: async () => {
      const out = zeros(samples * C, C);
      for (const { inputs, signals } of layers) await addBlocks(out, inputs, signals, signal);
      return out;
    },
    rows: (chosen) => grams.theta(gather(layers, chosen, C), layers, { signal }),
  };
}

/** Theta of a kernel that is there already. */
export function kernelTangent(kernel: AnyKernel): Tangent {
  checkKernel(kernel);
  const { samples, outputs: C, epsilon } = kernel;
  let theta: Matrix | undefined;
  const known = () => (theta ??= ntk(kernel));
  return {
    samples,
    outputs: C,
    epsilon,
    gram: async () => (isSummed(kernel) ? toFloat64(kernel.theta) : ntk(kernel)),
    async apply(v) {
      agree("v", `${samples * C} numbers`, `${v.length} numbers`);
      const out = new Float64Array(v.length);
      addTimes(out, 1, known(), v);
      return out;
    },
    blocks: async () => {
      const { cols, data } = known();
      const out = zeros(samples * C, C);
      for (let row = 0; row < samples * C; row++) {
        const from = row * cols + Math.floor(row / C) * C;
        out.data.set(data.subarray(from, from + C), row * C);
      }
      return out;
    },
    rows: async (chosen) => selectRows(known(), chosen, C),
  };
}

/** S^T Theta S: the NTK of signals into which the curvature of a loss is folded. */
export function whitenTangent(tangent: Tangent, S: CurvatureFactor, options: Stoppable = {}): Tangent {
  checkFactor(tangent, S);
  const whole = async (theta: Matrix) => transposedProduct(S, await rightProduct(theta, S, options), options);
  return {
    ...tangent,
    outputs: S.columns,
    gram: async () => whole(await tangent.gram()),
    apply: async (v) => transposeFactor(S, await tangent.apply(applyFactor(S, v))),
    async blocks() {
      const { data } = await tangent.blocks();
      const { samples, outputs: C, columns: K } = S;
      const out = zeros(samples * K, K);
      for (let n = 0; n < samples; n++) {
        const block = matrix(C, C, data.subarray(n * C * C, (n + 1) * C * C));
        const own = restrictFactor(S, [n]);
        out.data.set((await transposedProduct(own, await rightProduct(block, own))).data, n * K * K);
      }
      return out;
    },
    rows: async (chosen) =>
      transposedProduct(
        restrictFactor(S, chosen),
        await rightProduct(await tangent.rows(chosen), S, options),
        options,
      ),
  };
}

/** H_l and Delta_l of some samples, in new arrays. */
const gather = (side: Side, samples: readonly number[], C: number): Side =>
  side.map(({ inputs, signals }) => ({
    inputs: selectRows(inputs, samples),
    signals: selectRows(signals, samples, C),
  }));

/** out[n] += |H[n]|^2 Delta[n] Delta[n]^T for every sample n. */
async function addBlocks(
  out: Matrix,
  H: Side[number]["inputs"],
  delta: Side[number]["signals"],
  signal: AbortSignal | undefined,
): Promise<void> {
  const C = out.cols;
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

function dot(a: Floats, b: Floats): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
