/**
 * @file What a kernel says of training before any step is taken, for a dataset and an architecture: its spectrum, how far
 * every method is from G = alpha I on it (paper, section 4), how far the network's own kernel is from the analytic one,
 * layer by layer, and what infinitely many initialisations would predict. Methods are measured under the loss that was
 * asked for, with its curvature at the initial outputs; spectrum and posterior are of a squared error, whatever the loss.
 * Reported as events, as in run.ts.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import type { Dataset } from "../data/dataset.ts";
import { shapeOf } from "../dynamics/alpha.ts";
import { alignment } from "../dynamics/alignment.ts";
import { isotropyOf } from "../dynamics/isotropy.ts";
import {
  createPosterior,
  deviations,
  type PosteriorKernels,
  type PosteriorKind,
} from "../dynamics/posterior.ts";
import { responseOf, type LossAt } from "../dynamics/response.ts";
import { convergenceSteps, convergenceTime, kernelSpectrum, labelEnergy } from "../dynamics/spectrum.ts";
import { stableLearningRate } from "../dynamics/stability.ts";
import { InputError } from "../error.ts";
import { bind, viewOf, type Fisher, type Propagator, type Shape } from "../fisher/index.ts";
import { analyticKernel } from "../kernel/analytic.ts";
import { empiricalKernel } from "../kernel/empirical.ts";
import { blockNtk } from "../kernel/block.ts";
import { blocksOf, type Kernel } from "../kernel/kernel.ts";
import { expandOutputs } from "../kernel/parts.ts";
import { withUnits } from "../kernel/units.ts";
import { accuracy, lossNamed, mse } from "../loss/index.ts";
import { map, multiply, norm, subtract, trace, transpose, zeros, type Matrix } from "../matrix/matrix.ts";
import { randomState } from "../random/random-state.ts";
import { demandConfig, type Config } from "./config.ts";
import {
  isSlow,
  type Convergence,
  type Diagnosis,
  type DiagnosisEvent,
  type KernelName,
  type LayerEvent,
  type MethodFigures,
  type PosteriorFigures,
  type SpectrumEvent,
} from "./diagnosis.ts";
import { loadData, settle } from "./dataset.ts";
import { memoryLimit } from "./memory.ts";
import { planDiagnosis } from "./diagnosis-plan.ts";
import type { RunListeners } from "./events.ts";
import { expectedSizes, networkOf, openNetwork, startWeights, tileOf } from "./setup.ts";
import { finiteKernels } from "./representable.ts";
import { withUse, type Use } from "./use.ts";

/** Fractions of the training loss whose times are reported. */
const FRACTIONS = [1e-2, 1e-4] as const;

/** Listeners beside the events. */
export type DiagnosisListeners = RunListeners & {
  /** Words of an event about what a kernel does not allow. Default: the message of the error. */
  word?: (error: InputError) => string;
  /** Called with one line about something that needs attention. */
  notice?: (line: string) => void;
};

/**
 * Diagnoses a dataset and an architecture.
 * @throws InputError for anything that cannot be had; what a kernel does not allow is reported in its event instead.
 */
export const diagnose = (
  diagnosis: Diagnosis,
  listeners: DiagnosisListeners = {},
): AsyncGenerator<DiagnosisEvent> => withUse((use) => events(diagnosis, listeners, use));

async function* events(
  { config: asked, methods }: Diagnosis,
  { progress = () => {}, notice = () => {}, word = ({ message }) => message, signal }: DiagnosisListeners,
  use: Use,
): AsyncGenerator<DiagnosisEvent> {
  demandConfig(asked);
  // What cannot fit is refused before anything is fetched, where its sizes are known.
  const expected = expectedSizes(asked);
  if (expected) planDiagnosis({ ...expected, methods }, asked, memoryLimit(asked));
  progress("data");
  const dataset = await loadData(asked, {
    signal,
    notice,
    progress: (received, total) => progress(`fetching ${asked.dataset}`, received, total),
  });
  const config = settle(asked, dataset);
  const { xTrain, yTrain: y, xTest } = dataset;
  const network = networkOf(config, dataset);
  const samples = { train: xTrain.rows, test: xTest.rows };
  const plan = planDiagnosis({ samples, network, methods }, config, memoryLimit(config));
  yield {
    event: "config",
    config,
    methods: methods.map(({ name }) => name),
    widths: [network.inputs, ...network.weights.map(({ fanOut }) => fanOut)],
    n_classes: dataset.targetClasses.length,
    target_classes: dataset.targetClasses,
    plan: { bytes: plan.bytes },
  };

  progress("analytic kernel");
  const options = { ...tileOf(config), signal };
  const infinite: PosteriorKernels = await finiteKernels(
    async () => ({
      train: await analyticKernel(network, xTrain, xTrain, options),
      test: await analyticKernel(network, xTest, xTrain, options),
      testTest: await analyticKernel(network, xTest, xTest, options),
    }),
    Object.values,
    config,
    dataset,
  );
  yield await spectrumEvent(
    "analytic",
    infinite.train,
    y,
    map(y, (label) => -label),
    { signal },
  );

  progress("engine");
  const linearizer = await openNetwork(config, network, use.engines, notice);
  progress("weights");
  const weights = await startWeights(config, linearizer, { signal });
  progress("empirical kernel");
  const tiled = { tile: plan.tile, ...options };
  const f = await linearizer.forward(weights, xTrain, tiled);
  const { train: finite } = await finiteKernels(
    () => empiricalKernel(linearizer, weights, xTrain, [], tiled),
    ({ train }) => [train],
    config,
    dataset,
  );
  yield await spectrumEvent("empirical", finite, y, subtract(f, y), { signal });
  yield* layerEvents(infinite.train, finite, { signal });

  const kernelFor = async (name: KernelName, fisher: Fisher): Promise<Kernel> => {
    if (name === "empirical") return finite;
    if (fisher.needs !== "units") return infinite.train;
    const random = randomState(config.random_seed);
    return (await withUnits(network, infinite, xTrain, xTest, random, { signal })).train;
  };
  const loss = lossNamed(config.loss_type);
  // An infinitely wide network starts from 0 on average.
  const starts: Record<KernelName, Matrix> = { analytic: zeros(y.rows, y.cols), empirical: f };
  const shape = shapeOf(network, loss, y.rows);
  for (const fisher of methods) {
    for (const name of ["analytic", "empirical"] as const) {
      progress(`${fisher.name} on the ${name} kernel`);
      const about = { event: "method", method: fisher.name, kernel: name, loss_type: loss.name } as const;
      const slow = methods.length > 1 && isSlow(fisher, network, y.rows);
      yield {
        ...about,
        ...(slow
          ? { reason: `left out, it takes long; --natural_gradient_type ${fisher.name} looks at it alone` }
          : await orReason(word, async () =>
              measureMethod(fisher, shape, await kernelFor(name, fisher), config, {
                at: { loss, f: starts[name], y },
                signal,
              }),
            )),
      };
    }
  }

  for (const kind of ["ntk", "nngp"] as const) {
    progress(`posterior of the ${kind}`);
    const about = { event: "posterior", kind, loss_type: mse.name } as const;
    yield {
      ...about,
      ...(await orReason(word, () => measurePosterior(kind, infinite, dataset, config, { signal }))),
    };
  }
  yield { event: "done", ...use.measured() };
}

/** What `work` returns, or why it cannot be had, on one line. */
async function orReason<T>(
  word: (error: InputError) => string,
  work: () => Promise<T>,
): Promise<T | { reason: string }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InputError) return { reason: word(error) };
    throw error;
  }
}

/** @param residual f_0 - y, from which gradient descent starts. */
async function spectrumEvent(
  name: KernelName,
  kernel: Kernel,
  y: Matrix,
  residual: Matrix,
  { signal }: Stoppable,
): Promise<SpectrumEvent> {
  const spectrum = await kernelSpectrum(kernel, { signal });
  const { values, maxLearningRate } = spectrum;
  const n = values.length;
  const cumulative = await labelEnergy(spectrum, y);
  // An eigenvector of one output stands for as many as there are outputs.
  const energyOf = (k: number): number => cumulative[Math.min(n, k * kernel.outputs) - 1]!;
  const convergence: Convergence[] = [];
  for (const fraction of FRACTIONS) {
    await breathe(signal);
    const time = await convergenceTime(spectrum, residual, fraction);
    const atHalf = await convergenceSteps(spectrum, residual, fraction, maxLearningRate / 2);
    const steps = time === Infinity ? Infinity : Math.ceil(time / maxLearningRate);
    convergence.push({ fraction, time, steps, steps_at_half: atHalf });
  }
  return {
    event: "spectrum",
    kernel: name,
    loss_type: mse.name,
    size: n,
    outputs: kernel.outputs,
    trace: spectrum.trace,
    lambda_max: values[0]!,
    lambda_median: (values[(n - 1) >> 1]! + values[n >> 1]!) / 2,
    lambda_min: values[n - 1]!,
    rank: spectrum.rank,
    condition: spectrum.condition,
    alignment: await alignment(kernel, y),
    centred_alignment: await alignment(kernel, y, { centred: true }),
    label_energy: { 1: energyOf(1), 5: energyOf(5), 10: energyOf(10) },
    max_learning_rate: maxLearningRate,
    convergence,
    eigenvalues: [...values],
  };
}

/** Every layer of the empirical kernel beside the analytic one, and their sum. */
async function* layerEvents(
  analytic: Kernel,
  empirical: Kernel,
  { signal }: Stoppable,
): AsyncGenerator<LayerEvent> {
  const distance = async (a: Matrix, b: Matrix): Promise<number> => {
    await breathe(signal);
    return distanceBetween(a, b);
  };
  const expanded = expandOutputs(analytic);
  const wholes = { analytic: await expanded.matrix(), empirical: await empirical.matrix() };
  for (const [l, layer] of blocksOf(expanded).entries()) {
    await breathe(signal);
    const limit = await layer.factors();
    const own = await blocksOf(empirical)[l]!.factors();
    const thetas = { analytic: blockNtk(limit), empirical: blockNtk(own) };
    yield {
      event: "layer",
      layer: l + 1,
      fan_in: layer.fanIn,
      fan_out: layer.fanOut,
      trace_share: {
        analytic: share(trace(thetas.analytic), trace(wholes.analytic)),
        empirical: share(trace(thetas.empirical), trace(wholes.empirical)),
      },
      distance: {
        ntk: await distance(thetas.empirical, thetas.analytic),
        inputs: await distance(own.A, limit.A),
        signals: await distance(own.B, limit.B),
      },
    };
  }
  yield {
    event: "layer",
    layer: "all",
    fan_in: null,
    fan_out: null,
    trace_share: { analytic: 1, empirical: 1 },
    distance: { ntk: await distance(wholes.empirical, wholes.analytic), inputs: null, signals: null },
  };
}

const distanceBetween = (a: Matrix, b: Matrix): number => share(norm(subtract(a, b)), norm(b));

/** a / b, where nothing of nothing (a network whose units are all silent) is none of it. */
const share = (a: number, b: number): number => (a === 0 ? 0 : a / b);

/** Largest n for which all columns of G (of S^T G) are formed. */
const SMALL = 256;

/** Products with G that are spent where it is not formed: few where each solves for every unit. */
const budgetOf = ({ needs }: Fisher): { maxProbes: number; iterations: number } =>
  needs === "units" ? { maxProbes: 4, iterations: 8 } : { maxProbes: 32, iterations: 32 };

async function measureMethod(
  fisher: Fisher,
  shape: Shape,
  kernel: Kernel,
  { damping, singular }: Pick<Config, "damping" | "singular">,
  { at, signal }: Stoppable & { at: LossAt },
): Promise<MethodFigures> {
  const theory = fisher.alpha(shape, { singular });
  const view = viewOf(fisher, at.loss, at.f, at.y, damping);
  const mover = await (await bind(fisher, kernel, view, { singular, signal }))(kernel);
  const { R: products, size: n } = responseOf(fisher, at, mover, damping);
  const whole = n <= SMALL && fisher.needs !== "units";
  const R = whole ? await formed(products, n, { signal }) : products;
  const { maxProbes, iterations } = whole ? { maxProbes: n, iterations: n } : budgetOf(fisher);
  return {
    ...(await isotropyOf(R, n, { maxColumns: whole ? n : 0, maxProbes, signal })),
    alpha_theory: theory ?? null,
    learning_rate: theory === undefined ? null : 1 / theory,
    // The Grams of a float32 engine have eigenvalues that are rounding, of either sign.
    max_learning_rate: await stableLearningRate(R, n, {
      iterations,
      signal,
      epsilon: Math.max(1e-10, n * kernel.epsilon),
    }),
  };
}

/** G as a matrix [n, n], for many products. */
async function formed(G: Propagator, n: number, { signal }: Stoppable): Promise<Propagator> {
  const columns = zeros(n, n);
  for (let j = 0; j < n; j++) {
    await breathe(signal);
    const unit = new Float64Array(n);
    unit[j] = 1;
    columns.data.set(await G(unit), j * n);
  }
  const matrix = transpose(columns);
  return (residual) => multiply(matrix, { rows: n, cols: 1, data: residual }).data;
}

/** damping rho on the Fisher matrix is N rho on Theta. */
async function measurePosterior(
  kind: PosteriorKind,
  kernels: PosteriorKernels,
  { yTrain, yTest }: Dataset,
  { damping, parameterization }: Config,
  { signal }: Stoppable,
): Promise<PosteriorFigures> {
  if (parameterization !== "ntk") {
    throw new InputError(`parameterization: wanted ntk for a posterior, got ${parameterization}`);
  }
  const regularisation = damping * yTrain.rows;
  const law = await (await createPosterior(kernels, yTrain, { kind, regularisation, signal })).at(Infinity);
  const spread = deviations(law);
  return {
    test_accuracy: accuracy(law.mean, yTest),
    test_loss: mse.value(law.mean, yTest),
    mean_deviation: spread.reduce((sum, x) => sum + x, 0) / spread.length,
  };
}
