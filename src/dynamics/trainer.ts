/**
 * @file Training in parameter space: linearise, precondition, add a low-rank update. One step of any method is the
 * same three lines.
 */
import type { Fisher } from "../fisher/fisher.ts";
import { onPlainSignals, trainingKernel, viewOf } from "../fisher/view.ts";
import { kernelOf } from "../kernel/empirical.ts";
import type { Linearizer } from "../linearization/linearize.ts";
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
export type StepOptions = { learningRate: number; damping?: number };

/** Trains one network. */
export type Trainer = {
  /** Outputs at the present weights. */
  evaluate(): Promise<Outputs>;
  /** Takes one step and returns the outputs from before it: they come with the linearisation. */
  step(options: StepOptions): Promise<StepResult>;
};

/** What a step returns: the outputs before it, and where its time went. */
export type StepResult = Outputs & { readonly seconds: StepSeconds };

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

    async step({ learningRate, damping = 0 }) {
      const start = performance.now();
      const linearization = await linearizer.linearize(weights, x, N);
      const linearized = performance.now();

      const outputs = split(linearization.outputs);
      const view = viewOf(fisher, loss, outputs.train, y, damping);
      const kernel = trainingKernel(kernelOf(network, linearization, engine.epsilon), view);
      const preconditioner = await fisher.prepare(kernel, view.damping);
      const coefficients = await preconditioner.coefficients(view.residual.data);
      const solved = performance.now();

      for (const [l, layer] of linearization.layers.entries()) {
        await updater.apply(weights[l]!, layer, onPlainSignals(coefficients[l]!, view), -learningRate);
      }
      const seconds = {
        linearize: (linearized - start) / 1000,
        precondition: (solved - linearized) / 1000,
        update: (performance.now() - solved) / 1000,
      };
      return { ...outputs, seconds };
    },
  };
}
