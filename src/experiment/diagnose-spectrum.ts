/**
 * @file The spectrum of a kernel in a diagnosis, and what it says of gradient descent on a squared error.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { alignment } from "../dynamics/alignment.ts";
import { convergenceSteps, convergenceTime, kernelSpectrum, labelEnergy } from "../dynamics/spectrum.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { mse } from "../loss/index.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { Convergence, KernelName, SpectrumEvent } from "./diagnosis.ts";

/** Fractions of the training loss whose times are reported. */
const FRACTIONS = [1e-2, 1e-4] as const;

/**
 * The spectrum of a kernel.
 * @param residual f_0 - y, from which gradient descent starts
 */
export async function spectrumEvent(
  name: KernelName,
  kernel: Kernel,
  y: Matrix,
  residual: Matrix,
  options: ComputeOptions,
): Promise<SpectrumEvent> {
  const spectrum = await kernelSpectrum(kernel, options);
  const { values, maxLearningRate } = spectrum;
  const n = values.length;
  const cumulative = await labelEnergy(spectrum, y, options);
  // An eigenvector of one output stands for as many as there are outputs.
  const energyOf = (k: number): number => cumulative[Math.min(n, k * kernel.outputs) - 1]!;
  const convergence: Convergence[] = [];
  for (const fraction of FRACTIONS) {
    await breathe(options.signal);
    const time = await convergenceTime(spectrum, residual, fraction, options);
    const half = maxLearningRate / 2;
    const atHalf = await convergenceSteps(spectrum, residual, fraction, half, options);
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
    alignment: await alignment(kernel, y, options),
    centred_alignment: await alignment(kernel, y, { ...options, centred: true }),
    label_energy: { 1: energyOf(1), 5: energyOf(5), 10: energyOf(10) },
    max_learning_rate: maxLearningRate,
    convergence,
    eigenvalues: [...values],
  };
}
