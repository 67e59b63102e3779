/**
 * @file The engine of workers: bit for bit the engine in this thread, whatever the number of workers; and how it ends.
 */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/error.ts";
import { createTrainer } from "../../../src/dynamics/trainer.ts";
import { exact } from "../../../src/fisher/exact.ts";
import { createEngine, type Engine } from "../../../src/engine/engine.ts";
import { createGraph, type Precision } from "../../../src/engine/graph.ts";
import { createWorkerEngine } from "../../../src/engine/node/worker-engine.ts";
import { gemm, reshapeTo } from "../../../src/engine/ops.ts";
import { empiricalKernel } from "../../../src/kernel/empirical.ts";
import { createGrams } from "../../../src/kernel/gram.ts";
import { createJacobian } from "../../../src/jacobian/jacobian.ts";
import { createLinearizer } from "../../../src/jacobian/linearize.ts";
import { createWeights, factorsOf } from "../../../src/jacobian/weights.ts";
import { mse } from "../../../src/loss/mse.ts";
import { matrix, type Floats } from "../../../src/linalg/matrix.ts";
import { product } from "../../../src/linalg/product.ts";
import { initialise } from "../../../src/network/initialise.ts";
import { mlp } from "../../../src/network/mlp.ts";
import { randomState } from "../../../src/random/random-state.ts";
import { partsOf } from "../../support/kernels.ts";

const N = 45;

/** Everything that runs on lanes, in small tiles: names and numbers. */
async function everything(engine: Engine): Promise<Record<string, Floats>> {
  const network = mlp(12, { depth: 3, width: 40, outputs: 2, biasVariance: 0.1 });
  const linearizer = await createLinearizer(engine, network);
  const weights = createWeights(network, initialise(engine, network, 1));
  const x = matrix(N + 8, 12, randomState(2).normalsInto(engine.floats((N + 8) * 12)));
  const y = matrix(N, 2, randomState(3).normalsInto(new Float64Array(N * 2)));
  const found: Record<string, Floats> = {};

  found.forward = (await linearizer.forward(weights, x, { tile: 7 })).data;
  const linearization = await linearizer.linearize(weights, x, N, { tile: 7 });
  found.outputs = linearization.outputs.data;
  for (const [l, { inputs, signals }] of linearization.layers.entries()) {
    found[`H${l}`] = inputs.data.slice();
    found[`Delta${l}`] = signals.data.slice();
  }
  const theta = await createGrams(engine).theta(linearization.layers, undefined, { tile: 6 });
  found.theta = theta.data;
  const v = randomState(4).normalsInto(new Float64Array(N * 2));
  found.product = await createJacobian(engine, { tile: 10 }).tangentProduct(linearization, v);

  const { train } = await empiricalKernel(linearizer, weights, x, [], { tile: 11 });
  for (const [l, { A, B }] of (await partsOf(train)).entries()) {
    found[`A${l}`] = A.data;
    found[`B${l}`] = B.data;
  }

  const trainer = createTrainer(linearizer, weights, exact, mse, { x, y });
  await trainer.step({ learningRate: 1, damping: 1e-3 });
  found.stepped = (await trainer.evaluate()).train.data.slice();
  for (const [l, layer] of weights.entries()) {
    const { left, right } = factorsOf(layer);
    found[`left${l}`] = left.slice();
    found[`right${l}`] = right.slice();
  }
  return found;
}

const withEngine = async <T>(engine: Engine, work: (engine: Engine) => Promise<T>): Promise<T> => {
  try {
    return await work(engine);
  } finally {
    await engine.release();
  }
};

describe("an engine of workers", () => {
  it.each<[Precision, number[]]>([
    ["float32", [1, 2, 3]],
    ["float64", [2]],
  ])("gives the bits of the engine in this thread, in %s of %j", async (precision, counts) => {
    const wanted = await withEngine(await createEngine({ precision, threads: 1 }), everything);
    expect(wanted.stepped!.every(Number.isFinite)).toBe(true);
    for (const workers of counts) {
      const found = await withEngine(
        await createWorkerEngine({ precision, workers, threads: 1 }),
        everything,
      );
      expect(Object.keys(found)).toEqual(Object.keys(wanted));
      for (const [name, numbers] of Object.entries(wanted)) {
        expect(Buffer.compare(bytes(found[name]!), bytes(numbers)), `${name} with ${workers}`).toBe(0);
      }
    }
  });
});

const bytes = ({ buffer, byteOffset, byteLength }: Floats): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** a a^T + c as a vector. */
function program(engine: Engine) {
  const g = createGraph(engine.precision);
  const [a, c] = [g.input("a", ["n", "k"]), g.input("c", ["n", "n"])];
  const sum = gemm(g, a, a, { transB: true, plus: c });
  g.output("out", reshapeTo(g, sum, g.input("shape", [1], "int64")), ["n2"]);
  return engine.compile(g);
}

describe("a program of workers", () => {
  it("takes arrays from anywhere, writes where it is told, and in place", async () => {
    await withEngine(await createWorkerEngine(), async (engine) => {
      const { run } = await program(engine);
      const a = engine.tensor(Float64Array.of(1, 2), [2, 1]);
      const shape = engine.integers(4);
      for (const total of [engine.floats(4), new Float32Array(4)]) {
        const feeds = { a, shape, c: engine.tensor(total, [2, 2]) };
        for (let i = 0; i < 3; i++) await run(feeds, { out: engine.tensor(total, [4]) });
        expect([...total]).toEqual([3, 6, 6, 12]);
      }
      const c = engine.tensor(engine.floats(4).fill(1), [2, 2]);
      const { out } = await run({ a, shape, c }, { out: null });
      expect([out!.dims, [...(out!.data as Float32Array)]]).toEqual([[4], [2, 3, 3, 5]]);
    });
  });

  it("fails as in this thread where its graph or its inputs are wrong, and goes on", async () => {
    await withEngine(await createWorkerEngine(), async (engine) => {
      await expect(engine.compile({ toModel: () => Uint8Array.of(1, 2) })).rejects.toThrow(InputError);
      const { run } = await program(engine);
      const feeds = (n: number) => ({
        a: engine.tensor(engine.floats(2 * n), [n, 2]),
        c: engine.tensor(engine.floats(4), [2, 2]),
        shape: engine.integers(4),
      });
      await expect(run(feeds(3), { out: null })).rejects.toThrow(/Gemm/);
      expect((await run(feeds(2), { out: null })).out!.dims).toEqual([4]);
    });
  });
});

describe("workers", () => {
  const entry = new URL("dying-worker.js", import.meta.url);

  it.each([
    [1, /^workers: wanted 1 at work, got one that ended \(exit code 3\)$/],
    [2, /^workers: wanted 2 at work, got one that ended \((exit code 3|Error: out of luck)\)$/],
  ])("of which one dies refuse what waits and what comes (%i)", async (workers, message) => {
    await withEngine(await createWorkerEngine({ workers, entry }), async (engine) => {
      const waiting = Array.from({ length: 5 }, () => program(engine));
      for (const result of await Promise.allSettled(waiting)) {
        expect(result).toMatchObject({ status: "rejected", reason: expect.any(InputError) as unknown });
        expect((result as PromiseRejectedResult).reason.message).toMatch(message);
      }
      await expect(program(engine)).rejects.toThrow(message);
    });
  });

  it("are one at least, and one line where they cannot start", async () => {
    await expect(createWorkerEngine({ workers: 0 })).rejects.toThrow(
      "workers: wanted a whole number >= 1, got 0",
    );
    const missing = new URL("no-such-worker.js", import.meta.url);
    await expect(createWorkerEngine({ entry: missing })).rejects.toThrow(
      /^workers: wanted 2 at work, got one that ended \(.*Cannot find module.*\)$/,
    );
  });

  it("refuse what comes after their release, which may come twice", async () => {
    const engine = await createWorkerEngine();
    const { run } = await program(engine);
    await Promise.all([engine.release(), engine.release()]);
    await expect(run({}, {})).rejects.toThrow("engine: wanted one that is open, got one that is released");
  });

  it("leave the float64 products to the thread that asked for them, with the same threads and until their release", async () => {
    const a = matrix(33, 1000, randomState(1).normalsInto(new Float64Array(33_000)));
    const b = matrix(1000, 65, randomState(2).normalsInto(new Float64Array(65_000)));
    for (const precision of ["float32", "float64"] as const) {
      const wanted = await withEngine(await createEngine({ precision, threads: 1 }), (engine) =>
        product(a, b, { engine }),
      );
      const engine = await createWorkerEngine({ precision, workers: 2, threads: 1 });
      expect((await engine.float64()).lanes).toBe(1);
      expect(await product(a, b, { engine })).toEqual(wanted);
      await engine.release();
      await expect(product(a, b, { engine })).rejects.toThrow(
        "engine: wanted one that is open, got one that is released",
      );
    }
  });

  it("survive what cannot be sent to them", async () => {
    const engine = await createWorkerEngine({ workers: 1 });
    const { run } = await program(engine);
    const unsendable = { type: "float32", dims: [1], data: { slice: () => ({ buffer: "none" }) } } as never;
    // A TypeError in Node 20, a DataCloneError in Node 24.
    await expect(run({ a: unsendable, b: unsendable }, { c: null })).rejects.toThrow(/transferList/);
    await expect(run({}, {})).rejects.toThrow(/^feeds: wanted /);
    await engine.release();
  });

  it.each([
    ["is never released", "", 0],
    ["is left in the middle of a run", "setImmediate(() => process.exit(7));", 7],
  ])("keep no process that %s", (_, end, exitCode) => {
    const code = `
      import { createWorkerEngine } from "./src/engine/node/worker-engine.ts";
      import { createGrams } from "./src/kernel/gram.ts";
      const engine = await createWorkerEngine();
      const grams = createGrams(engine);
      const a = { rows: 900, cols: 300, data: engine.floats(900 * 300).fill(1) };
      await grams.product(a);
      const second = grams.product(a);
      ${end}
      await second;`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", code],
      { encoding: "utf8", timeout: 60_000 },
    );
    expect([status, stderr]).toEqual([exitCode, ""]);
  });
});
