/**
 * @file Training seen in function space (paper, eq. 9): under a fixed kernel every method is the recursion
 *
 *     f_{t+1} = f_t - eta G (f_t - y)   on the training samples,
 *     f'_{t+1} = f'_t - eta G' (f_t - y) on any others,
 *
 * for any damping and number of steps. An analytic kernel covers one output; its G acts on each output alike.
 */
import { agree, demandFinite } from "../error.ts";
import { bind, type Mover } from "../fisher/bind.ts";
import type { Fisher, InvertOptions } from "../fisher/fisher.ts";
import { viewOf, type View } from "../fisher/view.ts";
import { checkKernel, type Kernel } from "../kernel/kernel.ts";
import { restrictKernel } from "../kernel/parts.ts";
import type { Loss } from "../loss/loss.ts";
import { allFinite, checkSamples, selectRows, type Matrix } from "../linalg/matrix.ts";

/** Outputs on the training samples [N, C] and on others [N', C]. */
export type Outputs = { readonly train: Matrix; readonly test: Matrix };

/** Predicts training step by step. */
export type Predictor = {
  /**
   * The outputs after one more step; once they are not finite they stay as they are. A damping given here holds for this step and those after it. `samples`: the training
   * samples of a mini-batch, by their numbers.
   */
  step(damping?: number, samples?: ArrayLike<number>): Promise<Outputs>;
};

/** The kernels that predict: train on train, and others on train. */
export type PredictingKernels = { readonly train: Kernel; readonly test: Kernel };

/** G and G' at one view of the loss. */
export type Movers = Record<keyof Outputs, Mover>;

/**
 * G and G' of `fisher`.
 * @throws SingularGramError when the method cannot be prepared on this kernel at this damping.
 */
export async function prepareMovers(
  fisher: Fisher,
  kernels: PredictingKernels,
  view: View,
  options: InvertOptions = {},
): Promise<Movers> {
  const on = await bind(fisher, kernels.train, view, options);
  return { train: await on(kernels.train), test: await on(kernels.test) };
}

/** Options of the predictors. */
export type PredictOptions = InvertOptions & {
  learningRate: number;
  damping?: number;
  /** G and G' at the start, where they are at hand. */
  first?: Movers;
  /** Every step will be on a mini-batch: nothing is prepared for all samples. */
  batches?: boolean;
};

/**
 * The recursion of `fisher` from the outputs `start` towards the labels `y` [N, C]. A loss with a curvature has it taken
 * anew at every f_t, and with it G.
 * @throws SingularGramError when the method cannot be prepared on a kernel at a damping; InputError for a learning rate or damping that is no number,
 * RangeError where kernels, outputs and labels do not fit together.
 * @example
 * import { analyticKernel, exact, matrix, mlp, mse, predictSteps } from "natgrad";
 *
 * const x = matrix(2, 2, Float64Array.of(1, 0, 0, 1));
 * const y = matrix(2, 1, Float64Array.of(0.5, -0.5));
 * const kernel = await analyticKernel(mlp(2), x);
 * const kernels = { train: kernel, test: kernel };
 * const zero = matrix(2, 1, new Float64Array(2)); // what outputs are on average over initial weights
 * const start = { train: zero, test: zero };
 * const predictor = await predictSteps(exact, mse, kernels, start, y, { learningRate: 0.5 });
 * console.log((await predictor.step()).train.data); // 0.25, -0.25: half of the way
 */
export async function predictSteps(
  fisher: Fisher,
  loss: Loss,
  kernels: PredictingKernels,
  start: Outputs,
  y: Matrix,
  { learningRate, damping = 0, first, batches = false, ...inverting }: PredictOptions,
): Promise<Predictor> {
  demandFinite("learningRate", learningRate);
  checkStart(kernels, start, y);
  let now = start;
  let rho = damping;
  const view = viewOf(fisher, loss, start.train, y, rho);
  // Without a curvature G is the same at every step of the same damping.
  const fixed = !view.curvature;
  let movers = first ?? (batches ? undefined : await prepareMovers(fisher, kernels, view, inverting));
  return {
    async step(changed = rho, samples) {
      // What has diverged stays so: there is no curvature there, and no Gram.
      if (!allFinite(now.train.data)) return now;
      if (samples) checkSamples(samples, now.train.rows);
      const [f, labels] = samples ? [selectRows(now.train, samples), selectRows(y, samples)] : [now.train, y];
      const view = viewOf(fisher, loss, f, labels, changed);
      if (samples) movers = await moversOnBatch(fisher, kernels, view, samples, inverting);
      else if (changed !== rho || !movers) movers = await prepareMovers(fisher, kernels, view, inverting);
      rho = changed;
      now = {
        train: await move(now.train, view.residual, movers.train, learningRate),
        test: await move(now.test, view.residual, movers.test, learningRate),
      };
      if (!fixed || samples) movers = undefined;
      return now;
    },
  };
}

/**
 * Checks that kernels, outputs and labels are of the same samples.
 * @throws RangeError where they are not.
 */
export function checkStart({ train, test }: PredictingKernels, start: Outputs, y: Matrix): void {
  checkKernel(train);
  checkKernel(test, train);
  agree("train kernel", `${train.cols * train.outputs} rows`, `${train.rows * train.rowOutputs} rows`);
  for (const [what, { rows, cols }, wanted] of [
    ["start.train", start.train, train.cols],
    ["start.test", start.test, test.rows],
    ["labels", y, train.cols],
  ] as const) {
    agree(what, `${wanted} x ${y.cols}`, `${rows} x ${cols}`);
  }
  // A kernel of one output serves all of them.
  if (train.outputs !== 1) agree("labels", `${train.outputs} columns`, `${y.cols} columns`);
}

/** G and G' of a step on some of the training samples: what it does to all of them, and to the others. */
async function moversOnBatch(
  fisher: Fisher,
  { train, test }: PredictingKernels,
  view: View,
  samples: ArrayLike<number>,
  options: InvertOptions,
): Promise<Movers> {
  const on = await bind(fisher, restrictKernel(train, samples, samples), view, options);
  return { train: await on(restrictKernel(train, samples)), test: await on(restrictKernel(test, samples)) };
}

/** f - eta G r. */
async function move(f: Matrix, residual: Matrix, mover: Mover, learningRate: number): Promise<Matrix> {
  const change = await changeBy(mover, residual);
  return { ...f, data: f.data.map((x, i) => x - learningRate * change[i]!) };
}

/** G' r [N' C]. A kernel of one output acts on every column of r alike. */
export async function changeBy({ G, outputs }: Mover, residual: Matrix): Promise<Float64Array> {
  if (outputs === residual.cols) return G(residual.data);
  const C = residual.cols;
  let out = new Float64Array();
  for (let c = 0; c < C; c++) {
    const moved = await G(column(residual, c));
    if (c === 0) out = new Float64Array(moved.length * C);
    for (const [n, g] of moved.entries()) out[n * C + c] = g;
  }
  return out;
}

/** Column c of a matrix. */
export const column = (a: Matrix, c: number): Float64Array =>
  Float64Array.from({ length: a.rows }, (_, n) => a.data[n * a.cols + c]!);
