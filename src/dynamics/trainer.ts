/**
 * @file Training in parameter space: linearise, precondition, add a low-rank update. One step of any method on any loss
 * is the same few lines.
 */
import type {
  Coefficients,
  Fisher,
  Inversion,
  InvertOptions,
  Singular,
  SolveReport,
  SolverOptions,
} from "../fisher/fisher.ts";
import { perSample } from "../fisher/tangent.ts";
import {
  crossKernel,
  onPlainSignals,
  trainingKernel,
  trainingTangent,
  viewOf,
  type View,
} from "../fisher/view.ts";
import { kernelOf } from "../kernel/empirical.ts";
import { createGrams } from "../kernel/gram.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { linearizedTangent, type Tangent } from "../kernel/tangent.ts";
import { transposeFactor } from "../kernel/whiten.ts";
import { createJacobian } from "../linearization/jacobian.ts";
import type { Linearization, Linearizer, PassOptions } from "../linearization/linearize.ts";
import { createUpdater } from "../linearization/update.ts";
import type { Weights } from "../linearization/weights.ts";
import type { Loss } from "../loss/loss.ts";
import { rowRange, selectRows, type Floats, type Matrix } from "../matrix/matrix.ts";
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
  /** What to do about a matrix without an inverse. Default: "refuse". */
  singular?: Singular;
  /** Whether to work out what the local quadratic model says of the step. */
  model?: boolean;
  /** Training samples that the step is taken on, by their numbers: a mini-batch. Default: all. */
  samples?: ArrayLike<number>;
  /** How methods that need the NTK of the network alone solve with it; a step with `model` uses stored Grams. */
  solver?: SolverOptions;
  /** Told how far the parts of a long step are. */
  progress?: (what: string, done: number, total: number) => void;
  /** Whether to evaluate what the step is not taken on; if not, outputs are those of the samples of the step alone. */
  evaluate?: boolean;
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

/**
 * What a step returns: the outputs before it, and where its time went. Where only the samples of the step were evaluated
 * `train` has those, in their order, and `test` has no rows.
 */
export type StepResult = Outputs & {
  readonly seconds: StepSeconds;
  /** What the method inverted, with ranks and conditions; nothing where no step was taken. */
  readonly inversions: readonly Inversion[];
  /** How conjugate gradients ended, where they were the solver. */
  readonly solve?: SolveReport;
  /** Change of the loss by the quadratic model, r.df / N + df.Lambda df / 2N; when asked for. */
  readonly modelChange?: number;
};

/** Wall-clock seconds of the parts of a step. */
export type StepSeconds = {
  /** Forward and backward passes, on the engine. */
  readonly linearize: number;
  /** Grams of the linearisation, on the engine. */
  readonly gram: number;
  /** Solves. */
  readonly precondition: number;
  /** Forming U_l and adding it to the weights, and folding them before the step where that is due. */
  readonly update: number;
};

/** Trains `weights` in place, from where they are; `tile`: samples that go through the network at a time. */
export function createTrainer(
  linearizer: Linearizer,
  weights: Weights,
  fisher: Fisher,
  loss: Loss,
  { x, y }: Batch,
  { tile }: { tile?: number } = {},
): Trainer {
  const { engine } = linearizer;
  const { epsilon } = engine;
  const updater = createUpdater(engine);
  const grams = createGrams(engine);
  if (fisher.solvesTangent) grams.prepareTheta(linearizer.network.weights.length, linearizer.network.outputs);
  const jacobian = createJacobian(engine);
  const N = y.rows;
  const split = (f: Matrix, n = N): Outputs => ({ train: rowRange(f, 0, n), test: rowRange(f, n, f.rows) });

  const pass = (progress?: StepOptions["progress"]): PassOptions => ({
    ...(tile === undefined ? {} : { tile }),
    ...(progress ? { progress: (...at) => progress("samples", ...at) } : {}),
  });

  /** The samples of a step, those that it is taken on first. */
  function arrange({ samples, evaluate = true }: StepOptions) {
    if (!samples) return { rows: evaluate ? x : rowRange(x, 0, N), labels: y, restore: split, n: N };
    const n = samples.length;
    const labels = selectRows(y, samples);
    if (!evaluate) return { rows: selectRows(x, samples), labels, restore: (f: Matrix) => split(f, n), n };
    const order = [...Array.from(samples), ...others(samples, x.rows)];
    // Back to the order of the batch.
    const restore = (f: Matrix) => split(selectRows(f, inverse(order)));
    return { rows: selectRows(x, order), labels, restore, n };
  }

  /** From the NTK of the network alone; undefined where it is not finite. */
  async function fromTangent(
    linearization: Linearization,
    view: View,
    { solver = {}, progress }: StepOptions,
    inverting: InvertOptions,
  ): Promise<Found | undefined> {
    const tools = { grams, jacobian, epsilon, ...(progress ? { progress } : {}) };
    const tangent = trainingTangent(linearizedTangent(linearization, tools), view);
    let solve: SolveReport | undefined;
    let finite = true;
    let gram = 0;
    const watched: Tangent = {
      ...tangent,
      async gram() {
        const start = performance.now();
        const theta = await tangent.gram();
        gram += performance.now() - start;
        finite = allFinite(theta.data);
        return theta;
      },
    };
    try {
      const solved = await fisher.fromTangent!(watched, view.damping, {
        ...solver,
        ...inverting,
        onEnd(report) {
          solve = report;
          solver.onEnd?.(report);
        },
      });
      const shared = perSample(await solved(view.residual.data), linearization.samples);
      const coefficients = linearization.layers.map(() => shared);
      return { coefficients, gram, ...(solve ? { solve } : {}) };
    } catch (error) {
      if (!finite) return undefined;
      throw error;
    }
  }

  /** From the Grams of every layer; undefined where they are not finite. */
  async function fromGrams(
    linearization: Linearization,
    view: View,
    inverting: InvertOptions,
    model?: { residual: Matrix; learningRate: number },
  ): Promise<Found | undefined> {
    const start = performance.now();
    const kernel = await kernelOf(linearizer, linearization, grams);
    const gram = performance.now() - start;
    if (!isFinite(kernel)) return undefined;
    const preconditioner = await fisher.prepare(trainingKernel(kernel, view), view.damping, inverting);
    const coefficients = await preconditioner.coefficients(view.residual.data);
    if (!model) return { coefficients, gram };
    const G = await preconditioner.propagator(crossKernel(kernel, view));
    const change = await G(view.residual.data);
    return {
      coefficients,
      gram,
      modelChange: quadraticModel(view, model.residual, change, model.learningRate),
    };
  }

  return {
    evaluate: async () => split(await linearizer.forward(weights, x, pass())),

    async step(options) {
      const { learningRate, damping = 0, singular = "refuse", model = false, progress } = options;
      const start = performance.now();
      const { rows, labels, restore, n } = arrange(options);
      await updater.makeRoom(weights, n);
      const room = performance.now();
      const linearization = await linearizer.linearize(weights, rows, n, pass(progress));
      const linearized = performance.now();
      const outputs = restore(linearization.outputs);
      const f = rowRange(linearization.outputs, 0, n);
      const seconds = (gram = 0, solved = linearized, end = solved): StepSeconds => ({
        linearize: (linearized - room) / 1000,
        gram: gram / 1000,
        precondition: (solved - linearized - gram) / 1000,
        update: (end - solved + room - start) / 1000,
      });
      const stopped = { ...outputs, seconds: seconds(), inversions: [] };
      if (!allFinite(linearization.outputs.data)) return stopped;

      const rho = typeof damping === "number" ? damping : damping(outputs);
      const view = viewOf(fisher, loss, f, labels, rho);
      const residual = loss.residual(f, labels);
      const inversions: Inversion[] = [];
      const inverting: InvertOptions = { singular, onInversion: (inversion) => inversions.push(inversion) };
      const found =
        fisher.fromTangent && !model
          ? await fromTangent(linearization, view, options, inverting)
          : await fromGrams(linearization, view, inverting, model ? { residual, learningRate } : undefined);
      if (!found) return stopped;
      const { coefficients, gram, solve, modelChange } = found;
      const solved = performance.now();

      for (const [l, layer] of linearization.layers.entries()) {
        await updater.apply(weights[l]!, layer, onPlainSignals(coefficients[l]!, view), -learningRate);
      }
      return {
        ...outputs,
        seconds: seconds(gram, solved, performance.now()),
        inversions,
        ...(solve ? { solve } : {}),
        ...(modelChange === undefined ? {} : { modelChange }),
      };
    },
  };
}

/** 0 ... count - 1 without `taken`. */
function others(taken: ArrayLike<number>, count: number): number[] {
  const set = new Set(Array.from(taken));
  return Array.from({ length: count }, (_, i) => i).filter((i) => !set.has(i));
}

/** Where each number of a permutation stands. */
function inverse(order: readonly number[]): Uint32Array {
  const out = new Uint32Array(order.length);
  for (const [at, i] of order.entries()) out[i] = at;
  return out;
}

/** A loop: for many numbers it is much faster than `every`. */
function allFinite(data: Floats): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i]!)) return false;
  return true;
}

/** What a step adds to the weights, and what the quadratic model says of it. */
type Found = {
  coefficients: readonly Coefficients[];
  /** Milliseconds that Grams took. */
  gram: number;
  solve?: SolveReport;
  modelChange?: number;
};

/** Whether there is anything to solve with: divergence shows in the outputs, or in the Grams first. */
const isFinite = ({ layers }: Kernel): boolean =>
  layers.every(({ inputGram, signalGram }) => allFinite(inputGram.data) && allFinite(signalGram.data));

/** r.df / N + df.Lambda df / 2N for df = -eta G r. */
function quadraticModel(view: View, residual: Matrix, G: Float64Array, learningRate: number): number {
  const df = G.map((g) => -learningRate * g);
  const curved = view.curvature ? transposeFactor(view.curvature, df) : df;
  let change = 0;
  for (const [i, r] of residual.data.entries()) change += r * df[i]!;
  for (const d of curved) change += (d * d) / 2;
  return change / residual.rows;
}
