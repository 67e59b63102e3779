/**
 * @file Training in parameter space: linearise, precondition, add a low-rank update. One step of any method on any loss
 * is the same few lines.
 */
import type { Stoppable } from "../breathe.ts";
import { agree, demandDamping, demandFinite, InputError } from "../error.ts";
import type {
  Coefficients,
  Fisher,
  Inversion,
  InvertOptions,
  Singular,
  SolveReport,
  PrepareOptions,
} from "../fisher/fisher.ts";
import { onPlainSignals, viewOf, type View } from "../fisher/view.ts";
import type { Engine } from "../engine/engine.ts";
import type { Precision } from "../engine/graph.ts";
import { passTile, type Linearizer, type PassOptions } from "../jacobian/linearize.ts";
import { createUpdater } from "../jacobian/update.ts";
import { checkWeights, type Weights } from "../jacobian/weights.ts";
import type { Loss } from "../loss/loss.ts";
import { allFinite, checkSamples, rowRange, type Matrix } from "../linalg/matrix.ts";
import type { Outputs } from "./function-space.ts";
import { splitOutputs, stepSamples, type Batch } from "./step-samples.ts";
import { createStepSolver, type Model, type Stopped } from "./step-solve.ts";
import { createStopwatch } from "./stopwatch.ts";

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
  /** Called with the progress of the parts of a long step. */
  progress?: (what: string, done: number, total: number) => void;
  /** Whether to evaluate what the step is not taken on; if not, outputs are those of the samples of the step alone. */
  evaluate?: boolean;
};

/** Trains one network. */
export type Trainer = {
  /** Outputs at the present weights. */
  evaluate(options?: Stoppable): Promise<Outputs>;
  /**
   * Takes one step. Where something in it is not finite the weights are left as they are, and `stopped` says what it was.
   * @throws SingularGramError where a Gram has no inverse, UnsolvedError where conjugate gradients found no solution;
   * RangeError for options that do not fit the batch. The weights are then as they were, too.
   */
  step(options: StepOptions): Promise<StepResult>;
};

/** What a step returns. */
export type StepResult = {
  /**
   * Outputs before the step: they come with the linearisation. Where only the samples of the step were evaluated `train` has
   * those, in their order, and `test` has no rows.
   */
  readonly before: Outputs;
  /** Where its time went. */
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
 * @example
 * import { createEngine, createLinearizer, createTrainer, createWeights, exact, initialise, matrix, mlp, mse } from "natgrad";
 *
 * const x = matrix(2, 2, Float32Array.of(1, 0, 0, 1));
 * const y = matrix(2, 1, Float64Array.of(0.5, -0.5));
 * const network = mlp(2, { width: 256 });
 * const engine = await createEngine();
 * const weights = createWeights(network, initialise(engine, network, 1));
 * const trainer = createTrainer(await createLinearizer(engine, network), weights, exact, mse, { x, y });
 * const { before } = await trainer.step({ learningRate: 1 });
 * const after = await trainer.evaluate();
 * console.log(mse.value(before.train, y), mse.value(after.train, y));
 * await engine.release();
 */
export function createTrainer(
  linearizer: Linearizer,
  weights: Weights,
  fisher: Fisher,
  loss: Loss,
  batch: Batch,
  { tile }: { tile?: number } = {},
): Trainer {
  const { engine, network } = linearizer;
  checkBatch(linearizer, weights, loss, batch);
  const { x, y } = batch;
  const updater = createUpdater(engine);
  const solveStep = createStepSolver(linearizer, fisher);
  // Test samples that are few go with a whole training set, which costs less than a pass of their own.
  const together = x.rows - y.rows <= y.rows && x.rows <= (tile ?? passTile(network));

  const pass = ({ progress, signal }: Pick<StepOptions, "progress" | "signal">): PassOptions => ({
    signal,
    finite: true,
    ...(tile === undefined ? {} : { tile }),
    ...(progress ? { progress: (...at) => progress("samples", ...at) } : {}),
  });

  return {
    evaluate: async (options = {}) =>
      splitOutputs(await linearizer.forward(weights, x, pass(options)), y.rows),

    async step(options) {
      const { learningRate, damping = 0, model = false, solver, progress } = options;
      checkStep(options, y.rows);
      const clock = createStopwatch<keyof StepSeconds>();
      const { n, rows, labels, rest, restore } = stepSamples(batch, options, together);
      const places = await updater.makeRoom(weights, n);
      clock.lap("update");
      const linearization = await linearizer.linearize(weights, rows, n, {
        ...pass(options),
        inputs: places.map((place) => place?.inputs),
        positions: fisher.needs === "positions",
      });
      const beside = rest && (await linearizer.forward(weights, rest, pass(options)));
      clock.lap("linearize");

      const before = restore(linearization.outputs, beside);
      const { inversions, inverting } = listening(engine, options);
      const result = (rest: Partial<StepResult>): StepResult => ({
        before,
        seconds: { linearize: 0, gram: 0, precondition: 0, update: 0, ...clock.seconds },
        inversions: [],
        ...rest,
      });
      const f = rowRange(linearization.outputs, 0, n);
      if (!allFinite(f.data)) return result({ stopped: { what: "outputs" } });
      const view = viewOf(fisher, loss, f, labels, typeof damping === "number" ? damping : damping(before));
      if (!allFinite(view.residual.data)) return result({ stopped: { what: "residual" } });

      const found = await solveStep(linearization, view, {
        inverting,
        ...(solver ? { solver } : {}),
        ...(progress ? { progress } : {}),
        ...(model ? { model: modelAt(loss, f, labels, view, learningRate) } : {}),
      });
      if ("what" in found) return result({ stopped: found });
      const { gram, coefficients, ...figures } = found;
      const plain = coefficients.map((each) => onPlainSignals(each, view));
      const overflowing = plain.findIndex((each) => !fits(each, learningRate, engine.precision)) + 1;
      if (overflowing > 0) return result({ stopped: { what: "update", layer: overflowing } });
      clock.lap("precondition");
      clock.add("gram", gram);
      clock.add("precondition", -gram);

      for (const [l, layer] of linearization.layers.entries()) {
        await updater.apply(weights[l]!, layer, plain[l]!, -learningRate, places[l]);
      }
      clock.lap("update");
      return result({ inversions, ...figures });
    },
  };
}

/** How a step inverts, and a list of what it inverts. */
function listening(
  engine: Engine,
  { singular, solver, signal }: StepOptions,
): {
  inversions: readonly Inversion[];
  inverting: InvertOptions;
} {
  const inversions: Inversion[] = [];
  const inverting: InvertOptions = {
    singular: singular ?? solver?.singular ?? "refuse",
    engine,
    signal,
    onInversion: (inversion) => inversions.push(inversion),
  };
  return { inversions, inverting };
}

/** The quadratic model of a loss at outputs f; its curvature is taken where the method has it. */
const modelAt = (loss: Loss, f: Matrix, y: Matrix, view: View, learningRate: number): Model => ({
  residual: loss.residual(f, y),
  curvature: view.curvature ?? loss.curvature?.(f, y).factor,
  learningRate,
});

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

/** Only sizes and single numbers: the samples were checked when the trainer was made. */
function checkStep({ learningRate, damping, samples }: StepOptions, N: number): void {
  demandFinite("learningRate", learningRate);
  if (typeof damping === "number") demandDamping(damping);
  if (samples) checkSamples(samples, N);
}

/** Whether coefficients times a learning rate are finite numbers of a precision. */
function fits(coefficients: Coefficients, learningRate: number, precision: Precision): boolean {
  if (coefficients.kind === "none") return true;
  const { data } = coefficients.kind === "per-sample" ? { data: coefficients.values } : coefficients.matrix;
  const most = precision === "float32" ? LARGEST_FLOAT32 : Number.MAX_VALUE;
  for (let i = 0; i < data.length; i++) if (!(Math.abs(learningRate * data[i]!) <= most)) return false;
  return true;
}

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;
