/**
 * @file The solve of a step: from the linearisation of its samples to the coefficients of the update, through the NTK of the
 * network alone or through the Grams of every layer, whichever the method asks for; and what the local quadratic model says
 * of the step.
 */
import { NotFiniteError } from "../error.ts";
import type { Coefficients, Fisher, InvertOptions, PrepareOptions, SolveReport } from "../fisher/fisher.ts";
import { crossKernel, trainingKernel, type View } from "../fisher/view.ts";
import { kernelOf } from "../kernel/empirical.ts";
import { createGrams, type Grams } from "../kernel/gram.ts";
import { areFinite } from "../kernel/block.ts";
import { blocksOf, type Kernel } from "../kernel/kernel.ts";
import { linearizedKernel } from "../kernel/linearized.ts";
import { transposeFactor, type CurvatureFactor } from "../loss/curvature.ts";
import { createJacobian, type Jacobian } from "../jacobian/jacobian.ts";
import type { Linearization, Linearizer } from "../jacobian/linearize.ts";
import { keptPositions } from "../ops/op.ts";
import { allFinite, type Matrix } from "../linalg/matrix.ts";

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

/** What a step adds to the weights, and what the quadratic model says of it. */
export type Solution = {
  readonly coefficients: readonly Coefficients[];
  /** Seconds that Grams took. */
  readonly gram: number;
  /** How conjugate gradients ended, where they were the solver. */
  readonly solve?: SolveReport;
  readonly modelChange?: number;
};

/** The local quadratic model of a loss: its residual and curvature at the outputs, and the length of the step. */
export type Model = {
  readonly residual: Matrix;
  /** Also where the method does not look at it. */
  readonly curvature: CurvatureFactor | undefined;
  readonly learningRate: number;
};

/** What a solve is asked for. */
export type SolveOptions = {
  readonly inverting: InvertOptions;
  readonly solver?: PrepareOptions;
  readonly progress?: (what: string, done: number, total: number) => void;
  /** Where given, the step has a `modelChange`. */
  readonly model?: Model;
};

/** Solves the steps of one method. */
export type StepSolver = (
  linearization: Linearization,
  view: View,
  options: SolveOptions,
) => Promise<Solution | Stopped>;

/** A solver of `fisher`'s steps on the engine of a linearizer. */
export function createStepSolver(linearizer: Linearizer, fisher: Fisher): StepSolver {
  const { engine, network } = linearizer;
  const grams = createGrams(engine);
  if (fisher.solvers) {
    const kept = network.blocks.map((shape) => keptPositions(shape, network.outputs));
    grams.prepareTheta(kept, network.outputs);
  }
  const tools: Tools = { linearizer, fisher, grams, jacobian: createJacobian(engine) };
  return (linearization, view, options) =>
    fisher.needs === "ntk" && !options.model
      ? fromNtk(tools, linearization, view, options)
      : fromGrams(tools, linearization, view, options);
}

type Tools = {
  readonly linearizer: Linearizer;
  readonly fisher: Fisher;
  readonly grams: Grams;
  readonly jacobian: Jacobian;
};

/** From the NTK of the network alone. */
async function fromNtk(
  { linearizer, fisher, grams, jacobian }: Tools,
  linearization: Linearization,
  view: View,
  { solver = {}, progress, inverting }: SolveOptions,
): Promise<Solution | Stopped> {
  const { signal } = inverting;
  const { epsilon } = linearizer.engine;
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
      gram += (performance.now() - start) / 1000;
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
  { linearizer, fisher, grams }: Tools,
  linearization: Linearization,
  view: View,
  { inverting, model }: SolveOptions,
): Promise<Solution | Stopped> {
  const { signal } = inverting;
  const start = performance.now();
  const kernel = await kernelOf(linearizer, linearization, grams, { signal });
  const gram = (performance.now() - start) / 1000;
  for (const [l, block] of blocksOf(kernel).entries()) {
    if (!areFinite(await block.factors())) return { what: "Gram", layer: l + 1 };
  }
  const prepared = await fisher.prepare(trainingKernel(kernel, view, { signal }), view.damping, inverting);
  const coefficients = ofLayers(await prepared.solve(view.residual.data), linearization);
  if (!model) return { coefficients, gram };
  const G = await prepared.onto(crossKernel(kernel, view, { signal }));
  return { coefficients, gram, modelChange: quadraticChange(model, await G(view.residual.data)) };
}

/** Coefficients of every layer. */
const ofLayers = (
  found: Coefficients | readonly Coefficients[],
  { layers }: Linearization,
): readonly Coefficients[] => ("kind" in found ? layers.map(() => found) : found);

/** r.df / N + df.Lambda df / 2N for df = -eta G r. */
function quadraticChange({ curvature, residual, learningRate }: Model, G: Float64Array): number {
  const df = G.map((g) => -learningRate * g);
  const curved = curvature ? transposeFactor(curvature, df) : df;
  let change = 0;
  for (const [i, r] of residual.data.entries()) change += r * df[i]!;
  for (const d of curved) change += (d * d) / 2;
  return change / residual.rows;
}
