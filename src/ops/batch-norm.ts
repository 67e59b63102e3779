/**
 * @file Batch normalisation (Ioffe & Szegedy, arXiv 1502.03167) in inference: with running statistics, an affine map per channel. In
 * training its value on one sample depends on all others, so that a sample has no Jacobian of its own.
 */
import { agree, demand, InputError } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { mul, sub } from "../engine/ops.ts";
import { printed } from "./axes.ts";
import { normalising, type NormalisationOptions } from "./normalisation.ts";
import type { Op, Shape } from "./op.ts";

/** Mean and variance of each channel. */
export type RunningStatistics = {
  readonly mean: readonly number[] | Float32Array | Float64Array;
  readonly variance: readonly number[] | Float32Array | Float64Array;
};

/**
 * The op (x - mean) / sqrt(variance + epsilon) gain + shift on values [...positions, channels]. Gains start at 1 and shifts at 0:
 * theta [channels, 2].
 * @throws InputError for an epsilon that is no number >= 0, and variances without one over their root; RangeError for another number of
 * variances than of means, and (the op) for another number of channels.
 * @example
 * import { batchNorm } from "natgrad/network";
 *
 * const running = { mean: [0.1, 0.2, 0.3], variance: [1, 2, 1] };
 * console.log(batchNorm(running).shape([[8, 8, 3]])); // [ 8, 8, 3 ]
 */
export function batchNorm(
  { mean, variance }: RunningStatistics,
  { epsilon = 1e-5, ...which }: NormalisationOptions = {},
): Op {
  const channels = mean.length;
  demand(Number.isFinite(epsilon) && epsilon >= 0, "epsilon", "a finite number >= 0", epsilon);
  agree("batchNorm", `${channels} variances`, `${variance.length} variances`);
  const inverse = Array.from(variance, (v) => 1 / Math.sqrt(v + epsilon));
  if (!inverse.every(Number.isFinite)) {
    throw new InputError("batchNorm: wanted variances > 0, got one without 1 / sqrt(variance)");
  }
  const scaled = (g: Graph, value: Value): Value => mul(g, value, g.constant(inverse, [channels]));
  return normalising("batchNorm", 1, which, {
    check(shape: Shape): void {
      if (shape.at(-1) === channels) return;
      throw new RangeError(`batchNorm: wanted values [..., ${channels}], got ${printed(shape)}`);
    },
    value: (g, x) => scaled(g, sub(g, x, g.constant(mean, [channels]))),
    back: (g, _at, ct) => scaled(g, ct),
  });
}
