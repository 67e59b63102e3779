/**
 * @file Training seen in function space (paper, eq. 9): under a fixed kernel every method is the recursion
 *
 *     f_{t+1} = f_t - eta G (f_t - y)   on the training samples,
 *     f'_{t+1} = f'_t - eta G' (f_t - y) on any others,
 *
 * for any damping and number of steps. An analytic kernel covers one output; its G acts on each output alike.
 */
import type { Fisher } from "../fisher/fisher.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Loss } from "../loss/loss.ts";
import type { Matrix } from "../matrix/matrix.ts";

/** Outputs on the training samples [N, C] and on others [N', C]. */
export type Outputs = { readonly train: Matrix; readonly test: Matrix };

/** Predicts training step by step. */
export type Predictor = {
  /** The outputs after one more step. */
  step(): Outputs;
};

/** Options of the predictors. */
export type PredictOptions = { learningRate: number; damping?: number };

/**
 * The recursion of `fisher` from the outputs `start` towards the labels `y` [N, C].
 * @throws SingularGramError when the method cannot be prepared on this kernel at this damping.
 */
export async function predictSteps(
  fisher: Fisher,
  loss: Loss,
  kernels: { train: Kernel; test: Kernel },
  start: Outputs,
  y: Matrix,
  { learningRate, damping = 0 }: PredictOptions,
): Promise<Predictor> {
  const preconditioner = await fisher.prepare(kernels.train, damping);
  const G = await preconditioner.propagator(kernels.train);
  const Gtest = await preconditioner.propagator(kernels.test);
  let now = start;
  return {
    step() {
      const residual = loss.residual(now.train, y);
      now = {
        train: move(now.train, residual, G, kernels.train.outputs, learningRate),
        test: move(now.test, residual, Gtest, kernels.test.outputs, learningRate),
      };
      return now;
    },
  };
}

/** f - eta G r, with G acting on blocks of `outputs` columns. */
function move(
  f: Matrix,
  residual: Matrix,
  G: (r: Float64Array) => Float64Array,
  outputs: number,
  learningRate: number,
): Matrix {
  const data = f.data.slice();
  if (outputs === f.cols) {
    for (const [i, g] of G(residual.data).entries()) data[i]! -= learningRate * g;
    return { ...f, data };
  }
  for (let c = 0; c < f.cols; c++) {
    for (const [n, g] of G(column(residual, c)).entries()) data[n * f.cols + c]! -= learningRate * g;
  }
  return { ...f, data };
}

/** Column c of a matrix. */
export const column = (a: Matrix, c: number): Float64Array =>
  Float64Array.from({ length: a.rows }, (_, n) => a.data[n * a.cols + c]!);
