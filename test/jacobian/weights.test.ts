/**
 * @file Low-rank weights: the same network whether updates sit in factors or in the wide matrix.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exact } from "../../src/fisher/index.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createUpdater } from "../../src/jacobian/update.ts";
import { createFolder, createWeights, factorsOf, MAX_RANK, rankOf } from "../../src/jacobian/weights.ts";
import { mse } from "../../src/loss/mse.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { initialise } from "../../src/network/initialise.ts";
import { mlp } from "../../src/network/mlp.ts";
import { randomState } from "../../src/random/random-state.ts";
import { relativeError, tiny, tinyCase } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

describe("weights with low-rank factors", () => {
  it("give the outputs and the linearisation of the folded weights", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), async (sizes) => {
        const { engine, linearizer, weights, train } = await tiny(sizes);
        const first = await linearizer.linearize(weights, train);
        const updater = createUpdater(engine);
        for (const [l, layer] of first.layers.entries()) {
          const values = Float64Array.from({ length: layer.signals.rows }, (_, i) => 0.1 * (i + 1));
          await updater.apply(weights[l]!, layer, { kind: "per-sample", values }, 0.3);
        }
        expect(weights.every((layer) => rankOf(layer) === sizes.samples)).toBe(true);
        const factored = await linearizer.linearize(weights, train);
        const kept = factored.layers.map(({ inputs, signals }) => [
          inputs.data.slice(),
          signals.data.slice(),
        ]);
        const f = factored.outputs.data;

        const folder = createFolder(engine);
        for (const layer of weights) await folder.fold(layer);
        expect(weights.every((layer) => rankOf(layer) === 0)).toBe(true);
        const folded = await linearizer.linearize(weights, train);
        expect(relativeError(folded.outputs.data, f)).toBeLessThan(TOLERANCE.twin);
        for (const [l, { inputs, signals }] of folded.layers.entries()) {
          expect(relativeError(inputs.data, kept[l]![0]!)).toBeLessThan(TOLERANCE.twin);
          expect(relativeError(signals.data, kept[l]![1]!)).toBeLessThan(TOLERANCE.twin);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("are folded in place, so that the array given at the start is the one that moves", async () => {
    const engine = await createEngine({ threads: 1 });
    const network = mlp(4, { depth: 1, outputs: 3 });
    const base = new Float32Array(12);
    const [layer] = createWeights(network, [base]);
    const left = engine.tensor(Float32Array.of(1, 2, 3, 4), [1, 4]);
    const right = engine.tensor(Float32Array.of(1, 0, -1), [1, 3]);
    const folder = createFolder(engine);
    await folder.accumulate(layer!, left, right);
    await folder.accumulate(layer!, left, right);
    expect([...base]).toEqual([2, 4, 6, 8, 0, 0, 0, 0, -2, -4, -6, -8]);
  });

  it("are left alone by linearisations, so that two linearizers on one set of weights do not disturb each other", async () => {
    const sizes = { depth: 3, inputs: 4, width: 6, outputs: 2, samples: 5, bias: true, seed: 9 };
    const { engine, network, linearizer, weights, train, labels } = await tiny(sizes);
    const other = await createLinearizer(engine, network);
    const trainer = createTrainer(linearizer, weights, exact, mse, { x: train, y: labels });
    await trainer.step({ learningRate: 0.3, damping: 1e-2 });

    const first = await linearizer.linearize(weights, train);
    const inputs = first.layers.map((layer) => [...layer.inputs.data]);
    const before = weights.map((layer) => [[...layer.base], [...factorsOf(layer).left]]);
    await other.linearize(weights, { ...train, data: train.data.map((x) => 7 - x) });
    expect(first.layers.map((layer) => [...layer.inputs.data])).toEqual(inputs);
    expect(weights.map((layer) => [[...layer.base], [...factorsOf(layer).left]])).toEqual(before);

    // An update is of the linearisation that it is given, whoever looked at the weights since.
    const updater = createUpdater(engine);
    const places = await updater.makeRoom(weights, sizes.samples);
    const lent = places.map((place) => place?.inputs);
    const second = await linearizer.linearize(weights, train, sizes.samples, { inputs: lent });
    await other.linearize(weights, { ...train, data: train.data.map((x) => 7 - x) });
    for (const [l, layer] of second.layers.entries()) {
      const values = Float64Array.from({ length: layer.signals.rows }, (_, i) => 0.1 * (i + 1));
      await updater.apply(weights[l]!, layer, { kind: "per-sample", values }, 0.3, places[l]);
      expect([...factorsOf(weights[l]!).left.subarray(-inputs[l]!.length)]).toEqual(inputs[l]);
    }
  });

  it(`never pass rank ${MAX_RANK} over many steps, nor change what is learnt`, async () => {
    const network = mlp(10, { depth: 3, width: 32 });
    const N = 70;
    const x = matrix(N, 10, randomState(1).normalsInto(new Float32Array(N * 10)));
    const y = matrix(N, 1, randomState(2).normalsInto(new Float64Array(N)));
    const losses: number[][] = [];
    // N = 70 keeps factors and folds every third step; the same samples five times over (350) fold at once.
    for (const copies of [1, 5]) {
      const engine = await createEngine({ precision: "float64" });
      const linearizer = await createLinearizer(engine, network);
      const weights = createWeights(network, initialise(engine, network, 3));
      const rows = (m: typeof x | typeof y) =>
        Float64Array.from({ length: copies * m.data.length }, (_, i) => m.data[i % m.data.length]!);
      const batch = { x: matrix(copies * N, 10, rows(x)), y: matrix(copies * N, 1, rows(y)) };
      const trainer = createTrainer(linearizer, weights, exact, mse, batch);
      const seen: number[] = [];
      for (let t = 0; t < 12; t++) {
        const { before } = await trainer.step({ learningRate: 0.3, damping: 1e-2 });
        seen.push(mse.value(before.train, batch.y));
        expect(weights.every((layer) => rankOf(layer) <= MAX_RANK)).toBe(true);
      }
      losses.push(seen);
    }
    expect(relativeError(losses[1]!, losses[0]!)).toBeLessThan(1e-7);
    expect(losses[0]!.at(-1)).toBeLessThan(losses[0]![0]! / 3);
  });
});

describe("the float32 engine", () => {
  it("linearises as float64 does, to float32 rounding", async () => {
    const network = mlp(20, { depth: 3, width: 64, outputs: 2, biasVariance: 0.1 });
    const x = randomState(5).normalsInto(new Float32Array(160));
    const results = [];
    for (const precision of ["float32", "float64"] as const) {
      const engine = await createEngine({ precision });
      const weights = createWeights(network, initialise(engine, network, 4));
      const linearizer = await createLinearizer(engine, network);
      results.push(await linearizer.linearize(weights, matrix(8, 20, x), 5));
    }
    const [single, double] = results;
    expect(relativeError(single!.outputs.data, double!.outputs.data)).toBeLessThan(TOLERANCE.float32);
    for (const [l, { inputs, signals }] of double!.layers.entries()) {
      expect(inputs.rows).toBe(5);
      expect(signals.rows).toBe(10);
      expect(relativeError(single!.layers[l]!.inputs.data, inputs.data)).toBeLessThan(TOLERANCE.float32);
      expect(relativeError(single!.layers[l]!.signals.data, signals.data)).toBeLessThan(TOLERANCE.float32);
    }
  });
});
