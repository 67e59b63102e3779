/**
 * @file Training in parameter space: linearise, precondition, add a low-rank update. One step of any method on any loss
 * is the same few lines.
 */
import type { Fisher } from "../fisher/fisher.ts";
import { crossKernel, onPlainSignals, trainingKernel, viewOf, type View } from "../fisher/view.ts";
import { kernelOf } from "../kernel/empirical.ts";
import { transposeFactor } from "../kernel/whiten.ts";
import type { Linearization, Linearizer } from "../linearization/linearize.ts";
import { createUpdater } from "../linearization/update.ts";
import type { Weights } from "../linearization/weights.ts";
import type { Loss } from "../loss/loss.ts";
import { rowRange, type Floats, type Matrix } from "../matrix/matrix.ts";
import type { Outputs } from "./function-space.ts";

/** What a trainer trains on: all samples in one matrix, training samples first. */
export type Batch = {
  /** [N + N', M_0]. */
  readonly x: Matrix<Floats>;
  /** Labels of the training samples [N, C]. */
  readonly y: Matrix;
};

/** Settings of a step. */
export type StepOptions = {
  learningRate: number;
  /** rho, or how to choose it from the outputs before the step. */
  damping?: number | ((before: Outputs) => number);
  /** Whether to work out what the local quadratic model says of the step. */
  model?: boolean;
};

/** Trains one network. */
export type Trainer = {
  /** Outputs at the present weights. */
  evaluate(): Promise<Outputs>;
  /**
   * Takes one step and returns the outputs from before it: they come with the linearisation. Where the outputs are not
   * finite any more the weights are left as they are.
   */
  step(options: StepOptions): Promise<StepResult>;
};

/** What a step returns: the outputs before it, and where its time went. */
export type StepResult = Outputs & {
  readonly seconds: StepSeconds;
  /** Change of the loss by the quadratic model, r.df / N + df.Lambda df / 2N; when asked for. */
  readonly modelChange?: number;
};

/** Wall-clock seconds of the parts of a step. */
export type StepSeconds = {
  /** Forward and backward passes and Grams, on the engine. */
  readonly linearize: number;
  /** Solves on the host. */
  readonly precondition: number;
  /** Forming U_l and adding it to the weights. */
  readonly update: number;
};

/** Trains `weights` in place, from where they are. */
export function createTrainer(
  linearizer: Linearizer,
  weights: Weights,
  fisher: Fisher,
  loss: Loss,
  { x, y }: Batch,
): Trainer {
  const { engine, network } = linearizer;
  const updater = createUpdater(engine);
  const N = y.rows;
  const split = (f: Matrix): Outputs => ({ train: rowRange(f, 0, N), test: rowRange(f, N, f.rows) });

  return {
    evaluate: async () => split(await linearizer.forward(weights, x)),

    async step({ learningRate, damping = 0, model = false }) {
      const start = performance.now();
      const linearization = await linearizer.linearize(weights, x, N);
      const linearized = performance.now();
      const outputs = split(linearization.outputs);
      if (!isFinite(linearization)) {
        return {
          ...outputs,
          seconds: { linearize: (linearized - start) / 1000, precondition: 0, update: 0 },
        };
      }

      const rho = typeof damping === "number" ? damping : damping(outputs);
      const view = viewOf(fisher, loss, outputs.train, y, rho);
      const kernel = kernelOf(network, linearization, engine.epsilon);
      const preconditioner = await fisher.prepare(trainingKernel(kernel, view), view.damping);
      const coefficients = await preconditioner.coefficients(view.residual.data);
      const modelChange = model
        ? quadraticModel(
            view,
            loss.residual(outputs.train, y),
            await (
              await preconditioner.propagator(crossKernel(kernel, view))
            )(view.residual.data),
            learningRate,
          )
        : undefined;
      const solved = performance.now();

      for (const [l, layer] of linearization.layers.entries()) {
        await updater.apply(weights[l]!, layer, onPlainSignals(coefficients[l]!, view), -learningRate);
      }
      const seconds = {
        linearize: (linearized - start) / 1000,
        precondition: (solved - linearized) / 1000,
        update: (performance.now() - solved) / 1000,
      };
      return { ...outputs, seconds, ...(modelChange === undefined ? {} : { modelChange }) };
    },
  };
}

/** Whether there is anything to solve with: divergence shows in the outputs, or in the Grams first. */
const isFinite = ({ outputs, layers }: Linearization): boolean =>
  outputs.data.every(Number.isFinite) &&
  layers.every(
    ({ inputGram, signalGram }) =>
      inputGram.data.every(Number.isFinite) && signalGram.data.every(Number.isFinite),
  );

/** r.df / N + df.Lambda df / 2N for df = -eta G r. */
function quadraticModel(view: View, residual: Matrix, G: Float64Array, learningRate: number): number {
  const df = G.map((g) => -learningRate * g);
  const curved = view.curvature ? transposeFactor(view.curvature, df) : df;
  let change = 0;
  for (const [i, r] of residual.data.entries()) change += r * df[i]!;
  for (const d of curved) change += (d * d) / 2;
  return change / residual.rows;
}
