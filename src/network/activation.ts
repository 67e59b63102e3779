/**
 * @file An elementwise nonlinearity as a layer. An activation is three formulas: its value and derivative on a graph,
 * and its dual: the expectations of phi phi' and of phi-dot phi-dot' under a pair of centred Gaussians.
 */
import type { Graph, Value } from "../graph/graph.ts";
import { mul, reshape, unsqueeze1 } from "../graph/ops.ts";
import { zeros } from "../matrix/matrix.ts";
import type { Layer } from "./layer.ts";

/** A nonlinearity phi. */
export type Activation = {
  readonly name: string;
  /** phi(u). */
  value(g: Graph, u: Value): Value;
  /** phi'(u). */
  derivative(g: Graph, u: Value): Value;
  /** phi'(u) of a number, as {@link Activation.derivative} on the host. */
  slope(u: number): number;
  /** E[phi(u) phi(v)] for (u, v) centred Gaussian with variances p, q and covariance k. */
  dual(k: number, p: number, q: number): number;
  /** E[phi'(u) phi'(v)] for the same pair. */
  dualDerivative(k: number, p: number, q: number): number;
};

/** The layer that applies `phi` to every value. */
export const activation = (phi: Activation): Layer => ({
  name: phi.name,
  widthOut: (width) => width,
  slope: phi.slope,

  forward: (g, u, width, outputs) => ({
    output: phi.value(g, u),
    backward(delta, first) {
      const slope = phi.derivative(g, first(u));
      if (outputs === 1) return mul(g, delta, slope);
      const bySample = reshape(g, delta, -1, outputs, width);
      return reshape(g, mul(g, bySample, unsqueeze1(g, slope)), -1, width);
    },
  }),

  infinite({ cov, var1, var2 }) {
    const { rows, cols } = cov;
    const output = zeros(rows, cols);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < cols; j++) {
        output.data[i * cols + j] = phi.dual(cov.data[i * cols + j]!, var1[i]!, var2[j]!);
      }
    }
    const variance = (v: Float64Array) => v.map((p) => phi.dual(p, p, p));
    return {
      output: { cov: output, var1: variance(var1), var2: variance(var2) },
      backward(signals) {
        const back = zeros(rows, cols);
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < cols; j++) {
            const at = i * cols + j;
            back.data[at] = signals.data[at]! * phi.dualDerivative(cov.data[at]!, var1[i]!, var2[j]!);
          }
        }
        return back;
      },
    };
  },
});
