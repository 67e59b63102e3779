/**
 * @file Files of an experiment beside its dataset: kernels as one `.npz`, initial weights as `W{l}.npy`
 * [fanIn, fanOut] and `b{l}.npy` [fanOut] of unit variance, the layout of Neural Tangents.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readWhole, writeWhole } from "../data/node/files.ts";
import { readNpz, writeNpz } from "../matrix/npz.ts";
import { InputError } from "../error.ts";
import type { Engine, FloatArray } from "../graph/engine.ts";
import { dampingOf, type Kernel, type LayerKernel } from "../kernel/kernel.ts";
import type { KernelPair } from "../kernel/units.ts";
import type { Matrix } from "../matrix/matrix.ts";
import { npyMatrix, readNpy, writeNpy, type NpySource } from "../matrix/npy.ts";
import type { Network } from "../network/network.ts";

const source = (m: Matrix): NpySource => ({ shape: [m.rows, m.cols], data: m.data });

/** Saves kernels: `{train,test}_{A,B}{l}` a layer, and `shape` = [outputs, copies, epsilon]. */
export async function saveKernels(path: string, { train, test }: KernelPair): Promise<void> {
  const arrays: Record<string, NpySource> = {
    shape: { shape: [3], data: Float64Array.of(train.outputs, train.copies, train.epsilon) },
  };
  for (const [side, kernel] of Object.entries({ train, test })) {
    for (const [l, { inputGram, signalGram }] of kernel.layers.entries()) {
      arrays[`${side}_A${l + 1}`] = source(inputGram);
      arrays[`${side}_B${l + 1}`] = source(signalGram);
    }
  }
  await writeWhole(path, writeNpz(arrays));
}

/**
 * Loads kernels and checks them against the network and the numbers of samples of this run.
 * @throws InputError when an array is missing or has another shape.
 */
export async function loadKernels(
  path: string,
  network: Network,
  samples: { train: number; test: number },
): Promise<KernelPair> {
  const arrays = await readNpz(await readWhole(path), path);
  const get = (name: string): Matrix => {
    const array = arrays.get(name);
    if (!array)
      throw new InputError(`npz ${path}: wanted an array ${name}, got none (not a kernel of natgrad?)`);
    const m = npyMatrix(array, `${path} (${name})`);
    if (!m.data.every(Number.isFinite)) {
      throw new InputError(`npz ${path}: wanted finite numbers in ${name}, got NaN or Infinity`);
    }
    return { ...m, data: Float64Array.from(m.data) };
  };
  const [outputs = 1, copies = 1, epsilon = 2 ** -52] = get("shape").data;
  if (outputs * copies !== network.outputs) {
    throw new InputError(
      `npz ${path}: wanted a kernel of ${network.outputs} outputs, got ${outputs * copies}`,
    );
  }
  const last = network.weights.length - 1;
  const side = (name: "train" | "test"): Kernel => ({
    samples: samples.train,
    outputs,
    copies,
    epsilon,
    layers: network.weights.map(({ fanIn, fanOut, rows, scales }, l): LayerKernel => {
      const inputGram = get(`${name}_A${l + 1}`);
      const signalGram = get(`${name}_B${l + 1}`);
      expectShape(path, `${name}_A${l + 1}`, inputGram, samples[name], samples.train);
      expectShape(path, `${name}_B${l + 1}`, signalGram, samples[name] * outputs, samples.train * outputs);
      const infinite = copies > 1 || epsilon === 2 ** -52;
      const inputRank = infinite && l > 0 ? Infinity : rows;
      const signalRank = l === last ? outputs : infinite ? Infinity : fanOut;
      const sizes = { fanIn, fanOut, columns: rows };
      return { ...sizes, ...dampingOf(scales), inputRank, signalRank, inputGram, signalGram };
    }),
  });
  return { train: side("train"), test: side("test") };
}

function expectShape(path: string, name: string, m: Matrix, rows: number, cols: number): void {
  if (m.rows !== rows || m.cols !== cols) {
    throw new InputError(`npz ${path}: wanted ${name} of ${rows} x ${cols}, got ${m.rows} x ${m.cols}`);
  }
}

/** Saves theta_l [fanOut, rows] of every layer as `W{l}.npy` and, where there are biases, `b{l}.npy`. */
export async function saveWeights(
  folder: string,
  network: Network,
  thetas: readonly FloatArray[],
): Promise<void> {
  for (const [l, { fanIn, fanOut, rows, scales }] of network.weights.entries()) {
    const theta = thetas[l]!;
    const W = new Float32Array(fanIn * fanOut);
    for (let o = 0; o < fanOut; o++) {
      for (let i = 0; i < fanIn; i++) W[i * fanOut + o] = theta[o * rows + i]! / scales.weightStd;
    }
    await writeWhole(join(folder, `W${l + 1}.npy`), writeNpy({ shape: [fanIn, fanOut], data: W }));
    if (rows === fanIn) continue;
    const b = Float32Array.from({ length: fanOut }, (_, o) => theta[o * rows + fanIn]! / scales.biasStd);
    await writeWhole(join(folder, `b${l + 1}.npy`), writeNpy({ shape: [fanOut], data: b }));
  }
}

/**
 * Loads `W{l}.npy` and `b{l}.npy` (zeros where a layer has biases and no file holds them).
 * @throws InputError when a file is missing, or its shape is not that of the layer.
 */
export async function loadWeights(folder: string, engine: Engine, network: Network): Promise<FloatArray[]> {
  const thetas: FloatArray[] = [];
  for (const [l, { fanIn, fanOut, rows, scales }] of network.weights.entries()) {
    const path = join(folder, `W${l + 1}.npy`);
    const { shape, data: W } = readNpy(await readWhole(path), path);
    if (shape.length !== 2 || shape[0] !== fanIn || shape[1] !== fanOut) {
      throw new InputError(`${path}: wanted shape [${fanIn}, ${fanOut}], got [${shape.join(", ")}]`);
    }
    const theta = engine.floats(fanOut * rows);
    for (let i = 0; i < fanIn; i++) {
      for (let o = 0; o < fanOut; o++) theta[o * rows + i] = scales.weightStd * W[i * fanOut + o]!;
    }
    const biasPath = join(folder, `b${l + 1}.npy`);
    if (rows > fanIn && existsSync(biasPath)) {
      const { data: b } = readNpy(await readWhole(biasPath), biasPath);
      if (b.length !== fanOut) throw new InputError(`${biasPath}: wanted ${fanOut} numbers, got ${b.length}`);
      for (let o = 0; o < fanOut; o++) theta[o * rows + fanIn] = scales.biasStd * b[o]!;
    }
    if (!theta.every(Number.isFinite)) {
      throw new InputError(`${path}: wanted finite numbers, got NaN or Infinity`);
    }
    thetas.push(theta);
  }
  return thetas;
}
