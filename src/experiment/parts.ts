/**
 * @file Bytes of the parts of a run or a diagnosis, from sizes alone. Letters: N training and N' test samples, n samples of
 * a step, C outputs, K columns of a folded curvature, P parameters, L layers, b bytes per number of the network (8 per
 * number of the solves). Where a part copies its input, the copy is counted. The constants are measured, and
 * test/experiment/memory.test.ts checks them.
 */
import { eigenBytes, matrixBytes, type Fisher, type Memory } from "../fisher/index.ts";
import { MAX_RANK } from "../jacobian/weights.ts";
import { activeShareOf } from "../network/active-share.ts";
import type { Network } from "../network/network.ts";
import {
  isOuter,
  keptForm,
  keptPositions,
  keptSizes,
  positionsOf,
  sizeOf,
  type BlockShape,
} from "../ops/op.ts";
import { workingValues } from "../network/working-values.ts";
import type { Config } from "./config.ts";
import { passes, type Phase } from "./ledger.ts";

/** What the bytes of a run depend on beside its sizes. */
export type PartOptions = Pick<
  Config,
  | "precision"
  | "workers"
  | "damping"
  | "damping_schedule"
  | "kernel_batch_size"
  | "forster_transform"
  | "dataset_path"
  | "init_weights_dir"
  | "save_dataset"
  | "save_init_weights"
>;

/** Sizes, and what follows from them. */
export type Sizes = {
  /** N and N'. */
  readonly train: number;
  readonly test: number;
  /** C, and K where a curvature is folded in. */
  readonly outputs: number;
  readonly columns: number | undefined;
  /** L. */
  readonly layers: number;
  readonly network: Network;
  /** The share of samples on which hidden units are active. */
  readonly activeShare: number;
  /** Values of a layer that the engine holds at a time within one activation, beyond those of a single operation. */
  readonly working: number;
  /** Numbers that are kept of a sample of H and of Delta of all layers (or of rows in their place), the outputs in C rows of their own. */
  readonly inputs: number;
  readonly signals: number;
  /** Those of blocks with one outer product per row alone, whose steps are appended to the weights. */
  readonly outer: { readonly inputs: number; readonly signals: number };
  /** Numbers of a sample beside them where a method looks at all positions. */
  readonly everywhere: number;
  /** P, and the weights of the largest layer. */
  readonly weights: number;
  readonly widest: number;
  /** b. */
  readonly bytes: number;
};

/** The sizes of a network on samples. */
export function sizesOf(
  network: Network,
  { train, test }: { train: number; test: number },
  columns: number | undefined,
  { precision }: Pick<PartOptions, "precision">,
): Sizes {
  const sum = (f: (w: Network["blocks"][number]) => number): number =>
    network.blocks.reduce((total, w) => total + f(w), 0);
  const { outputs: C, blocks } = network;
  const kept = blocks.map((shape) => keptNumbers(shape, C));
  const ofOuter = (f: (w: Network["blocks"][number]) => number): number =>
    sum((shape) => (isOuter(shape) ? f(shape) : 0));
  return {
    train,
    test,
    outputs: C,
    columns,
    layers: network.blocks.length,
    network,
    activeShare: activeShareOf(network),
    working: beyondOne(network, precision),
    inputs: kept.reduce((total, { inputs }) => total + inputs, 0),
    signals: C * kept.reduce((total, { signals }) => total + signals, 0),
    outer: { inputs: ofOuter(({ columns }) => columns), signals: C * ofOuter(({ fanOut }) => fanOut) },
    everywhere: sum((shape) => positionNumbers(shape, C)),
    weights: sum(({ columns, fanOut }) => columns * fanOut),
    widest: Math.max(...network.blocks.map(({ columns, fanOut }) => columns * fanOut)),
    bytes: precision === "float64" ? 8 : 4,
  };
}

/** Numbers of a sample in H and, for each output, in Delta of a block; their mean and sum over positions where it has some. */
function keptNumbers(shape: BlockShape, outputs: number): { inputs: number; signals: number } {
  const { inputs, signals } = keptSizes(shape, outputs);
  if (isOuter(shape) || shape.form === "rows") return { inputs, signals };
  return { inputs: inputs + shape.columns, signals: signals + shape.fanOut };
}

/** Numbers of a sample at all positions of a block that does not keep them anyhow. */
const positionNumbers = (shape: BlockShape, outputs: number): number =>
  keptForm(shape, outputs) === "rows" && shape.form !== "rows"
    ? positionsOf(shape) * (shape.columns + outputs * shape.fanOut)
    : 0;

/** Values at a time of an activation that is one operation. */
const ONE = 3;

/** The most values beyond these that an op without parameters needs at a time; each op is looked at once. */
function beyondOne({ nodes, shapes }: Network, precision: PartOptions["precision"]): number {
  const ops = new Map(nodes.filter(({ block }) => block === undefined).map((node) => [node.op.name, node]));
  const values = [...ops.values()].map(({ op, inputs }) =>
    workingValues(
      op,
      inputs.map((id) => shapes[id]!),
      precision,
    ),
  );
  return Math.max(0, ...values.map((most) => most - ONE));
}

/** Bytes of Node 24 (Node 20 takes less), ONNX Runtime and the program itself, and of a worker with its sessions. */
const PROCESS = 130e6;
const WORKER = 40e6;

/**
 * Numbers per sample between the operations of a pass: on its way forward the inputs and outputs of every block, on its way back these for
 * every output. Where a block acts at T positions they are those of all of them, and its patches once more on the way back.
 */
function passNumbers({ nodes, shapes, blocks, outputs: C }: Network): { forward: number; backward: number } {
  let [forward, backward] = [0, 0];
  for (const block of blocks) {
    const { columns: I, fanOut: O } = block;
    const T = positionsOf(block);
    forward += T * (I + O);
    backward += T === 1 ? I + C * O : T * (I + O) + C * T * (2 * I + O);
  }
  // What is no activation of a layer: sums, normalisations, attention. Measured: every third of them has a place of its own.
  for (const [k, { op, block }] of nodes.entries()) {
    if (block !== undefined || op.slope) continue;
    forward += sizeOf(shapes[k + 1]!) / 3;
    backward += (C * sizeOf(shapes[k + 1]!)) / 3;
  }
  return { forward, backward };
}

/** Bytes of the sessions of a network whose layers act at many positions, beyond those of one that has a single one: measured. */
const SPREAD = 25e6;

/** The process and its workers. Node 20 has a worker copy what it reads, weights above all. */
export function processBytes({ weights, bytes }: Sizes, { workers }: PartOptions): number {
  return PROCESS + (workers > 1 ? workers * (WORKER + bytes * weights) : 0);
}

/** The inputs in float64 and once more in the precision of the engine; and, while they are read, as they came, with copies. */
export function dataPhases(sizes: Sizes, options: PartOptions): Phase[] {
  const { train, test, bytes, network } = sizes;
  const numbers = (train + test) * network.inputs;
  const read = options.dataset_path === undefined ? 1 : 12;
  const own = 8 * numbers;
  const phases: Phase[] = [{ name: "data", kept: own, peak: own + read * numbers }];
  if (options.forster_transform) {
    const span = Math.min(train, network.inputs);
    phases.push(
      passes(
        "data",
        4 * matrixBytes(train, network.inputs) + eigenBytes(Math.min(train, span)) + 4 * matrixBytes(span),
      ),
    );
  }
  if (options.save_dataset) phases.push(passes("data", 3 * bytes * numbers));
  return [...phases, { name: "data", kept: bytes * numbers, peak: bytes * numbers }];
}

/** The weights; those that are read or written have copies, a layer at a time. */
export function weightPhases({ weights, widest, bytes }: Sizes, options: PartOptions): Phase[] {
  const copies = (options.init_weights_dir === undefined ? 0 : 12) + (options.save_init_weights ? 12 : 0);
  return [{ name: "weights", kept: bytes * weights, peak: bytes * weights + copies * widest }];
}

/**
 * What the engine holds while samples go through the network, `tile` of them at a time, n with their way back: every value
 * between two operations has a place of its own, in each lane.
 */
export function tileBytes(
  { signals, bytes, train, test, network, working }: Sizes,
  { workers }: PartOptions,
  tile: number,
  n: number,
): number {
  const all = Math.min(tile, train + test);
  const back = Math.min(tile, n);
  const { forward, backward } = passNumbers(network);
  const isSpread = network.blocks.some((block) => positionsOf(block) > 1);
  const rows = isSpread ? back * signals : 0;
  const values = 3 * (all * forward + back * backward) + rows;
  // Measured: places of layers serve again, and each takes some four of those of one value.
  const widest = Math.max(...network.blocks.map((block) => positionsOf(block) * block.fanOut));
  const within = (isSpread ? 1 : 4) * working * all * widest;
  return workers * ((isSpread ? SPREAD : 0) + bytes * (values + within));
}

/** Tiles of Grams of so many rows: the result of one, and what is between H, Delta and it. */
export function gramTileBytes(
  { layers, bytes, network }: Sizes,
  { workers }: PartOptions,
  rows: number,
): number {
  const side = Math.min(rows, Math.max(256, Math.min(1024, rows / 8)));
  // Products of all pairs of positions are there before they are summed.
  const most = Math.max(...network.blocks.map((shape) => keptPositions(shape, network.outputs)));
  const pairs = most === 1 ? 0 : 3 * Math.min(2048, most * rows) ** 2;
  return workers * bytes * (side ** 2 * Math.min(4, layers + 1) + pairs);
}

/** H and Delta of n samples, and the factors that steps append to the weights, of which H is one. */
export function linearizationBytes(
  { inputs, signals, outer, everywhere, outputs, bytes }: Sizes,
  { needs }: Pick<Fisher, "needs">,
  n: number,
  steps: number,
): number {
  const rank = n < MAX_RANK ? Math.min(MAX_RANK, n * steps) : 0;
  const factors =
    rank === 0 ? 0 : Math.max(rank, n) * (outer.inputs + outer.signals / outputs) - n * outer.inputs;
  const kept = inputs + signals + (needs === "positions" ? everywhere : 0);
  return bytes * (n * kept + factors);
}

/** Bytes of all A_l and B_l between `rows` and `cols` samples with so many outputs. */
export const kernelBytes = (
  { layers }: Pick<Sizes, "layers">,
  rows: number,
  cols: number,
  outputs: number,
): number => layers * 8 * rows * cols * (1 + outputs ** 2);

/** H and Delta of the samples of an empirical kernel, in the linearizer and in copies; Grams of both sides. */
export function stackBytes(
  sizes: Sizes,
  { needs }: Pick<Fisher, "needs">,
  rows: number,
  cols: number,
): number {
  const { inputs, signals, everywhere, bytes } = sizes;
  return (
    bytes *
    (inputs + signals + (needs === "positions" ? everywhere : 0)) *
    (rows + cols + Math.max(rows, cols))
  );
}

/** Tiles of an analytic kernel, of 2^18 numbers or 256 columns. */
export function sweepBytes({ network, train, test }: Sizes, rows = 512): number {
  const all = train + test;
  const numbers = Math.min(all ** 2, Math.max(2 ** 18, 256 * Math.min(rows, all)));
  return 8 * numbers * (network.nodes.length + 3);
}

/** Signals of single units that go with a kernel: those of the network itself, or drawn ones. */
export const signalBytes = ({ signals }: Sizes, samples: number, bytes: number): number =>
  bytes * samples * signals;

/** Covariances of all layers that units are drawn from, their factors, and the draws of a layer. */
export function drawBytes(sizes: Sizes): number {
  const { network, train, test } = sizes;
  const all = train + test;
  const widest = Math.max(...network.blocks.map(({ fanOut }) => fanOut));
  return 2 * network.nodes.length * matrixBytes(all) + 4 * matrixBytes(all) + 3 * matrixBytes(all, widest);
}

/** What a kernel is: how many outputs it covers (1 stands for all of them), and whether its layers are summed. */
export type KernelSort = { readonly outputs: number; readonly summed: boolean };

/**
 * A method on a training kernel of n samples, and its G on sets of samples, `rows` each: what stays, and the peak. Where a
 * curvature is folded in, a kernel of one output is written out for all of them first.
 */
export function moverMemory(
  { columns: K, outputs: C, layers: L, network, activeShare, everywhere }: Sizes,
  { damping }: Pick<PartOptions, "damping">,
  fisher: Fisher,
  sort: KernelSort,
  n: number,
  sets: readonly number[],
): Memory {
  const curved = K !== undefined;
  const outputs = K ?? sort.outputs;
  const copies = sort.summed ? 1 : L;
  const { summed } = sort;
  const layers = network.blocks;
  const cost = fisher.cost({ samples: n, outputs, layers, damped: damping > 0, summed, activeShare });
  const solve = cost.prepare;
  const writtenOut = (rows: number): number =>
    curved && sort.outputs < C ? copies * matrixBytes(rows * C, n * C) : 0;

  const seen = curved ? copies * matrixBytes(n * K) : 0;
  const folding = curved ? matrixBytes(n * C, n * K) + (sort.summed ? matrixBytes(n * C) : 0) : 0;
  let kept = solve.kept + (sort.summed ? 0 : seen);
  // Rows of all positions in float64, beside those that the method itself counts.
  const spread = fisher.needs === "positions" ? 8 * n * everywhere : 0;
  let peak = Math.max(
    writtenOut(n) + folding + seen,
    (sort.summed ? 0 : writtenOut(n) + seen) + solve.peak + spread,
  );
  for (const rows of sets) {
    const cross = curved ? copies * matrixBytes(rows * C, n * K) : 0;
    const own = cost.onto({ samples: rows, outputs: curved ? C : sort.outputs });
    peak = Math.max(peak, kept + writtenOut(rows) + cross + own.peak);
    kept += cross + own.kept;
  }
  return { kept, peak };
}

/** A step of a method on the linearisation of n samples, beside it: Grams, a folded curvature, what it solves with, U. */
export function stepBytes(
  sizes: Sizes,
  { damping, damping_schedule }: Pick<PartOptions, "damping" | "damping_schedule">,
  fisher: Fisher,
  n: number,
  solve: { solver: "gram" | "cg"; rank: number } | undefined,
): number {
  const { columns: K, outputs: C, layers: L, network, bytes, inputs, signals, widest, activeShare } = sizes;
  const curved = K !== undefined;
  const outputs = K ?? C;
  const adaptive = damping_schedule !== "constant";
  // U of a layer, or the largest layer itself where a step is not appended; of rows and pairs also the product of which it is the sum.
  const update =
    bytes *
    n *
    Math.max(...network.blocks.map((w) => (isOuter(w) ? w.fanOut : 2 * C * keptSizes(w, C).signals)));
  const about = { samples: n, outputs, layers: network.blocks, damped: damping > 0 || adaptive, activeShare };
  if (fisher.needs === "ntk" && !adaptive) {
    const { peak } = fisher.cost({ ...about, summed: true, ...solve }).prepare;
    // Products go through a matrix of the size of a layer, one for every size; rows of Theta through H and Delta of theirs.
    if (solve?.solver === "cg")
      return peak + bytes * (2 * widest + Math.min(n, 128) * (inputs + signals)) + update;
    const folding = curved ? matrixBytes(n * C) + matrixBytes(n * C, n * K) + matrixBytes(n * K) : 0;
    return Math.max(folding, peak) + update;
  }
  const cost = fisher.cost(about);
  const spread = fisher.needs === "positions" ? 8 * n * sizes.everywhere : 0;
  const grams = kernelBytes(sizes, n, n, C);
  const folding = curved ? L * matrixBytes(n * K) + matrixBytes(n * C, n * K) : 0;
  const { kept, peak } = cost.solve;
  const model = adaptive
    ? cost.onto({ samples: n, outputs: C }).peak + (curved ? L * matrixBytes(n * C, n * K) : 0)
    : 0;
  return (
    grams +
    folding +
    Math.max(
      cost.prepare.peak + spread,
      cost.prepare.kept + Math.max(peak, kept + model, kept + (3 * kept) / L + update),
    )
  );
}
