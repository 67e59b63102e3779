/**
 * @file What a kernel says of training before any step is taken, for a dataset and an architecture: its spectrum, how far
 * every method is from G = alpha I on it (paper, section 4), how far the network's own kernel is from the analytic one,
 * layer by layer, and what infinitely many initialisations would predict. Told as events, as in run.ts.
 */
import type { Dataset } from "../data/dataset.ts";
import { alignment } from "../dynamics/alignment.ts";
import { isotropy } from "../dynamics/isotropy.ts";
import {
  createPosterior,
  deviations,
  type PosteriorKernels,
  type PosteriorKind,
} from "../dynamics/posterior.ts";
import { convergenceSteps, convergenceTime, kernelSpectrum, labelEnergy } from "../dynamics/spectrum.ts";
import { stableLearningRate } from "../dynamics/stability.ts";
import { InputError } from "../error.ts";
import type { Fisher, Propagator, Shape } from "../fisher/index.ts";
import type { Engine } from "../graph/engine.ts";
import { analyticKernel } from "../kernel/analytic.ts";
import { empiricalKernel } from "../kernel/empirical.ts";
import { expandOutputs, layerNtk, ntk, type Kernel } from "../kernel/kernel.ts";
import { withUnits } from "../kernel/units.ts";
import { accuracy } from "../loss/loss.ts";
import { mse } from "../loss/mse.ts";
import { map, multiply, norm, subtract, trace, transpose, zeros, type Matrix } from "../matrix/matrix.ts";
import type { Network } from "../network/network.ts";
import { randomState } from "../random/random-state.ts";
import { demandConfig, type Config } from "./config.ts";
import type {
  Convergence,
  Diagnosis,
  DiagnosisEvent,
  KernelName,
  LayerEvent,
  MethodFigures,
  PosteriorFigures,
  SpectrumEvent,
} from "./diagnosis.ts";
import { loadData, settle } from "./dataset.ts";
import { peakBytes } from "./memory.ts";
import type { RunListeners } from "./run.ts";
import { finiteKernels } from "./representable.ts";
import { networkOf, openNetwork, releasing, startWeights, tileOf } from "./setup.ts";

/** Fractions of the training loss whose times are told. */
const FRACTIONS = [1e-2, 1e-4] as const;

/** Who listens beside the events. */
export type DiagnosisListeners = RunListeners & {
  /** Told the configuration once its data is there and has a size; what it throws ends the diagnosis before its work. */
  settled?: (config: Config) => void | Promise<void>;
};

/**
 * Diagnoses a dataset and an architecture.
 * @throws InputError for anything that cannot be had; what a kernel does not allow is told in its event instead.
 */
export const diagnose = (
  diagnosis: Diagnosis,
  listeners: DiagnosisListeners = {},
): AsyncGenerator<DiagnosisEvent> => releasing((opened) => events(diagnosis, listeners, opened));

async function* events(
  { config: asked, methods }: Diagnosis,
  { progress = () => {}, notice = () => {}, settled = () => {} }: DiagnosisListeners,
  opened: Engine[],
): AsyncGenerator<DiagnosisEvent> {
  demandConfig(asked);
  progress("data");
  const dataset = await loadData(asked, {
    notice,
    progress: (received, total) => progress(`fetching ${asked.dataset}`, received, total),
  });
  const config = settle(asked, dataset);
  await settled(config);
  const { xTrain, yTrain: y, xTest } = dataset;
  const network = networkOf(config, dataset);
  yield {
    event: "config",
    config,
    methods: methods.map(({ name }) => name),
    widths: [network.inputs, ...network.weights.map(({ fanOut }) => fanOut)],
    n_classes: dataset.targetClasses.length,
    target_classes: dataset.targetClasses,
  };

  progress("analytic kernel");
  const options = tileOf(config);
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
  );

  progress("engine");
  const linearizer = await openNetwork(config, network, opened);
  progress("weights");
  const weights = await startWeights(config, linearizer);
  progress("empirical kernel");
  const f = await linearizer.forward(weights, xTrain);
  const { train: finite } = await finiteKernels(
    () => empiricalKernel(linearizer, weights, xTrain, [], options),
    ({ train }) => [train],
    config,
    dataset,
  );
  yield await spectrumEvent("empirical", finite, y, subtract(f, y));
  yield* layerEvents(infinite.train, finite);

  const kernelFor = async (name: KernelName, fisher: Fisher): Promise<Kernel> => {
    if (name === "empirical") return finite;
    if (!fisher.usesSignals) return infinite.train;
    return (await withUnits(network, infinite, xTrain, xTest, randomState(config.random_seed))).train;
  };
  const shape = { samples: y.rows, layers: network.weights.length, width: config.width, outputs: y.cols };
  for (const fisher of methods) {
    for (const name of ["analytic", "empirical"] as const) {
      progress(`${fisher.name} on the ${name} kernel`);
      const about = { event: "method", method: fisher.name, kernel: name } as const;
      const slow = methods.length > 1 && isSlow(fisher, network, y.rows);
      yield {
        ...about,
        ...(slow
          ? { reason: `left out, it takes long; --natural_gradient_type ${fisher.name} looks at it alone` }
          : await orReason(async () =>
              measureMethod(fisher, shape, await kernelFor(name, fisher), config.damping),
            )),
      };
    }
  }

  for (const kind of ["ntk", "nngp"] as const) {
    progress(`posterior of the ${kind}`);
    const about = { event: "posterior", kind } as const;
    yield { ...about, ...(await orReason(() => measurePosterior(kind, infinite, dataset, config))) };
  }
  yield { event: "done", seconds: process.uptime(), peak_rss_bytes: peakBytes() };
}

/** What `work` returns, or why it cannot be had, on one line. */
async function orReason<T>(work: () => Promise<T>): Promise<T | { reason: string }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InputError) return { reason: error.message };
    throw error;
  }
}

/** @param residual f_0 - y, from which gradient descent starts. */
async function spectrumEvent(
  name: KernelName,
  kernel: Kernel,
  y: Matrix,
  residual: Matrix,
): Promise<SpectrumEvent> {
  const spectrum = await kernelSpectrum(kernel);
  const { values, maxLearningRate } = spectrum;
  const n = values.length;
  const cumulative = await labelEnergy(spectrum, y);
  // An eigenvector of one output stands for as many as there are outputs.
  const energyOf = (k: number): number => cumulative[Math.min(n, k * kernel.outputs) - 1]!;
  const convergence: Convergence[] = [];
  for (const fraction of FRACTIONS) {
    const time = await convergenceTime(spectrum, residual, fraction);
    const atHalf = await convergenceSteps(spectrum, residual, fraction, maxLearningRate / 2);
    const steps = time === Infinity ? Infinity : Math.ceil(time / maxLearningRate);
    convergence.push({ fraction, time, steps, steps_at_half: atHalf });
  }
  return {
    event: "spectrum",
    kernel: name,
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
function* layerEvents(analytic: Kernel, empirical: Kernel): Generator<LayerEvent> {
  const expanded = expandOutputs(analytic);
  const wholes = { analytic: ntk(expanded), empirical: ntk(empirical) };
  for (const [l, layer] of expanded.layers.entries()) {
    const own = empirical.layers[l]!;
    const thetas = { analytic: layerNtk(layer), empirical: layerNtk(own) };
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
        ntk: distance(thetas.empirical, thetas.analytic),
        inputs: distance(own.inputGram, layer.inputGram),
        signals: distance(own.signalGram, layer.signalGram),
      },
    };
  }
  yield {
    event: "layer",
    layer: "all",
    fan_in: null,
    fan_out: null,
    trace_share: { analytic: 1, empirical: 1 },
    distance: { ntk: distance(wholes.empirical, wholes.analytic), inputs: null, signals: null },
  };
}

const distance = (a: Matrix, b: Matrix): number => share(norm(subtract(a, b)), norm(b));

/** a / b, where nothing of nothing (a network whose units are all silent) is none of it. */
const share = (a: number, b: number): number => (a === 0 ? 0 : a / b);

/** Largest n for which all columns of G are formed. */
const SMALL = 256;

/** Products with G that are spent where it is not formed: few where each solves for every unit. */
const budgetOf = ({ usesSignals }: Fisher): { maxProbes: number; iterations: number } =>
  usesSignals ? { maxProbes: 4, iterations: 8 } : { maxProbes: 32, iterations: 32 };

async function measureMethod(
  fisher: Fisher,
  shape: Shape,
  kernel: Kernel,
  damping: number,
): Promise<MethodFigures> {
  const theory = fisher.alpha(shape);
  const n = kernel.samples * kernel.outputs;
  const preconditioner = await fisher.prepare(kernel, damping);
  const products = await preconditioner.propagator(kernel);
  const whole = n <= SMALL && !fisher.usesSignals;
  const G = whole ? await formed(products, n) : products;
  const { maxProbes, iterations } = whole ? { maxProbes: n, iterations: n } : budgetOf(fisher);
  const prepared = { ...fisher, prepare: async () => ({ ...preconditioner, propagator: async () => G }) };
  return {
    ...(await isotropy(prepared, kernel, { damping, maxColumns: whole ? n : 0, maxProbes })),
    alpha_theory: theory ?? null,
    learning_rate: theory === undefined ? null : 1 / theory,
    // The Grams of a float32 engine have eigenvalues that are rounding, of either sign.
    max_learning_rate: await stableLearningRate(G, n, {
      iterations,
      epsilon: Math.max(1e-10, n * kernel.epsilon),
    }),
  };
}

/** G as a matrix [n, n], for many products. */
async function formed(G: Propagator, n: number): Promise<Propagator> {
  const columns = zeros(n, n);
  for (let j = 0; j < n; j++) {
    const unit = new Float64Array(n);
    unit[j] = 1;
    columns.data.set(await G(unit), j * n);
  }
  const matrix = transpose(columns);
  return (residual) => multiply(matrix, { rows: n, cols: 1, data: residual }).data;
}

/** Multiply-adds of factoring the blocks of all units beyond which unit-wise methods wait to be asked for: seconds. */
const SLOW = 5e8;

function isSlow({ usesSignals }: Fisher, network: Network, samples: number): boolean {
  const units = network.weights.reduce((sum, { fanOut }) => sum + fanOut, 0);
  // Half of the samples are active.
  return usesSignals === true && (units * (samples / 2) ** 3) / 6 > SLOW;
}

/** damping rho on the Fisher matrix is N rho on Theta. */
async function measurePosterior(
  kind: PosteriorKind,
  kernels: PosteriorKernels,
  { yTrain, yTest }: Dataset,
  { damping, parameterization }: Config,
): Promise<PosteriorFigures> {
  if (parameterization !== "ntk") {
    throw new InputError(`parameterization: wanted ntk for a posterior, got ${parameterization}`);
  }
  const regularisation = damping * yTrain.rows;
  const law = await (await createPosterior(kernels, yTrain, { kind, regularisation })).at(Infinity);
  const spread = deviations(law);
  return {
    test_accuracy: accuracy(law.mean, yTest),
    test_loss: mse.value(law.mean, yTest),
    mean_deviation: spread.reduce((sum, x) => sum + x, 0) / spread.length,
  };
}
