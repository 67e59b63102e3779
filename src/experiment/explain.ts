/**
 * @file What a run would do, before it does anything: how the Jacobian of every block is kept and why, and the plan of the run.
 */
import { keptForm, formCosts, keptSizes, positionsOf, type BlockShape, type KeptForm } from "../ops/op.ts";
import type { Network } from "../network/network.ts";
import { describeNetwork, type NetworkText } from "./architecture/describe.ts";
import type { Config } from "./config.ts";
import { loadData, settle } from "./dataset.ts";
import type { RunListeners } from "./events.ts";
import { kernelFor } from "./kernel-choice.ts";
import { memoryLimit } from "./memory.ts";
import { fisherOf, lossOf } from "./own.ts";
import { demandConfig } from "./parse-config.ts";
import { partOf } from "./model/part.ts";
import { withModel } from "./model/model-file.ts";
import { arrangedFor } from "./model/samples.ts";
import { planRun, type Plan, type RunShape } from "./plan.ts";
import { expectedSizes, networkOf } from "./setup.ts";

/** How the Jacobian of a block is kept. */
export type BlockPlan = {
  /** Names of the ops that use it. */
  readonly layer: string;
  /** Shape of the value that goes into the first of them. */
  readonly input: readonly number[];
  /** O and I, the sizes of its matrix of weights. */
  readonly weights: readonly [fanOut: number, columns: number];
  /** T. */
  readonly positions: number;
  /** One outer product per row, rows written out, or both factors at every position. */
  readonly form: KeptForm;
  /** Bytes that are kept of the samples of a step. */
  readonly bytes: number;
  /** How its Gram is made, and why so. */
  readonly algorithm: string;
  readonly reason: string;
};

/** What a run would do. */
export type Explanation = {
  readonly config: Config;
  readonly network: NetworkText;
  readonly samples: RunShape["samples"];
  /** Samples of a step. */
  readonly batch: number;
  readonly blocks: readonly BlockPlan[];
  readonly kernel_reason?: string;
  readonly plan: Plan;
  /** Why it is solved as it is, where the method has a choice. */
  readonly solver_reason?: string;
};

/**
 * Explains a run. Data is loaded only where its sizes depend on it.
 * @throws InputError for what cannot be had, as the run itself would.
 */
export async function explain(given: Config, { signal }: RunListeners = {}): Promise<Explanation> {
  demandConfig(given);
  const asked = await withModel(given);
  const expected = expectedSizes(asked);
  const {
    config: sized,
    samples,
    network,
  } = expected ? { config: asked, ...expected } : await measured(asked, signal);
  const { kernel, reason } = kernelFor(sized, network);
  const config = { ...sized, kernel };
  const limit = memoryLimit(config);
  const plan = planRun({ samples, network, fisher: fisherOf(config), loss: lossOf(config) }, config, limit);
  const batch = Math.min(config.batch_size ?? samples.train, samples.train);
  return {
    config,
    network: describeNetwork(config, network),
    samples,
    batch,
    blocks: network.blocks.map((_, l) =>
      blockPlan(network, l, batch, config.precision === "float64" ? 8 : 4),
    ),
    ...(reason === undefined ? {} : { kernel_reason: reason }),
    plan,
    ...(plan.solver ? { solver_reason: solverReason(config, plan) } : {}),
  };
}

/** Sizes of a run that depend on its data. */
async function measured(asked: Config, signal: AbortSignal | undefined) {
  const dataset = await loadData(asked, { signal });
  const config = settle(asked, dataset);
  const samples = { train: dataset.xTrain.rows, test: dataset.xTest.rows };
  const { dataset: arranged } = arrangedFor(config.architecture, dataset);
  return { config, samples, network: partOf(config, networkOf(config, arranged)).network };
}

const solverReason = ({ solver }: Config, plan: Plan): string =>
  solver !== "auto"
    ? "asked for"
    : plan.solver === "gram"
      ? "its Gram fits into the memory limit"
      : "its Gram does not fit into the memory limit";

function blockPlan(
  { nodes, shapes, blocks, outputs: C }: Network,
  l: number,
  n: number,
  bytes: number,
): BlockPlan {
  const shape = blocks[l]!;
  const users = nodes.filter(({ block }) => block === l);
  const form = keptForm(shape, C);
  const { inputs, signals } = keptSizes(shape, C);
  return {
    layer: users.map(({ op }) => op.name).join(", "),
    input: shapes[users[0]!.inputs[0]!]!,
    weights: [shape.fanOut, shape.columns],
    positions: positionsOf(shape),
    form,
    bytes: bytes * n * (inputs + C * signals),
    algorithm: ALGORITHMS[form],
    reason: reasonFor(shape, form, C),
  };
}

const ALGORITHMS: Readonly<Record<KeptForm, string>> = {
  outer: "B o A, from Delta Delta^T and H H^T",
  rows: "J J^T, from J written out",
  pairs: "sum of B o A over pairs of positions",
};

function reasonFor(shape: BlockShape, form: KeptForm, C: number): string {
  if (form === "outer") return "acts once per sample: a row is one outer product";
  if (shape.form === "rows") return "its rows are no sums of outer products";
  const { rows, pairs } = formCosts(shape, C);
  const few = form === "rows" ? rows : pairs;
  const many = form === "rows" ? pairs : rows;
  const other = form === "rows" ? "pairs of positions" : "rows";
  return few.operations <= many.operations
    ? `${short(few.operations)} operations per pair of samples, ${short(many.operations)} by ${other}`
    : `${short(few.numbers)} numbers per sample, ${short(many.numbers)} by ${other}`;
}

/** Two digits and a unit. */
function short(x: number): string {
  const units = [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const;
  const [size, unit] = units.find(([least]) => x >= least) ?? [1, ""];
  return `${Number((x / size).toPrecision(2))}${unit}`;
}
