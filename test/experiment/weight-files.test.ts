/** @file Initial weights as files: sets that are saved whole, and what is refused of a folder that is read. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadWeights, saveWeights } from "../../src/experiment/weight-files.ts";
import type { Engine, FloatArray } from "../../src/engine/engine.ts";
import { writeNpy } from "../../src/linalg/npy.ts";
import { mlp, type MlpOptions } from "../../src/network/mlp.ts";

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "natgrad-weights-"))));
afterEach(() => rm(folder, { recursive: true }));

/** All of an engine that weights need. */
const engine = { floats: (length: number) => new Float32Array(length) } as unknown as Engine;

const network = (options: MlpOptions = {}) => mlp(3, { depth: 3, width: 4, ...options });
const plain = network();
const biased = network({ biasVariance: 1 });

/** theta of every layer, counting up from `start`. */
const thetasOf = ({ blocks }: typeof plain, start: number): FloatArray[] =>
  blocks.map(({ fanOut, columns }, l) =>
    Float32Array.from({ length: fanOut * columns }, (_, i) => start + 100 * l + i),
  );
const load = (net = plain) => loadWeights(folder, engine, net);
const put = (name: string, shape: number[], fill = 1) =>
  writeFile(
    join(folder, name),
    writeNpy({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(fill) }),
  );
const listing = async () => (await readdir(folder)).toSorted();

describe("saveWeights", () => {
  it("writes what loadWeights reads, over another set too, and leaves other files alone", async () => {
    await put("W9.npz", [1]);
    await writeFile(join(folder, "notes.txt"), "mine");
    await saveWeights(
      folder,
      network({ depth: 5, biasVariance: 1 }),
      thetasOf(network({ depth: 5, biasVariance: 1 }), 1),
    );
    for (const net of [biased, plain]) {
      const thetas = thetasOf(net, 7);
      await saveWeights(folder, net, thetas);
      expect(await load(net)).toEqual(thetas);
    }
    expect(await listing()).toEqual(["W1.npy", "W2.npy", "W3.npy", "W9.npz", "notes.txt"]);
    expect(await readFile(join(folder, "notes.txt"), "utf8")).toBe("mine");
  });

  it("that fails in the middle leaves the weights that were there", async () => {
    const before = thetasOf(plain, 1);
    await saveWeights(folder, plain, before);
    const names = await listing();
    const [first, , third] = thetasOf(plain, 1000);
    const broken = [first!, undefined as unknown as FloatArray, third!];
    await expect(saveWeights(folder, plain, broken)).rejects.toThrow();
    expect(await load()).toEqual(before);
    expect(await listing()).toEqual(names);
  });
});

describe("loadWeights", () => {
  const layers = async (net = plain) => {
    for (const [l, { fanIn, fanOut }] of net.blocks.entries()) await put(`W${l + 1}.npy`, [fanIn, fanOut]);
  };
  const biases = async (shape = (fanOut: number) => [fanOut]) => {
    for (const [l, { fanOut }] of plain.blocks.entries()) await put(`b${l + 1}.npy`, shape(fanOut));
  };

  it("wants the biases of a network that has them", async () => {
    await layers();
    await expect(load(biased)).rejects.toThrow(
      /b1\.npy: wanted the biases of layer 1 \(bias_variance is above 0\), got no file$/,
    );
    await biases();
    expect(await load(biased)).toHaveLength(3);
    // Neural Tangents keeps them as rows.
    await biases((fanOut) => [1, fanOut]);
    expect(await load(biased)).toHaveLength(3);
    await put("b2.npy", [2, 2]);
    await expect(load(biased)).rejects.toThrow(/b2\.npy: wanted shape \[4\], got \[2, 2\]$/);
  });

  it("refuses biases of a network that has none, and layers of another", async () => {
    await layers();
    await put("b2.npy", [4]);
    await expect(load()).rejects.toThrow(
      /b2\.npy: wanted no biases \(bias_variance is 0\), got a file of them$/,
    );
    await rm(join(folder, "b2.npy"));
    expect(await load()).toHaveLength(3);
    await put("W4.npy", [1, 1]);
    await expect(load()).rejects.toThrow(/W4\.npy: wanted weights of 3 layers, got a file of another$/);
  });

  it("names the file in which a number is not finite", async () => {
    await layers();
    await biases();
    await put("b2.npy", [4], NaN);
    await expect(load(biased)).rejects.toThrow(/b2\.npy: wanted finite numbers, got NaN or Infinity$/);
    await put("W2.npy", [4, 4], Infinity);
    await expect(load(biased)).rejects.toThrow(/W2\.npy: wanted finite numbers, got NaN or Infinity$/);
  });

  it("says which file is missing", async () => {
    await expect(loadWeights(join(folder, "none"), engine, plain)).rejects.toThrow(
      /none\/W1\.npy: wanted a readable file, got ENOENT$/,
    );
  });
});
