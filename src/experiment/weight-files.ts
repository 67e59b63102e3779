/**
 * @file Initial weights as files: `W{l}.npy` [fanIn, fanOut] and `b{l}.npy` [fanOut] of unit variance in one folder, layers
 * counted from 1, the layout of Neural Tangents. A folder holds one set of weights: saving replaces the whole set, and a set that
 * is loaded must have the files of all layers and biases of the network, and of no others.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeSet, type SetFile } from "../data/node/file-set.ts";
import { readWhole } from "../data/node/files.ts";
import { InputError } from "../error.ts";
import type { Engine, FloatArray } from "../engine/engine.ts";
import { readNpy, writeNpy } from "../linalg/npy.ts";
import type { Network } from "../network/network.ts";

/** `W3.npy`, `b12.npy`. */
const MEMBER = /^([Wb])([1-9]\d*)\.npy$/;

/**
 * Saves theta_l [fanOut, columns] of every layer as `W{l}.npy` and, where there are biases, `b{l}.npy`, in place of the set
 * in `folder`. Other files there stay as they are.
 * @throws InputError naming what cannot be written; the folder then holds the set that it held.
 */
export const saveWeights = (folder: string, network: Network, thetas: readonly FloatArray[]): Promise<void> =>
  writeSet(folder, filesOf(network, thetas), (name) => MEMBER.test(name));

function* filesOf(network: Network, thetas: readonly FloatArray[]): Generator<SetFile> {
  for (const [l, { fanIn, fanOut, columns, scales }] of network.blocks.entries()) {
    const theta = thetas[l]!;
    const W = new Float32Array(fanIn * fanOut);
    for (let o = 0; o < fanOut; o++) {
      for (let i = 0; i < fanIn; i++) W[i * fanOut + o] = theta[o * columns + i]! / scales.weightStd;
    }
    yield [`W${l + 1}.npy`, writeNpy({ shape: [fanIn, fanOut], data: W })];
    if (columns === fanIn) continue;
    const b = Float32Array.from({ length: fanOut }, (_, o) => theta[o * columns + fanIn]! / scales.biasStd);
    yield [`b${l + 1}.npy`, writeNpy({ shape: [fanOut], data: b })];
  }
}

/**
 * Loads `W{l}.npy` and `b{l}.npy`, the latter [fanOut] or [1, fanOut].
 * @throws InputError naming the file that is missing, is not of this network, or has a wrong shape or wrong numbers.
 */
export async function loadWeights(folder: string, engine: Engine, network: Network): Promise<FloatArray[]> {
  await refuseStrangers(folder, network);
  const thetas: FloatArray[] = [];
  for (const [l, layer] of network.blocks.entries()) {
    thetas.push(await loadLayer(folder, l + 1, engine, layer));
  }
  return thetas;
}

/** theta [fanOut, columns] of layer `l`, counted from 1. */
async function loadLayer(
  folder: string,
  l: number,
  engine: Engine,
  { fanIn, fanOut, columns, scales }: Network["blocks"][number],
): Promise<FloatArray> {
  const theta = engine.floats(fanOut * columns);
  const path = join(folder, `W${l}.npy`);
  const { shape, data: W } = readNpy(await readWhole(path), path);
  if (shape.length !== 2 || shape[0] !== fanIn || shape[1] !== fanOut) {
    throw new InputError(`${path}: wanted shape [${fanIn}, ${fanOut}], got [${shape.join(", ")}]`);
  }
  for (let i = 0; i < fanIn; i++) {
    for (let o = 0; o < fanOut; o++) theta[o * columns + i] = scales.weightStd * W[i * fanOut + o]!;
  }
  // Checked after the conversion to the engine's precision, so that overflow shows too; the biases are not in it yet.
  expectFinite(theta, path);
  if (columns === fanIn) return theta;

  const biasPath = join(folder, `b${l}.npy`);
  if (!existsSync(biasPath)) {
    throw new InputError(
      `${biasPath}: wanted the biases of layer ${l} (bias_variance is above 0), got no file`,
    );
  }
  const { shape: size, data: b } = readNpy(await readWhole(biasPath), biasPath);
  if (b.length !== fanOut || size.at(-1) !== fanOut || size.length > 2) {
    throw new InputError(`${biasPath}: wanted shape [${fanOut}], got [${size.join(", ")}]`);
  }
  for (let o = 0; o < fanOut; o++) theta[o * columns + fanIn] = scales.biasStd * b[o]!;
  expectFinite(theta, biasPath);
  return theta;
}

/** @throws InputError for a file of a layer that this network does not have, or of biases where it has none. */
async function refuseStrangers(folder: string, network: Network): Promise<void> {
  // For a folder that is not there, the first missing file is reported.
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names.toSorted()) {
    const [, kind, digits] = MEMBER.exec(name) ?? [];
    if (kind === undefined) continue;
    const layer = network.blocks[Number(digits) - 1];
    const path = join(folder, name);
    if (!layer) {
      throw new InputError(
        `${path}: wanted weights of ${network.blocks.length} layers, got a file of another`,
      );
    }
    if (kind === "b" && layer.columns === layer.fanIn) {
      throw new InputError(`${path}: wanted no biases (bias_variance is 0), got a file of them`);
    }
  }
}

function expectFinite(theta: FloatArray, path: string): void {
  if (!theta.every(Number.isFinite))
    throw new InputError(`${path}: wanted finite numbers, got NaN or Infinity`);
}
