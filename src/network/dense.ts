/**
 * @file A fully connected layer in the NTK parameterisation (paper, eq. 1; Jacot et al., arXiv 1806.07572):
 *
 *     u = (sigma_w / sqrt(M_in)) h W^T + sigma_b b,     W, b with unit variance.
 *
 * With H = [(sigma_w / sqrt(M_in)) h, sigma_b] and theta = [W, b] [M_out, M_in + 1] this is u = H theta^T, so a row of its Jacobian is
 * delta (x) H, and its Grams are A = H H^T and B = Delta Delta^T.
 */
import { InputError } from "../error.ts";
import { appendColumn, firstColumns, gemm, scaleBy } from "../graph/ops.ts";
import { map } from "../matrix/matrix.ts";
import type { Layer } from "./layer.ts";

/** Options of {@link dense}: variances of the effective weights (times the fan-in) and biases. */
export type DenseOptions = {
  /** sigma_w^2. */
  weightVariance?: number;
  /** sigma_b^2; zero means no biases. */
  biasVariance?: number;
};

/** A dense layer with `width` outputs. */
export function dense(width: number, options: DenseOptions = {}): Layer {
  const { weightVariance = 2, biasVariance = 0 } = options;
  if (!Number.isInteger(width) || width < 1) {
    throw new InputError(`width: wanted a positive integer, got ${width}`);
  }
  if (!(weightVariance > 0 && Number.isFinite(weightVariance))) {
    throw new InputError(`weight_variance: wanted a positive number, got ${weightVariance}`);
  }
  if (!(biasVariance >= 0 && Number.isFinite(biasVariance))) {
    throw new InputError(`bias_variance: wanted a number >= 0, got ${biasVariance}`);
  }
  const hasBias = biasVariance > 0;
  const sigmaB = Math.sqrt(biasVariance);
  const affine = (k: number) => weightVariance * k + biasVariance;

  return {
    name: `dense(${width})`,
    widthOut: () => width,
    weights: (fanIn) => ({ fanIn, rows: fanIn + Number(hasBias), fanOut: width }),

    forward(g, h, fanIn, _outputs, weights) {
      const { base, left, right } = weights!;
      const alpha = Math.sqrt(weightVariance / fanIn);
      const scaled = scaleBy(g, h, alpha);
      const inputs = hasBias ? appendColumn(g, scaled, sigmaB) : scaled;
      const wide = gemm(g, inputs, base, { transB: true });
      const output = gemm(g, gemm(g, inputs, left, { transB: true }), right, { plus: wide });
      return {
        output,
        inputs,
        backward(delta) {
          const update = gemm(g, delta, right, { transB: true });
          const back = gemm(g, update, left, { plus: gemm(g, delta, base) });
          return scaleBy(g, hasBias ? firstColumns(g, back, fanIn) : back, alpha);
        },
      };
    },

    infinite: ({ cov, var1, var2 }) => ({
      output: { cov: map(cov, affine), var1: var1.map(affine), var2: var2.map(affine) },
      backward: (signals) => map(signals, (b) => weightVariance * b),
    }),
  };
}
