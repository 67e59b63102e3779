/**
 * @file Files of an experiment beside its dataset: kernels as one `.npz`, initial weights as `W{l}.npy`
 * [fanIn, fanOut] and `b{l}.npy` [fanOut] of unit variance, the layout of Neural Tangents.
 */
import { readWhole, writeWhole } from "../data/node/files.ts";
import { readNpz, writeNpz } from "../matrix/npz.ts";
import { InputError } from "../error.ts";
import { dampingOf, type Kernel, type LayerKernel } from "../kernel/kernel.ts";
import type { KernelPair } from "../kernel/units.ts";
import type { Matrix } from "../matrix/matrix.ts";
import { npyMatrix, type NpySource } from "../matrix/npy.ts";
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
      return { fanIn, fanOut, ...dampingOf(scales), inputRank, signalRank, inputGram, signalGram };
    }),
  });
  return { train: side("train"), test: side("test") };
}

function expectShape(path: string, name: string, m: Matrix, rows: number, cols: number): void {
  if (m.rows !== rows || m.cols !== cols) {
    throw new InputError(`npz ${path}: wanted ${name} of ${rows} x ${cols}, got ${m.rows} x ${m.cols}`);
  }
}
