/**
 * @file What a kernel says of training before any step is taken, for a dataset and an architecture: its spectrum, how far
 * every method is from G = alpha I on it (paper, section 4), how far the network's own kernel is from the analytic one,
 * layer by layer, and what infinitely many initialisations would predict. Methods are measured under the loss that was
 * asked for, with its curvature at the initial outputs; spectrum and posterior are of a squared error, whatever the loss.
 * Reported as events, as in run.ts.
 */
import { shapeOf } from "../dynamics/alpha.ts";
import type { PosteriorKernels } from "../dynamics/posterior.ts";
import { InputError } from "../error.ts";
import type { Fisher } from "../fisher/index.ts";
import { analyticKernel } from "../kernel/analytic.ts";
import { empiricalKernel } from "../kernel/empirical.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { withUnits } from "../kernel/units.ts";
import { lossNamed, mse } from "../loss/index.ts";
import { map, subtract, zeros, type Matrix } from "../linalg/matrix.ts";
import { randomState } from "../random/random-state.ts";
import { demandConfig } from "./config.ts";
import { loadData, settle } from "./dataset.ts";
import { layerEvents } from "./diagnose-layers.ts";
import { measureMethod } from "./diagnose-method.ts";
import { measurePosterior } from "./diagnose-posterior.ts";
import { spectrumEvent } from "./diagnose-spectrum.ts";
import { isSlow, type Diagnosis, type DiagnosisEvent, type KernelName } from "./diagnosis.ts";
import { planDiagnosis } from "./diagnosis-plan.ts";
import type { RunListeners } from "./events.ts";
import { idleOptions } from "./idle.ts";
import { memoryLimit } from "./memory.ts";
import { finiteKernels } from "./representable.ts";
import { expectedSizes, networkOf, openNetwork, startWeights, tileOf } from "./setup.ts";
import { withUse, type Use } from "./use.ts";

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

  for (const line of idleOptions(config, methods, undefined)) notice(line);

  progress("engine");
  const linearizer = await openNetwork(config, network, use.engines, notice);
  const computing = { engine: linearizer.engine, signal };
  progress("analytic kernel");
  const options = { ...tileOf(config), ...computing };
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
    computing,
  );

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
  yield await spectrumEvent("empirical", finite, y, subtract(f, y), computing);
  yield* layerEvents(infinite.train, finite, { signal });

  const kernelFor = async (name: KernelName, fisher: Fisher): Promise<Kernel> => {
    if (name === "empirical") return finite;
    if (fisher.needs !== "units") return infinite.train;
    const random = randomState(config.random_seed);
    return (await withUnits(network, infinite, xTrain, xTest, random, computing)).train;
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
                ...computing,
                at: { loss, f: starts[name], y },
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
      ...(await orReason(word, () => measurePosterior(kind, infinite, dataset, config, computing))),
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
