/**
 * @file Kernels of an experiment as one `.npz`: `{train,test}_{A,B}{l}` of every layer, `{train,test}_Delta{l}` where the kernel
 * has the signals of single units, `shape` = [outputs, copies, epsilon], and `identity`, what the kernel was made of (identity.ts).
 */
import { writeWhole } from "../data/node/files.ts";
import { loadArrays } from "../data/node/npz.ts";
import { InputError } from "../error.ts";
import type { Fisher } from "../fisher/index.ts";
import { dampingOf, type BlockParts } from "../kernel/block.ts";
import { blocksKernel, blocksOf, type Kernel } from "../kernel/kernel.ts";
import type { KernelPair } from "../kernel/units.ts";
import { asFloat64, type Floats, type Matrix } from "../linalg/matrix.ts";
import { npyMatrix, type NpyArray, type NpySource } from "../linalg/npy.ts";
import { ARCHIVE_LIMIT, npzParts } from "../linalg/npz.ts";
import { neighboursIn, type Network } from "../network/network.ts";
import { isOuter } from "../ops/op.ts";
import { sizeText } from "./bytes.ts";
import type { Config } from "./config.ts";
import { OptionError } from "./remedy.ts";
import {
  decodeIdentity,
  difference,
  encodeIdentity,
  identityOf,
  originOf,
  type KernelIdentity,
  type KernelOrigin,
  type KernelSource,
} from "./identity.ts";

const source = (m: Matrix<Floats>): NpySource => ({ shape: [m.rows, m.cols], data: m.data });

/**
 * Checks that kernels of a network can be saved and loaded: those that have an A and a B for every block.
 * @throws InputError naming the option, and the block that has none.
 */
export function demandSavable(
  { save_kernel, kernel_path }: Pick<Config, "save_kernel" | "kernel_path">,
  { nodes, blocks }: Network,
): void {
  const option = kernel_path !== undefined ? "kernel_path" : save_kernel ? "save_kernel" : undefined;
  const node = nodes.find(({ block }) => block !== undefined && !isOuter(blocks[block]!));
  if (option === undefined || node === undefined) return;
  throw new InputError(
    `${option}: wanted a network whose layers with weights act once per sample, got one with ${node.op.name}`,
  );
}

/** Sizes of a kernel that is to be saved. */
type KernelSizes = {
  readonly samples: { readonly train: number; readonly test: number };
  readonly network: Network;
  /** Outputs that the signal Grams cover: 1, or C. */
  readonly outputs: number;
  /** Bytes of a number of the signals of units; 0 where they are not saved. */
  readonly signalBytes: number;
};

/** Bytes of the file of a kernel, without its headers of some thousand bytes. */
export function kernelFileBytes({ samples, network, outputs, signalBytes }: KernelSizes): number {
  const rows = samples.train + samples.test;
  const grams = 8 * network.blocks.length * rows * samples.train * (1 + outputs ** 2);
  const units = network.blocks.reduce((sum, { fanOut }) => sum + fanOut, 0);
  return grams + signalBytes * rows * network.outputs * units;
}

/**
 * Checks that a kernel can be saved, before it is made.
 * @throws OptionError with the figures.
 */
export function checkKernelFile(sizes: KernelSizes): void {
  const bytes = kernelFileBytes(sizes);
  if (bytes + 1e6 < ARCHIVE_LIMIT) return;
  throw new OptionError(
    `save_kernel: wanted a file below ${sizeText(ARCHIVE_LIMIT)}, got one of ${sizeText(bytes)}`,
    [{ option: "train_size", change: "smaller" }],
  );
}

/**
 * Saves kernels and their identity. The arrays are written as they are, so that it takes next to no memory.
 * @param signals whether to save the signals of units, where the kernels have them: N C (N + N') times the units
 * @throws InputError when the file cannot be written, or would have 4 GiB or more.
 */
export async function saveKernels(
  path: string,
  { train, test }: KernelPair,
  origin: KernelOrigin,
  { signals = false }: { signals?: boolean } = {},
): Promise<void> {
  const identity = encodeIdentity(identityOf(origin, blocksOf(train)));
  const arrays: Record<string, NpySource> = {
    identity: { shape: [identity.length], data: identity },
    shape: { shape: [3], data: Float64Array.of(train.outputs, train.copies, train.epsilon) },
  };
  for (const [side, kernel] of Object.entries({ train, test })) {
    for (const [l, layer] of blocksOf(kernel).entries()) {
      const { A, B } = await layer.factors();
      arrays[`${side}_A${l + 1}`] = source(A);
      arrays[`${side}_B${l + 1}`] = source(B);
      if (signals && layer.units) arrays[`${side}_Delta${l + 1}`] = source((await layer.units()).rows);
    }
  }
  await writeWhole(path, npzParts(arrays));
}

/** What loading must know of a method: its name, and whether it needs the signals of units. */
export type Method = Pick<Fisher, "name" | "needs">;

/**
 * Loads kernels with all that they were saved with. They must be made of what this run would make its own of.
 * @param method the method that they are for
 * @throws InputError when an array is missing or has another shape, or when the kernel is of something else, which is named.
 */
export async function loadKernels(path: string, run: KernelSource, method: Method): Promise<KernelPair> {
  const { network, dataset } = run;
  const samples = { train: dataset.xTrain.rows, test: dataset.xTest.rows };
  const arrays = await loadArrays(path, run.config.memory_limit);
  const get = reader(arrays, path);
  const { outputs, copies, epsilon } = shapeOf(get("shape"), network, path);
  // Sizes are checked first: an error about a size says more than one about the digest, which differs with it.
  const grams = (["train", "test"] as const).map((side) =>
    network.blocks.map((_, l) => {
      const names = [`${side}_A${l + 1}`, `${side}_B${l + 1}`] as const;
      const [A, B] = [asFloat64(get(names[0])), asFloat64(get(names[1]))];
      expectShape(path, names[0], A, samples[side], samples.train);
      expectShape(path, names[1], B, samples[side] * outputs, samples.train * outputs);
      return { A, B };
    }),
  );
  const identity = decodeIdentity(arrays.get("identity"), path);
  const usesUnits = method.needs === "units";
  checkOrigin(identity, run, method, arrays.has("train_Delta1"), path);
  const signals = (side: "train" | "test", l: number): Matrix<Floats> => {
    const array = `${side}_Delta${l + 1}`;
    const delta = get(array);
    expectShape(path, array, delta, samples[side] * outputs, network.blocks[l]!.fanOut);
    return delta;
  };
  const neighbours = neighboursIn(network);
  const train = usesUnits ? network.blocks.map((_, l) => signals("train", l)) : [];
  const kernel = (side: "train" | "test", own: (typeof grams)[number]): Kernel => {
    const head = {
      source: identity.kernel,
      rows: samples[side],
      cols: samples.train,
      outputs,
      copies,
      epsilon,
    };
    const blocks = network.blocks.map(({ fanIn, fanOut, columns, scales }, l): BlockParts => ({
      fanIn,
      fanOut,
      columns,
      ...dampingOf(scales),
      neighbours: neighbours[l]!,
      inputRank: identity.input_ranks[l] ?? Infinity,
      signalRank: identity.signal_ranks[l] ?? Infinity,
      ...own[l]!,
      ...(usesUnits
        ? { units: { rows: side === "train" ? train[l]! : signals(side, l), train: train[l]! } }
        : {}),
    }));
    return blocksKernel(head, blocks);
  };
  return { train: kernel("train", grams[0]!), test: kernel("test", grams[1]!) };
}

/** @throws InputError when the kernel of a file is not of what this run would make it of, or lacks what the method needs. */
function checkOrigin(
  identity: KernelIdentity,
  run: KernelSource,
  { name, needs }: Method,
  hasSignals: boolean,
  path: string,
): void {
  const usesUnits = needs === "units";
  // Units that the method does not use may be of any seed.
  const got = usesUnits ? identity : { ...identity, units: null };
  const unlike = difference(originOf(identity.kernel, run, usesUnits && hasSignals), got);
  if (unlike) {
    throw new InputError(
      `kernel_path: wanted a kernel of ${unlike.wanted}, got one of ${unlike.got} (${path})`,
    );
  }
  if (usesUnits && !hasSignals) {
    throw new InputError(
      `kernel_path: wanted a kernel with the signals of its units for ${name}, as a run of ${name} saves it, got Grams alone (${path})`,
    );
  }
}

/** Arrays of a file by name, as finite matrices. */
const reader =
  (arrays: ReadonlyMap<string, NpyArray>, path: string) =>
  (name: string): Matrix<Floats> => {
    const array = arrays.get(name);
    if (!array)
      throw new InputError(`npz ${path}: wanted an array ${name}, got none (not a kernel of natgrad?)`);
    const m = npyMatrix(array, `${path} (${name})`);
    if (!m.data.every(Number.isFinite)) {
      throw new InputError(`npz ${path}: wanted finite numbers in ${name}, got NaN or Infinity`);
    }
    return m;
  };

/** Outputs, copies and epsilon of a kernel. */
function shapeOf(
  { data }: Matrix<Floats>,
  network: Network,
  path: string,
): Pick<Kernel, "outputs" | "copies" | "epsilon"> {
  const [outputs = NaN, copies = NaN, epsilon = NaN] = data;
  const whole = [outputs, copies].every((n) => Number.isInteger(n) && n >= 1);
  if (data.length !== 3 || !whole || !(epsilon > 0 && epsilon < 1)) {
    throw new InputError(`npz ${path}: wanted shape = [outputs, copies, epsilon], got [${data.join(", ")}]`);
  }
  if (outputs * copies !== network.outputs) {
    throw new InputError(
      `npz ${path}: wanted a kernel of ${network.outputs} outputs, got ${outputs * copies}`,
    );
  }
  return { outputs, copies, epsilon };
}

function expectShape(path: string, name: string, m: Matrix<Floats>, rows: number, cols: number): void {
  if (m.rows !== rows || m.cols !== cols) {
    throw new InputError(`npz ${path}: wanted ${name} of ${rows} x ${cols}, got ${m.rows} x ${m.cols}`);
  }
}
