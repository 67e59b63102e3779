/**
 * @file What a run will take, computed from sizes alone before anything large is allocated: bytes by part, and operations. The
 * plan chooses how a method solves, and how many samples go through the network at a time, so that the run fits into the memory
 * limit. Where nothing fits, the run is refused with the figures. Each method states its own cost (fisher/cost.ts); diagnosis-plan.ts does the same for a
 * diagnosis.
 */
import {
  defaultRank,
  eigenBytes,
  matrixBytes,
  type Fisher,
  type Memory,
  type Solver,
} from "../fisher/index.ts";
import { alphaOf, hasAlpha } from "../dynamics/alpha.ts";
import type { KernelNeeds } from "../kernel/kernel.ts";
import { mse, type Loss } from "../loss/index.ts";
import type { Network } from "../network/network.ts";
import { positionsOf } from "../ops/op.ts";
import type { Config } from "./config.ts";
import { isModel } from "./model/model-option.ts";
import { kernelFor } from "./kernel-choice.ts";
import { columnsOf, firstThatFits, tilesFor } from "./fit.ts";
import { keeps, passes, peakOf, type Phase } from "./ledger.ts";
import {
  dataPhases,
  drawBytes,
  gramTileBytes,
  kernelBytes,
  linearizationBytes,
  moverMemory,
  processBytes,
  signalBytes,
  sizesOf,
  stackBytes,
  stepBytes,
  sweepBytes,
  tileBytes,
  weightPhases,
  type KernelSort,
  type PartOptions,
  type Sizes,
} from "./parts.ts";
import type { Remedy } from "./remedy.ts";

/** The sizes of a run. */
export type RunShape = {
  /** N, N'. */
  readonly samples: { readonly train: number; readonly test: number };
  readonly network: Network;
  readonly fisher: Fisher;
  /** Default: a squared error. */
  readonly loss?: Loss;
};

/** What a run will take. */
export type Plan = {
  /** How the method solves; undefined where it has no choice. */
  readonly solver: Solver | undefined;
  /** Samples that go through the network at a time. */
  readonly tile: number;
  /** Peak of the process, in bytes. */
  readonly bytes: number;
  /** What it is made of. */
  readonly parts: Readonly<Record<string, number>>;
  /** Floating-point operations: of the network's precision, and of float64. */
  readonly operations: { readonly network: number; readonly solves: number };
};

/** Options that a plan depends on. */
export type PlanOptions = PartOptions &
  Pick<
    Config,
    | "kernel"
    | "kernel_path"
    | "save_kernel"
    | "gd_prediction"
    | "batch_size"
    | "n_steps"
    | "learning_rate"
    | "solver"
    | "preconditioner_rank"
  > &
  Partial<Pick<Config, "architecture" | "blocks">>;

/** Iterations that the plan assumes for conjugate gradients; the true number depends on the spectrum. */
const CG_ITERATIONS = 30;
/** Copies of a kernel while it is written to a file. */
const SAVED_COPIES = 2;

/** What a run needs of the kernels that predict. A file has their Kronecker factors, even for a method that needs the NTK alone. */
export function kernelNeeds(
  { needs }: Fisher,
  { kernel_path, save_kernel = false }: Partial<Pick<Config, "kernel_path" | "save_kernel">>,
): KernelNeeds {
  if (needs === "units" || needs === "positions") return needs;
  return needs === "ntk" && kernel_path === undefined && !save_kernel ? "ntk" : "kronecker";
}

/**
 * The plan of a run within `limit` bytes.
 * @throws OptionError with the figures where nothing fits.
 */
export function planRun(shape: RunShape, asked: PlanOptions, limit: number): Plan {
  const options = { ...asked, kernel: kernelFor(asked, shape.network).kernel };
  const adaptive = options.damping_schedule !== "constant";
  const solvers: readonly (Solver | undefined)[] = !shape.fisher.solvers
    ? [undefined]
    : options.solver !== "auto"
      ? [options.solver]
      : adaptive
        ? shape.fisher.solvers.slice(0, 1)
        : shape.fisher.solvers;
  const tiles = tilesFor(shape.network);
  const plans = solvers.flatMap((solver) => tiles.map((tile) => () => runPlan(shape, options, solver, tile)));
  return firstThatFits(plans, limit, remediesFor(shape, options));
}

/** What would make a run smaller. */
function remediesFor(
  { fisher }: RunShape,
  { kernel, batch_size, solver, precision, save_kernel }: PlanOptions,
): Remedy[] {
  const remedies: Remedy[] = [];
  if (kernel !== "none" && save_kernel) remedies.push({ option: "save_kernel", value: false });
  if (kernel !== "none" && !save_kernel) remedies.push({ option: "kernel", value: "none" });
  if (fisher.solvers?.includes("cg") && solver === "gram") remedies.push({ option: "solver", value: "cg" });
  if (batch_size === undefined) remedies.push({ option: "batch_size" });
  if (precision === "float64") remedies.push({ option: "precision", value: "float32" });
  return [...remedies, { option: "train_size", change: "smaller" }, { option: "width", change: "smaller" }];
}

/** The plan of a run that solves and tiles in a given way. */
function runPlan(shape: RunShape, options: PlanOptions, solver: Solver | undefined, tile: number): Plan {
  const { network, fisher, loss, samples } = shape;
  const { outputs } = network;
  const columns = columnsOf(network, fisher, loss);
  const sizes = sizesOf(network, samples, columns, options);
  const n = Math.min(options.batch_size ?? samples.train, samples.train);
  const m = n * (columns ?? outputs);
  const rank = Math.min(options.preconditioner_rank ?? defaultRank(m), m);
  const solve = solver && { solver, rank };
  const rows = samples.train + samples.test;
  const phases: Phase[] = [
    keeps("process", processBytes(sizes, options)),
    ...dataPhases(sizes, options),
    ...weightPhases(sizes, options),
    keeps("tiles of the network", tileBytes(sizes, options, tile, n)),
    keeps("tiles of Grams", gramTileBytes(sizes, options, n * outputs)),
    ...kernelPhases(sizes, options, shape, n),
    ...alphaPhases(sizes, options, shape, n),
    keeps("training", linearizationBytes(sizes, fisher, n, options.n_steps)),
    // The samples of a mini-batch, and all others in their order.
    passes("training", n < samples.train ? sizes.bytes * rows * network.inputs : 0),
    passes("training", options.n_steps === 0 ? 0 : stepBytes(sizes, options, fisher, n, solve)),
    ...laterPredictions(sizes, options, fisher, n),
  ];
  return { solver, tile, ...peakOf(phases), operations: operationsOf(sizes, options, fisher, n, solve) };
}

/** The kernels that predict. */
function sortsOf(
  sizes: Sizes,
  options: PlanOptions,
  fisher: Fisher,
): (KernelSort & { empirical: boolean })[] {
  const summed = kernelNeeds(fisher, options) === "ntk";
  const { outputs } = sizes;
  // A file may hold a kernel of one output or of all.
  if (options.kernel_path !== undefined) return [{ outputs, summed, empirical: true }];
  return (["analytic", "empirical"] as const)
    .filter((name) => [name, "both"].includes(options.kernel))
    .map((name) => {
      const empirical = name === "empirical";
      return { outputs: empirical || fisher.needs === "units" ? outputs : 1, summed, empirical };
    });
}

/** Whether steps of gradient descent are predicted in continuous time. */
const flows = (fisher: Fisher, { gd_prediction, batch_size }: PlanOptions): boolean =>
  fisher.continuous === true && gd_prediction === "continuous" && batch_size === undefined;

/** Making the kernels that predict, and what predicts with them. */
function kernelPhases(sizes: Sizes, options: PlanOptions, shape: RunShape, n: number): Phase[] {
  const { train, test } = sizes;
  const { fisher } = shape;
  const sorts = sortsOf(sizes, options, fisher);
  const makes = sorts.flatMap(({ outputs, summed, empirical }): Phase[] => {
    const kernel = summed
      ? matrixBytes((train + test) * outputs, train * outputs)
      : kernelBytes(sizes, train + test, train, outputs);
    if (options.kernel_path !== undefined) return [{ name: "prediction", kept: kernel, peak: 3 * kernel }];
    const signals =
      fisher.needs === "units" ? signalBytes(sizes, train + test, empirical ? sizes.bytes : 8) : 0;
    const making = empirical
      ? stackBytes(sizes, fisher, train, test)
      : sweepBytes(sizes, options.kernel_batch_size) + (fisher.needs === "units" ? drawBytes(sizes) : 0);
    return [
      { name: "prediction", kept: kernel + signals, peak: kernel + signals + making },
      passes("prediction", options.save_kernel ? SAVED_COPIES * kernel : 0),
    ];
  });
  if (n < train) return makes;
  return [
    ...makes,
    ...sorts.map((sort): Phase => ({ name: "prediction", ...predictorMemory(sizes, options, shape, sort) })),
  ];
}

/** Measuring the alpha of a method, where the theory has none and no learning rate is given: a kernel of the samples of a step. */
function alphaPhases(
  sizes: Sizes,
  options: PlanOptions,
  { fisher, loss, network }: RunShape,
  n: number,
): Phase[] {
  if (options.learning_rate !== undefined || !hasAlpha(fisher)) return [];
  if (alphaOf(fisher, network, loss ?? mse, n, "least_norm", !isModel(options.architecture)) !== undefined)
    return [];
  const sort: KernelSort = { outputs: sizes.outputs, summed: kernelNeeds(fisher, {}) === "ntk" };
  const kernel = sort.summed ? matrixBytes(n * sort.outputs) : kernelBytes(sizes, n, n, sort.outputs);
  const prepared = moverMemory(sizes, options, fisher, sort, n, [n]).peak;
  return [passes("learning rate", kernel + stackBytes(sizes, fisher, n, 0) + prepared)];
}

/** What predicts with a kernel of all training samples: a flow's eigenvectors, or a method's G on both sides. */
function predictorMemory(
  sizes: Sizes,
  options: PlanOptions,
  { fisher, loss }: RunShape,
  sort: KernelSort,
): Memory {
  const { train, test } = sizes;
  if (!flows(fisher, options)) return moverMemory(sizes, options, fisher, sort, train, [train, test]);
  const m = train * sort.outputs;
  const theta = sort.summed ? 0 : matrixBytes(m + test * sort.outputs, m);
  // Another loss is integrated step by step, with Theta as it is.
  if (loss?.curvature) return { kept: theta, peak: theta };
  const kept = matrixBytes(m + test * sort.outputs, m);
  return { kept, peak: theta + kept + eigenBytes(m) };
}

/** What is prepared anew for predictions of later steps: on mini-batches, at other curvatures and dampings. */
function laterPredictions(sizes: Sizes, options: PlanOptions, fisher: Fisher, n: number): Phase[] {
  const { train, test, columns } = sizes;
  if (flows(fisher, options) || options.n_steps === 0) return [];
  const batch = n < train;
  if (!batch && columns === undefined && options.damping_schedule === "constant") return [];
  return sortsOf(sizes, options, fisher).map((sort) => {
    const part = !batch
      ? 0
      : sort.summed
        ? matrixBytes((train + test + n) * sort.outputs, n * sort.outputs)
        : kernelBytes(sizes, train + test + n, n, sort.outputs);
    return passes("prediction", part + moverMemory(sizes, options, fisher, sort, n, [train, test]).peak);
  });
}

/** Operations of a run, in either precision. */
function operationsOf(
  sizes: Sizes,
  options: PlanOptions,
  fisher: Fisher,
  n: number,
  solve: { solver: Solver; rank: number } | undefined,
): Plan["operations"] {
  const { train: N, test, outputs: C, inputs: H, signals: delta, columns, activeShare } = sizes;
  const m = n * C;
  // Products of a sample: as many as there are weights, at every position of a block.
  const P = sizes.network.blocks.reduce(
    (sum, block) => sum + positionsOf(block) * block.columns * block.fanOut,
    0,
  );
  const passOf = 2 * (N + test) * P + 2 * m * P;
  const grams = (k: number) => 2 * k * k * (H + C * delta) * 0.5;
  const cg = solve?.solver === "cg";
  const damped = options.damping > 0;
  const solveOf = (samples: number, outputs: number): number =>
    fisher.cost({ samples, outputs, layers: sizes.network.blocks, damped, activeShare }).operations;
  const perStep =
    passOf +
    2 * n * P +
    (cg
      ? 4 * n * (1 + C) * P * 0.5 * CG_ITERATIONS + 2 * (solve.rank / C) * n * (H + C * delta)
      : solveOf(n, C) === 0
        ? 0
        : grams(n));
  const predicts = sortsOf(sizes, options, fisher);
  const prepared = predicts.reduce((sum, sort) => sum + solveOf(N, columns ?? sort.outputs), 0);
  return {
    network: options.n_steps * perStep + (options.kernel === "none" ? 0 : grams(N)),
    solves: options.n_steps * (cg ? 0 : solveOf(n, columns ?? C)) + (n < N ? 0 : prepared),
  };
}
