/**
 * @file Gradient descent in continuous time (Jacot et al., arXiv 1806.07572; Lee et al., arXiv 1902.06720): with
 * time s = eta t and Theta the NTK, not normalised,
 *
 *     f_t - y = exp(-Theta s / N) (f_0 - y),
 *     f'_t = f'_0 - Theta' Theta^-1 (1 - exp(-Theta s / N)) (f_0 - y),
 *
 * through the eigenvectors of Theta, so that a singular Theta needs no inverse. N is the number of samples whatever
 * the number of outputs, because the loss is a mean over samples and a sum over outputs.
 */
import { ntk, type Kernel } from "../kernel/kernel.ts";
import { eigen } from "../matrix/eigen.ts";
import { multiply, subtract, zeros, type Matrix } from "../matrix/matrix.ts";
import { product } from "../matrix/product.ts";
import type { Outputs, Predictor } from "./function-space.ts";

/** Gradient flow of the mean squared error, looked at every `learningRate` of time. */
export async function gradientFlow(
  kernels: { train: Kernel; test: Kernel },
  start: Outputs,
  y: Matrix,
  { learningRate }: { learningRate: number },
): Promise<Predictor> {
  const { samples, outputs } = kernels.train;
  const { values, vectors } = await eigen(ntk(kernels.train));
  // With one output's kernel the C outputs are columns; with a kernel of all outputs they are one long column.
  const asColumns = (a: Matrix): Matrix => ({ rows: a.data.length / columns, cols: columns, data: a.data });
  const columns = outputs === y.cols ? 1 : y.cols;
  const modes = await product(vectors, asColumns(subtract(start.train, y)), { transA: true });
  const toTest = await product(ntk(kernels.test), vectors);

  /** Sum over modes i of basis[., i] weight(values[i]) modes[i, .]. */
  const combine = (basis: Matrix, weight: (value: number) => number): Matrix => {
    const weighted = zeros(modes.rows, modes.cols);
    for (let i = 0; i < modes.rows; i++) {
      const w = weight(values[i]!);
      for (let c = 0; c < modes.cols; c++)
        weighted.data[i * modes.cols + c] = w * modes.data[i * modes.cols + c]!;
    }
    return multiply(basis, weighted);
  };

  let steps = 0;
  return {
    async step() {
      const time = (++steps * learningRate) / samples;
      const train = combine(vectors, (value) => -Math.expm1(-value * time));
      // (1 - exp(-value time)) / value, which is `time` at zero.
      const test = combine(toTest, (value) => (value === 0 ? time : -Math.expm1(-value * time) / value));
      return {
        train: subtract(start.train, { ...start.train, data: train.data }),
        test: subtract(start.test, { ...start.test, data: test.data }),
      };
    },
  };
}
