/**
 * @file The NTK of a network on its N training samples, Theta [N C, N C], for methods that look at no layer by itself:
 * formed when it is asked for, or only multiplied with.
 */
import type { Jacobian } from "../linearization/jacobian.ts";
import type { Linearization } from "../linearization/linearize.ts";
import { selectRows, toFloat64, zeros, type Matrix } from "../matrix/matrix.ts";
import type { Grams, Side } from "./gram.ts";
import { isSummed, ntk, type AnyKernel } from "./kernel.ts";
import {
  applyFactor,
  rightProduct,
  transposedProduct,
  transposeFactor,
  type CurvatureFactor,
} from "./whiten.ts";

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
  /** The diagonal of Theta [N C]. */
  diagonal(): Promise<Float64Array>;
  /** Theta's columns of the C outputs of some samples, [N C, samples C]. */
  columns(samples: readonly number[]): Promise<Matrix>;
};

/** What a linearisation is turned into a {@link Tangent} with. */
export type TangentTools = { grams: Grams; jacobian: Jacobian; epsilon: number; progress?: TangentProgress };

/** Theta of a linearisation. */
export function linearizedTangent(
  { samples, layers, outputs }: Linearization,
  { grams, jacobian, epsilon, progress }: TangentTools,
): Tangent {
  const C = outputs.cols;
  return {
    samples,
    outputs: C,
    epsilon,
    gram: () =>
      grams.theta(layers, undefined, progress ? { progress: (...at) => progress("Gram", ...at) } : {}),
    apply: (v) => jacobian.tangentProduct({ layers }, v),
    async diagonal() {
      const out = new Float64Array(samples * C);
      for (const { inputs, signals } of layers) {
        const a = squaredNorms(inputs);
        for (const [i, b] of squaredNorms(signals).entries()) out[i]! += b * a[Math.floor(i / C)]!;
      }
      return out;
    },
    columns: (chosen) => grams.theta(layers, gather(layers, chosen, C)),
  };
}

/** Theta of a kernel that is there already. */
export function kernelTangent(kernel: AnyKernel): Tangent {
  const { samples, outputs: C, epsilon } = kernel;
  let theta: Matrix | undefined;
  const known = () => (theta ??= ntk(kernel));
  return {
    samples,
    outputs: C,
    epsilon,
    gram: async () => (isSummed(kernel) ? toFloat64(kernel.theta) : ntk(kernel)),
    async apply(v) {
      const { rows, cols, data } = known();
      const out = new Float64Array(rows);
      for (let i = 0, at = 0; i < rows; i++) {
        for (let j = 0; j < cols; j++, at++) out[i]! += data[at]! * v[j]!;
      }
      return out;
    },
    diagonal: async () =>
      Float64Array.from({ length: samples * C }, (_, i) => known().data[i * (samples * C + 1)]!),
    async columns(chosen) {
      const { rows, cols, data } = known();
      const out = zeros(rows, chosen.length * C);
      for (let i = 0; i < rows; i++) {
        for (const [k, n] of chosen.entries()) {
          out.data.set(data.subarray(i * cols + n * C, i * cols + (n + 1) * C), i * out.cols + k * C);
        }
      }
      return out;
    },
  };
}

/** S^T Theta S: the NTK of signals into which the curvature of a loss is folded. */
export function whitenTangent(tangent: Tangent, S: CurvatureFactor): Tangent {
  const whole = (theta: Matrix) => transposedProduct(S, rightProduct(theta, S));
  return {
    ...tangent,
    outputs: S.columns,
    gram: async () => whole(await tangent.gram()),
    apply: async (v) => transposeFactor(S, await tangent.apply(applyFactor(S, v))),
    async diagonal() {
      const out: number[] = [];
      // Blocks on the diagonal do not follow from the diagonal alone.
      for (let n = 0; n < S.samples; n++) {
        const own = restrict(S, [n]);
        const { data, cols } = transposedProduct(S, rightProduct(await tangent.columns([n]), own));
        for (let k = 0; k < S.columns; k++) out.push(data[(n * S.columns + k) * cols + k]!);
      }
      return Float64Array.from(out);
    },
    columns: async (chosen) =>
      transposedProduct(S, rightProduct(await tangent.columns(chosen), restrict(S, chosen))),
  };
}

/** The factors of some samples. */
function restrict(S: CurvatureFactor, samples: readonly number[]): CurvatureFactor {
  const size = S.outputs * S.columns;
  const values = new Float64Array(samples.length * size);
  for (const [i, n] of samples.entries()) values.set(S.values.subarray(n * size, (n + 1) * size), i * size);
  return { ...S, samples: samples.length, values };
}

/** H_l and Delta_l of some samples, in new arrays. */
const gather = (side: Side, samples: readonly number[], C: number): Side =>
  side.map(({ inputs, signals }) => ({
    inputs: selectRows(inputs, samples),
    signals: selectRows(signals, samples, C),
  }));

/** |row|^2 of every row. */
function squaredNorms({ rows, cols, data }: Side[number]["inputs"]): Float64Array {
  const out = new Float64Array(rows);
  for (let i = 0, at = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < cols; j++, at++) sum += data[at]! * data[at]!;
    out[i] = sum;
  }
  return out;
}
