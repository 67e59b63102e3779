/**
 * @file What the kernel of a dataset and an architecture says of training before any step is taken: its spectrum, how far
 * every method is from G = alpha I on it (paper, section 4), how far the network's own kernel is from the analytic one,
 * layer by layer, and what infinitely many initialisations would predict. Methods are measured under the loss that was
 * asked for, with its curvature at the initial outputs; spectrum and posterior are of a squared error, whatever the loss.
 * Reported as events, as in run.ts.
 */
import { shapeOf } from "../dynamics/alpha.ts";
import type { PosteriorKernels } from "../dynamics/posterior.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { InputError } from "../error.ts";
import type { Fisher } from "../fisher/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { withUnits } from "../kernel/units.ts";
import { map, subtract, zeros, type Matrix } from "../linalg/matrix.ts";
import { mse } from "../loss/index.ts";
import { randomState } from "../random/random-state.ts";
import { analyticKernels, empiricalParts, type Kernels } from "./diagnose-kernels.ts";
import { layerEvents } from "./diagnose-layers.ts";
import { measureMethod } from "./diagnose-method.ts";
import { measurePosterior } from "./diagnose-posterior.ts";
import { configEvent, refuseTooLarge, settingOf, type Setting } from "./diagnose-setting.ts";
import { spectrumEvent } from "./diagnose-spectrum.ts";
import {
  isSlow,
  type Diagnosis,
  type DiagnosisEvent,
  type DiagnosisListeners,
  type KernelName,
  type MethodFigures,
} from "./diagnosis.ts";
import { idleOptions } from "./idle.ts";
import { lossOf } from "./own.ts";
import { demandConfig } from "./parse-config.ts";
import { OptionError } from "./remedy.ts";
import { openNetwork } from "./setup.ts";
import { withUse, type Use } from "./use.ts";

/**
 * Diagnoses a dataset and an architecture.
 * @throws InputError for anything that cannot be had; what a kernel does not allow is reported in its event instead.
 */
export const diagnose = (
  diagnosis: Diagnosis,
  listeners: DiagnosisListeners = {},
): AsyncGenerator<DiagnosisEvent> => withUse((use) => events(diagnosis, listeners, use));

async function* events(
  diagnosis: Diagnosis,
  listeners: DiagnosisListeners,
  use: Use,
): AsyncGenerator<DiagnosisEvent> {
  demandConfig(diagnosis.config);
  const { progress = () => {}, notice = () => {}, signal } = listeners;
  refuseTooLarge(diagnosis);
  progress("data");
  const setting = await settingOf(diagnosis, listeners);
  const { config, dataset, methods } = setting;
  const y = dataset.yTrain;
  yield configEvent(setting);
  for (const { message } of idleOptions(config, methods, undefined)) notice(message);

  progress("engine");
  const linearizer = await openNetwork(config, setting.network, use.engines, notice);
  const computing = { engine: linearizer.engine, signal };
  progress("analytic kernel");
  const analytic = await analyticKernels(setting, computing);
  const towardsLabels = map(y, (label) => -label);
  if (analytic) yield await spectrumEvent("analytic", analytic.train, y, towardsLabels, computing);

  const { empirical, outputs } = await empiricalParts(setting, linearizer, listeners);
  yield await spectrumEvent("empirical", empirical, y, subtract(outputs, y), computing);
  yield* layerEvents(analytic?.train, empirical, { signal });
  yield* methodEvents(setting, { analytic, empirical, outputs }, computing, listeners);
  yield* posteriorEvents(setting, analytic, computing, listeners);
  yield { event: "done", ...use.measured() };
}

const BOTH = ["analytic", "empirical"] as const;

/** Every method on both kernels, under the loss that was asked for. */
async function* methodEvents(
  setting: Setting,
  kernels: Kernels,
  computing: ComputeOptions,
  { progress = () => {}, word = plainly }: DiagnosisListeners,
): AsyncGenerator<DiagnosisEvent> {
  const { config, network, methods } = setting;
  const { yTrain: y } = setting.dataset;
  const loss = lossOf(config);
  const shape = shapeOf(network, loss, y.rows);
  // The outputs of an infinitely wide network are 0 on average at the start.
  const starts: Record<KernelName, Matrix> = { analytic: zeros(y.rows, y.cols), empirical: kernels.outputs };
  for (const fisher of methods) {
    const slow = methods.length > 1 && isSlow(fisher, network, y.rows);
    for (const name of kernels.analytic ? BOTH : BOTH.slice(1)) {
      progress(`${fisher.name} on the ${name} kernel`);
      const measured = async (): Promise<MethodFigures> =>
        measureMethod(fisher, shape, await kernelFor(name, fisher, setting, kernels, computing), config, {
          ...computing,
          at: { loss, f: starts[name], y },
        });
      yield {
        event: "method",
        method: fisher.name,
        kernel: name,
        loss_type: loss.name,
        ...(slow ? { reason: word(leftOut(fisher)) } : await orReason(word, measured)),
      };
    }
  }
}

/** The kernel that a method is measured on; single units of the infinitely wide network are drawn for it. */
async function kernelFor(
  name: KernelName,
  fisher: Fisher,
  { config, dataset, network }: Setting,
  { analytic, empirical }: Kernels,
  computing: ComputeOptions,
): Promise<Kernel> {
  if (name === "empirical") return empirical;
  if (!analytic) throw new Error("a method on an analytic kernel that is not known");
  if (fisher.needs !== "units") return analytic.train;
  const random = randomState(config.random_seed);
  return (await withUnits(network, analytic, dataset.xTrain, dataset.xTest, random, computing)).train;
}

async function* posteriorEvents(
  { config, dataset, kernelReason }: Setting,
  kernels: PosteriorKernels | undefined,
  computing: ComputeOptions,
  { progress = () => {}, word = plainly }: DiagnosisListeners,
): AsyncGenerator<DiagnosisEvent> {
  for (const kind of ["ntk", "nngp"] as const) {
    progress(`posterior of the ${kind}`);
    const measured = (known: PosteriorKernels) => () =>
      measurePosterior(kind, known, dataset, config, computing);
    const found = kernels ? await orReason(word, measured(kernels)) : { reason: kernelReason! };
    yield { event: "posterior", kind, loss_type: mse.name, ...found };
  }
}

/** An error in the words that it has by itself. */
const plainly = ({ message }: InputError): string => message;

/** Why a method that takes long is not measured beside others. */
const leftOut = ({ name }: Fisher): OptionError =>
  new OptionError("left out beside other methods, it takes long", [
    { option: "natural_gradient_type", value: name },
  ]);

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
