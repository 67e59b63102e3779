/**
 * @file Training in parameter space: linearise, precondition, add a low-rank update. One step of any method on any loss
 * is the same few lines.
 */
import type { Stoppable } from "../breathe.ts";
import { agree, demandDamping, demandFinite, InputError, NotFiniteError } from "../error.ts";
import type {
  Coefficients,
  Fisher,
  SolveReport,
  PrepareOptions,
  Inversion,
  InvertOptions,
  Singular,
} from "../fisher/fisher.ts";
import { crossKernel, onPlainSignals, trainingKernel, viewOf, type View } from "../fisher/view.ts";
import { kernelOf } from "../kernel/empirical.ts";
import { createGrams } from "../kernel/gram.ts";
import type { Precision } from "../graph/graph.ts";
import { areFinite } from "../kernel/block.ts";
import { blocksOf, type Kernel } from "../kernel/kernel.ts";
import { linearizedKernel } from "../kernel/linearized.ts";
import { transposeFactor, type CurvatureFactor } from "../kernel/whiten.ts";
import { createJacobian } from "../linearization/jacobian.ts";
import {
  passOperations,
  type Linearization,
  type Linearizer,
  type PassOptions,
} from "../linearization/linearize.ts";
import { tileFor } from "../linearization/runs.ts";
import { createUpdater } from "../linearization/update.ts";
import { checkWeights, type Weights } from "../linearization/weights.ts";
import type { Loss } from "../loss/loss.ts";
import { allFinite, checkSamples, rowRange, selectRows, type Floats, type Matrix } from "../matrix/matrix.ts";
import type { Outputs } from "./function-space.ts";

/** What a trainer trains on: all samples in one matrix, training samples first. */
export type Batch = {
  /** [N + N', M_0]. */
  readonly x: Matrix<Floats>;
  /** Labels of the training samples [N, C]. */
  readonly y: Matrix;
};

/** Settings of a step. */
export type StepOptions = Stoppable & {
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
  solver?: PrepareOptions;
  /** Told how far the parts of a long step are. */
  progress?: (what: string, done: number, total: number) => void;
  /** Whether to evaluate what the step is not taken on; if not, outputs are those of the samples of the step alone. */
  evaluate?: boolean;
};

/** Trains one network. */
export type Trainer = {
  /** Outputs at the present weights. */
  evaluate(options?: Stoppable): Promise<Outputs>;
  /**
   * Takes one step and returns the outputs from before it: they come with the linearisation. Where something in it is not
   * finite the weights are left as they are, and `stopped` says what it was.
   * @throws SingularGramError where a Gram has no inverse, UnsolvedError where conjugate gradients found no solution;
   * RangeError for options that do not fit the batch. The weights are then as they were, too.
   */
  step(options: StepOptions): Promise<StepResult>;
};

/** What of a step has entries that are not finite, so that it was not taken. */
export type Stopped = {
  /** Outputs before the step, their residual, a Gram, or the update itself in the precision of the weights. */
  readonly what: "outputs" | "residual" | "Gram" | "update";
  /** Whose layer, counted from 1, where it is of one. */
  readonly layer?: number;
};

/** That in words. */
export const stoppedText = ({ what, layer }: Stopped): string =>
  layer === undefined ? what : `${what} of layer ${layer}`;

/**
 * What a step returns: the outputs before it, and where its time went. Where only the samples of the step were evaluated
 * `train` has those, in their order, and `test` has no rows.
 */
export type StepResult = Outputs & {
  readonly seconds: StepSeconds;
  /** Why the step was not taken, where something was not finite. */
  readonly stopped?: Stopped;
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

/**
 * Trains `weights` in place, from where they are; `tile`: samples that go through the network at a time.
 * @throws InputError for samples or labels that are not finite, or labels that are not the loss's; RangeError for samples,
 * labels or weights that are not of the network.
 */
export function createTrainer(
  linearizer: Linearizer,
  weights: Weights,
  fisher: Fisher,
  loss: Loss,
  { x, y }: Batch,
  { tile }: { tile?: number } = {},
): Trainer {
  const { engine } = linearizer;
  checkBatch(linearizer, weights, loss, { x, y });
  const { epsilon } = engine;
  const updater = createUpdater(engine);
  const grams = createGrams(engine);
  if (fisher.solvers) grams.prepareTheta(linearizer.network.weights.length, linearizer.network.outputs);
  const jacobian = createJacobian(engine);
  const N = y.rows;
  const split = (f: Matrix, n = N): Outputs => ({ train: rowRange(f, 0, n), test: rowRange(f, n, f.rows) });

  const pass = ({ progress, signal }: Pick<StepOptions, "progress" | "signal">): PassOptions => ({
    signal,
    finite: true,
    ...(tile === undefined ? {} : { tile }),
    ...(progress ? { progress: (...at) => progress("samples", ...at) } : {}),
  });

  // Test samples that are few ride along with a whole training set, which costs less than a pass of their own.
  const rides = x.rows - N <= N && x.rows <= (tile ?? tileFor(passOperations(linearizer.network)));

  /**
   * What a step is taken on, what is only evaluated beside it, and how their outputs make those of the batch. Last bits
   * depend on the rows of a product: what is linearised must be the same whether or not anything is evaluated.
   */
  function arrange({ samples, evaluate = true }: StepOptions): Arrangement {
    if (!samples) {
      const rest = evaluate && !rides ? rowRange(x, N, x.rows) : undefined;
      return {
        n: N,
        rows: rides ? x : rowRange(x, 0, N),
        labels: y,
        ...(rest ? { rest } : {}),
        restore: (f, beside) =>
          beside ? { train: f, test: beside } : split(evaluate ? f : rowRange(f, 0, N)),
      };
    }
    const n = samples.length;
    const batch = { n, rows: selectRows(x, samples), labels: selectRows(y, samples) };
    if (!evaluate) return { ...batch, restore: (f) => split(f, n) };
    const rest = others(samples, x.rows);
    // Back to the order of the batch.
    const order = inverse([...Array.from(samples), ...rest]);
    return {
      ...batch,
      rest: selectRows(x, rest),
      restore: (f, beside) => split(selectRows(stacked(f, beside!), order)),
    };
  }

  /** From the NTK of the network alone. */
  async function fromNtk(
    linearization: Linearization,
    view: View,
    { solver = {}, progress, signal }: StepOptions,
    inverting: InvertOptions,
  ): Promise<Found | Stopped> {
    const tools = { grams, jacobian, epsilon, signal, ...(progress ? { progress } : {}) };
    const kernel = trainingKernel(linearizedKernel(linearization, tools), view, { signal });
    let solve: SolveReport | undefined;
    let finite = true;
    let gram = 0;
    const watched: Kernel = {
      ...kernel,
      async matrix() {
        const start = performance.now();
        const theta = await kernel.matrix();
        gram += performance.now() - start;
        finite = allFinite(theta.data);
        return theta;
      },
    };
    try {
      const prepared = await fisher.prepare(watched, view.damping, {
        ...solver,
        ...inverting,
        onEnd(report) {
          solve = report;
          solver.onEnd?.(report);
        },
      });
      const coefficients = ofLayers(await prepared.solve(view.residual.data), linearization);
      return { coefficients, gram, ...(solve ? { solve } : {}) };
    } catch (error) {
      if (!finite || error instanceof NotFiniteError) return { what: "Gram" };
      throw error;
    }
  }

  /** From the Grams of every layer. */
  async function fromGrams(
    linearization: Linearization,
    view: View,
    inverting: InvertOptions,
    model?: { residual: Matrix; curvature: CurvatureFactor | undefined; learningRate: number },
  ): Promise<Found | Stopped> {
    const { signal } = inverting;
    const start = performance.now();
    const kernel = await kernelOf(linearizer, linearization, grams, { signal });
    const gram = performance.now() - start;
    for (const [l, block] of blocksOf(kernel).entries()) {
      if (!areFinite(await block.factors())) return { what: "Gram", layer: l + 1 };
    }
    const prepared = await fisher.prepare(trainingKernel(kernel, view, { signal }), view.damping, inverting);
    const coefficients = ofLayers(await prepared.solve(view.residual.data), linearization);
    if (!model) return { coefficients, gram };
    const G = await prepared.onto(crossKernel(kernel, view, { signal }));
    const change = await G(view.residual.data);
    return {
      coefficients,
      gram,
      modelChange: quadraticModel(model.curvature, model.residual, change, model.learningRate),
    };
  }

  return {
    evaluate: async (options = {}) => split(await linearizer.forward(weights, x, pass(options))),

    async step(options) {
      const { learningRate, damping = 0, solver, model = false, signal } = options;
      const { singular = solver?.singular ?? "refuse" } = options;
      checkStep(options, N);
      const start = performance.now();
      const { n, rows, labels, rest, restore } = arrange(options);
      await updater.makeRoom(weights, n);
      const room = performance.now();
      const linearization = await linearizer.linearize(weights, rows, n, pass(options));
      const beside = rest && (await linearizer.forward(weights, rest, pass(options)));
      const linearized = performance.now();
      const outputs = restore(linearization.outputs, beside);
      const f = rowRange(linearization.outputs, 0, n);
      const seconds = (gram = 0, solved = linearized, end = solved): StepSeconds => ({
        linearize: (linearized - room) / 1000,
        gram: gram / 1000,
        precondition: (solved - linearized - gram) / 1000,
        update: (end - solved + room - start) / 1000,
      });
      const stop = (stopped: Stopped): StepResult => ({
        ...outputs,
        seconds: seconds(),
        inversions: [],
        stopped,
      });
      if (!allFinite(f.data)) return stop({ what: "outputs" });

      const rho = typeof damping === "number" ? damping : damping(outputs);
      const view = viewOf(fisher, loss, f, labels, rho);
      if (!allFinite(view.residual.data)) return stop({ what: "residual" });
      const about = () => ({
        residual: loss.residual(f, labels),
        // That of the loss, also where the method does not look at it.
        curvature: loss.curvature?.(f, labels).factor,
        learningRate,
      });
      const inversions: Inversion[] = [];
      const inverting: InvertOptions = {
        singular,
        signal,
        onInversion: (inversion) => inversions.push(inversion),
      };
      const found =
        fisher.needs === "ntk" && !model
          ? await fromNtk(linearization, view, options, inverting)
          : await fromGrams(linearization, view, inverting, model ? about() : undefined);
      if ("what" in found) return stop(found);
      const { gram, solve, modelChange } = found;
      const coefficients = found.coefficients.map((each) => onPlainSignals(each, view));
      const overflowing = coefficients.findIndex((each) => !fits(each, learningRate, engine.precision)) + 1;
      if (overflowing > 0) return stop({ what: "update", layer: overflowing });
      const solved = performance.now();

      for (const [l, layer] of linearization.layers.entries()) {
        await updater.apply(weights[l]!, layer, coefficients[l]!, -learningRate);
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

/** Coefficients of every layer. */
const ofLayers = (
  found: Coefficients | readonly Coefficients[],
  { layers }: Linearization,
): readonly Coefficients[] => ("kind" in found ? layers.map(() => found) : found);

function checkBatch({ engine, network }: Linearizer, weights: Weights, loss: Loss, { x, y }: Batch): void {
  agree("x", `${network.inputs} columns`, `${x.cols} columns`);
  agree("y", `${network.outputs} columns`, `${y.cols} columns`);
  if (!(y.rows >= 1 && y.rows <= x.rows)) {
    throw new RangeError(`y: wanted labels of 1 to ${x.rows} samples, got ${y.rows}`);
  }
  checkWeights(engine, network, weights);
  for (const [name, { data }] of Object.entries({ x, y })) {
    if (!allFinite(data)) throw new InputError(`${name}: wanted finite numbers, got NaN or Infinity`);
  }
  loss.checkLabels?.(y);
}

/** Only sizes and single numbers: a step looks at no sample but to compute with it. */
function checkStep({ learningRate, damping, samples }: StepOptions, N: number): void {
  demandFinite("learningRate", learningRate);
  if (typeof damping === "number") demandDamping(damping);
  if (samples) checkSamples(samples, N);
}

/** The samples of a step. */
type Arrangement = {
  /** How many it is taken on. */
  readonly n: number;
  /** Those, and what rides along with them. */
  readonly rows: Matrix<Floats>;
  /** Labels of those [n, C]. */
  readonly labels: Matrix;
  /** What is evaluated by itself. */
  readonly rest?: Matrix<Floats>;
  /** Outputs of the batch from those of `rows` and of `rest`. */
  readonly restore: (f: Matrix, beside?: Matrix) => Outputs;
};

/** The rows of two matrices. */
function stacked(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return { rows: a.rows + b.rows, cols: a.cols, data };
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

/** What a step adds to the weights, and what the quadratic model says of it. */
type Found = {
  coefficients: readonly Coefficients[];
  /** Milliseconds that Grams took. */
  gram: number;
  solve?: SolveReport;
  modelChange?: number;
};

/** Whether coefficients times a learning rate are finite numbers of a precision. */
function fits(coefficients: Coefficients, learningRate: number, precision: Precision): boolean {
  if (coefficients.kind === "none") return true;
  const { data } = coefficients.kind === "per-sample" ? { data: coefficients.values } : coefficients.matrix;
  const most = precision === "float32" ? LARGEST_FLOAT32 : Number.MAX_VALUE;
  for (let i = 0; i < data.length; i++) if (!(Math.abs(learningRate * data[i]!) <= most)) return false;
  return true;
}

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** r.df / N + df.Lambda df / 2N for df = -eta G r. */
function quadraticModel(
  curvature: CurvatureFactor | undefined,
  residual: Matrix,
  G: Float64Array,
  learningRate: number,
): number {
  const df = G.map((g) => -learningRate * g);
  const curved = curvature ? transposeFactor(curvature, df) : df;
  let change = 0;
  for (const [i, r] of residual.data.entries()) change += r * df[i]!;
  for (const d of curved) change += (d * d) / 2;
  return change / residual.rows;
}
