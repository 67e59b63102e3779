/**
 * @file Training seen in function space (paper, eq. 9): under a fixed kernel every method is the recursion
 *
 *     f_{t+1} = f_t - eta G (f_t - y)   on the training samples,
 *     f'_{t+1} = f'_t - eta G' (f_t - y) on any others,
 *
 * for any damping and number of steps. An analytic kernel covers one output; its G acts on each output alike.
 */
import type { Fisher, Propagator } from "../fisher/fisher.ts";
import { crossKernel, trainingKernel, viewOf, type View } from "../fisher/view.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Loss } from "../loss/loss.ts";
import type { Matrix } from "../matrix/matrix.ts";

/** Outputs on the training samples [N, C] and on others [N', C]. */
export type Outputs = { readonly train: Matrix; readonly test: Matrix };

/** Predicts training step by step. */
export type Predictor = {
  /** The outputs after one more step; a damping given here holds for this step and those after it. */
  step(damping?: number): Promise<Outputs>;
};

/** Options of the predictors. */
export type PredictOptions = { learningRate: number; damping?: number };

/**
 * The recursion of `fisher` from the outputs `start` towards the labels `y` [N, C]. A loss with a curvature has it taken
 * anew at every f_t, and with it G.
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
  const moversAt = async (view: View): Promise<Record<keyof Outputs, Mover>> => {
    const preconditioner = await fisher.prepare(trainingKernel(kernels.train, view), view.damping);
    const moverOn = async (kernel: Kernel): Promise<Mover> => {
      const cross = crossKernel(kernel, view);
      return { G: await preconditioner.propagator(cross), outputs: cross.outputs };
    };
    return { train: await moverOn(kernels.train), test: await moverOn(kernels.test) };
  };
  let now = start;
  let rho = damping;
  const first = viewOf(fisher, loss, start.train, y, rho);
  // Without a curvature G is the same at every step of the same damping.
  let fixed = first.curvature ? undefined : await moversAt(first);
  return {
    async step(changed = rho) {
      const view = viewOf(fisher, loss, now.train, y, changed);
      if (changed !== rho && fixed) fixed = await moversAt(view);
      rho = changed;
      const { train, test } = fixed ?? (await moversAt(view));
      now = {
        train: await move(now.train, view.residual, train, learningRate),
        test: await move(now.test, view.residual, test, learningRate),
      };
      return now;
    },
  };
}

/** G' and the outputs that one application covers. */
type Mover = { readonly G: Propagator; readonly outputs: number };

/** f - eta G r. A kernel of one output acts on every column of r alike. */
async function move(
  f: Matrix,
  residual: Matrix,
  { G, outputs }: Mover,
  learningRate: number,
): Promise<Matrix> {
  const data = f.data.slice();
  if (outputs === residual.cols) {
    for (const [i, g] of (await G(residual.data)).entries()) data[i]! -= learningRate * g;
    return { ...f, data };
  }
  for (let c = 0; c < f.cols; c++) {
    for (const [n, g] of (await G(column(residual, c))).entries()) data[n * f.cols + c]! -= learningRate * g;
  }
  return { ...f, data };
}

/** Column c of a matrix. */
export const column = (a: Matrix, c: number): Float64Array =>
  Float64Array.from({ length: a.rows }, (_, n) => a.data[n * a.cols + c]!);
