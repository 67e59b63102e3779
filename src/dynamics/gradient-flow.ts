/**
 * @file Gradient descent in continuous time (Jacot et al., arXiv 1806.07572; Lee et al., arXiv 1902.06720): with
 * time s = eta t and Theta the NTK, not normalised,
 *
 *     f_t - y = exp(-Theta s / N) (f_0 - y),
 *     f'_t = f'_0 - Theta' Theta^-1 (1 - exp(-Theta s / N)) (f_0 - y),
 *
 * through the eigenvectors of Theta, so that a singular Theta needs no inverse. Modes whose eigenvalue is rounding stay where
 * they are, at any time: Theta' vanishes on the null space of Theta. N is the number of samples whatever the number of
 * outputs, because the loss is a mean over samples and a sum over outputs.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { demand } from "../error.ts";
import { eigen, roundingOf } from "../linalg/eigen.ts";
import { multiply, subtract, zeros, type Matrix } from "../linalg/matrix.ts";
import { product } from "../linalg/product.ts";
import type { Loss } from "../loss/loss.ts";
import {
  checkStart,
  column,
  type Outputs,
  type PredictingKernels,
  type Predictor,
} from "./function-space.ts";

/** Options of the flows; `learningRate` is the time between two looks. */
export type FlowOptions = ComputeOptions & { learningRate: number };

/**
 * Gradient flow of the mean squared error, looked at every `learningRate` of time.
 * @throws InputError for a learning rate that is no number, RangeError where kernels, outputs and labels do not fit together.
 */
export async function gradientFlow(
  kernels: PredictingKernels,
  start: Outputs,
  y: Matrix,
  { learningRate, ...computing }: FlowOptions,
): Promise<Predictor> {
  checkStart(kernels, start, y);
  demand(!Number.isNaN(learningRate), "learningRate", "a number", learningRate);
  const { cols: samples, outputs, epsilon } = kernels.train;
  const { values, vectors } = await eigen(await kernels.train.matrix({ shared: true }), computing);
  const rounding = roundingOf(values, epsilon);
  // With one output's kernel the C outputs are columns; with a kernel of all outputs they are one long column.
  const asColumns = (a: Matrix): Matrix => ({ rows: a.data.length / columns, cols: columns, data: a.data });
  const columns = outputs === y.cols ? 1 : y.cols;
  const modes = await product(vectors, asColumns(subtract(start.train, y)), {
    ...computing,
    transA: true,
  });
  const toTest = await product(await kernels.test.matrix({ shared: true }), vectors, computing);

  /** Sum over modes i of basis[., i] weight(values[i]) modes[i, .], without those that do not move. */
  const combine = (basis: Matrix, weight: (value: number) => number): Matrix => {
    const weighted = zeros(modes.rows, modes.cols);
    for (let i = 0; i < modes.rows; i++) {
      if (values[i]! <= rounding) continue;
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
      const test = combine(toTest, (value) => -Math.expm1(-value * time) / value);
      return {
        train: subtract(start.train, { ...start.train, data: train.data }),
        test: subtract(start.test, { ...start.test, data: test.data }),
      };
    },
  };
}

/** Runge-Kutta steps that a unit of (time x largest eigenvalue) gets at least; the method is stable up to 2.78. */
const STEPS_PER_UNIT = 4;
/** Runge-Kutta steps between two looks at most: more would not end. */
const MOST_STEPS = 1e7;

/**
 * Gradient flow of any loss, df/ds = -Theta r(f) / N, by the classical Runge-Kutta method with as many steps as the
 * largest eigenvalue of Theta asks for. For a squared error {@link gradientFlow} is exact.
 * @throws as {@link gradientFlow} does.
 */
export async function gradientFlowOf(
  loss: Loss,
  kernels: PredictingKernels,
  start: Outputs,
  y: Matrix,
  { learningRate, signal }: FlowOptions,
): Promise<Predictor> {
  checkStart(kernels, start, y);
  demand(!Number.isNaN(learningRate), "learningRate", "a number", learningRate);
  const { cols: samples, outputs } = kernels.train;
  const theta = await kernels.train.matrix({ shared: true });
  const thetaTest = await kernels.test.matrix({ shared: true });
  // Row sums bound the largest eigenvalue.
  let bound = 0;
  for (let i = 0; i < theta.rows; i++) {
    let sum = 0;
    for (let j = 0; j < theta.cols; j++) sum += Math.abs(theta.data[i * theta.cols + j]!);
    bound = Math.max(bound, sum);
  }
  const count = Math.ceil(STEPS_PER_UNIT * (1 + (learningRate * bound) / samples));
  demand(
    count <= MOST_STEPS,
    "learningRate",
    `at most ${((MOST_STEPS / STEPS_PER_UNIT) * (samples / bound)).toPrecision(2)}, for ${MOST_STEPS} Runge-Kutta steps`,
    learningRate,
  );
  const h = learningRate / count;

  /** -Theta r / N for the columns of r that one application of the kernel covers. */
  const slope = (kernel: Matrix, residual: Matrix): Float64Array => {
    const C = residual.cols;
    const out = new Float64Array((kernel.rows / outputs) * C);
    const passes = outputs === C ? 1 : C;
    for (let c = 0; c < passes; c++) {
      const r = passes === 1 ? residual.data : column(residual, c);
      for (let i = 0; i < kernel.rows; i++) {
        let sum = 0;
        for (let j = 0, at = i * kernel.cols; j < kernel.cols; j++, at++) sum += kernel.data[at]! * r[j]!;
        out[i * passes + c] = -sum / samples;
      }
    }
    return out;
  };
  const shifted = (f: Matrix, by: Float64Array, times: number): Matrix => ({
    ...f,
    data: f.data.map((x, i) => x + times * by[i]!),
  });

  let now = start;
  return {
    async step() {
      for (let k = 0; k < count; k++) {
        await breathe(signal);
        const r1 = loss.residual(now.train, y);
        const r2 = loss.residual(shifted(now.train, slope(theta, r1), h / 2), y);
        const r3 = loss.residual(shifted(now.train, slope(theta, r2), h / 2), y);
        const r4 = loss.residual(shifted(now.train, slope(theta, r3), h), y);
        const mean = {
          ...r1,
          data: r1.data.map((r, i) => (r + 2 * r2.data[i]! + 2 * r3.data[i]! + r4.data[i]!) / 6),
        };
        now = {
          train: shifted(now.train, slope(theta, mean), h),
          test: shifted(now.test, slope(thetaTest, mean), h),
        };
      }
      return now;
    },
  };
}
