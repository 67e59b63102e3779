/**
 * @file The engine: what it promises about inputs, outputs and devices.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/error.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { createGraph } from "../../src/engine/graph.ts";
import {
  appendColumn,
  firstColumns,
  firstRows,
  gemm,
  matMul,
  relu,
  scaleBy,
  step,
} from "../../src/engine/ops.ts";

describe.each(["float32", "float64"] as const)("graphs in %s", (precision) => {
  it("multiply, add, subtract, scale, cut and pad as their names say", async () => {
    const engine = await createEngine({ precision, threads: 1 });
    const g = createGraph(precision);
    const [a, b] = [g.input("a", ["n", 3]), g.input("b", ["m", 3])];
    const count = g.input("count", [1], "int64");
    const ab = gemm(g, a, b, { transB: true });
    g.output("sum", gemm(g, a, b, { transB: true, plus: ab }), ["n", "m"]);
    g.output("none", gemm(g, a, b, { transB: true, plus: ab, negate: true }), ["n", "m"]);
    g.output("third", scaleBy(g, a, 1 / 3), ["n", 3]);
    g.output("first", firstRows(g, a, count), ["k", 3]);
    g.output("left", firstColumns(g, a, 2), ["n", 2]);
    g.output("padded", appendColumn(g, a, 0.1), ["n", 4]);
    g.output("positive", relu(g, a), ["n", 3]);
    g.output("step", step(g, a), ["n", 3]);
    const program = await engine.compile(g);
    const names = ["sum", "none", "third", "first", "left", "padded", "positive", "step"];
    const out = await program.run(
      {
        a: engine.tensor(Float64Array.of(1, -2, 3, 0, 5, -6), [2, 3]),
        b: engine.tensor(Float64Array.of(1, 1, 1), [1, 3]),
        count: engine.integers(1),
      },
      Object.fromEntries(names.map((name) => [name, null])),
    );
    const data = (name: string) => [...(out[name]!.data as Float64Array)];
    expect(data("sum")).toEqual([4, -2]);
    expect(data("none")).toEqual([0, 0]);
    // A float64 graph keeps all digits of its constants.
    expect(data("third")[0]).toBe(precision === "float64" ? 1 / 3 : Math.fround(1 / 3));
    expect(data("first")).toEqual([1, -2, 3]);
    expect(data("left")).toEqual([1, -2, 0, 5]);
    expect(data("padded")[3]).toBeCloseTo(0.1, 7);
    expect(data("positive")).toEqual([1, 0, 3, 0, 5, 0]);
    expect(data("step")).toEqual([1, 0, 1, 0, 1, 0]);
  });

  it("write into the outputs that are given, also when one is an input", async () => {
    const engine = await createEngine({ precision, threads: 1 });
    const g = createGraph(precision);
    const [a, c] = [g.input("a", ["n", "k"]), g.input("c", ["n", "n"])];
    g.output("out", gemm(g, a, a, { transB: true, plus: c }), ["n", "n"]);
    const program = await engine.compile(g);
    const total = engine.floats(4);
    const out = engine.tensor(total, [2, 2]);
    const feeds = { a: engine.tensor(Float64Array.of(1, 2), [2, 1]), c: out };
    for (let i = 0; i < 3; i++) await program.run(feeds, { out });
    expect([...total]).toEqual([3, 6, 6, 12]);
  });

  it("take an empty inner size for a product that is zero", async () => {
    const engine = await createEngine({ precision, threads: 1 });
    const g = createGraph(precision);
    const [a, b, c] = [g.input("a", ["n", "k"]), g.input("b", ["k", "m"]), g.input("c", ["n", "m"])];
    g.output("out", gemm(g, a, b, { plus: c }), ["n", "m"]);
    const program = await engine.compile(g);
    const empty = engine.floats(0);
    const { out } = await program.run(
      {
        a: engine.tensor(empty, [2, 0]),
        b: engine.tensor(empty, [0, 1]),
        c: engine.tensor(Float64Array.of(7, 8), [2, 1]),
      },
      { out: null },
    );
    expect([...(out!.data as Float64Array)]).toEqual([7, 8]);
  });
});

describe("float64", () => {
  it("keeps the digits of a factor beside a product of matrices", async () => {
    const engine = await createEngine({ precision: "float64", threads: 1 });
    const g = createGraph("float64");
    const a = g.input("a", ["n", 2]);
    const product = matMul(g, scaleBy(g, a, 0.1), g.constant([1, 0, 0, 1], [2, 2]));
    g.output("out", scaleBy(g, product, 0.7), ["n", 2]);
    const program = await engine.compile(g);
    const { out } = await program.run({ a: engine.tensor(Float64Array.of(1, 3), [1, 2]) }, { out: null });
    expect([...(out!.data as Float64Array)]).toEqual([0.1 * 0.7, 0.1 * 3 * 0.7]);
    await engine.release();
  });
});

describe("devices", () => {
  it("other than the CPU refuse float64", async () => {
    await expect(createEngine({ device: "webgpu", precision: "float64" })).rejects.toThrow(
      /^precision: wanted float32 on device webgpu, got float64/,
    );
  });

  it("that are missing are named in one line when the first graph is compiled", async () => {
    const engine = await createEngine({ device: "cuda" });
    const g = createGraph("float32");
    g.output("out", relu(g, g.input("a", [1])), [1]);
    const error = await engine.compile(g).then(
      () => undefined,
      (e: unknown) => e,
    );
    if (error === undefined) return console.log("skipped: this machine has CUDA");
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(/^device: wanted a working cuda provider, got none [^\n]*$/);
  });
});

/** Where Debian's chromium keeps a WebGPU device that needs no GPU. */
const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

describe("webgpu", () => {
  it("takes the same steps as the CPU", () => {
    const env = {
      ...process.env,
      ...(existsSync(SWIFTSHADER) ? { VK_DRIVER_FILES: SWIFTSHADER, VK_ICD_FILENAMES: SWIFTSHADER } : {}),
    };
    const losses = (device: string): number[] | string => {
      const flags =
        "train --natural_gradient_type kfac --damping 1e-3 --width 64 --train_size 20 --test_size 10";
      const args = ["bin/natgrad.js", ...flags.split(" "), "--format", "jsonl", "--device", device];
      const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
      if (stderr.includes("wanted a working webgpu provider")) return stderr.trim();
      return stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { event: string; train_loss: number })
        .filter(({ event }) => event === "step")
        .map(({ train_loss }) => train_loss);
    };
    const there = losses("webgpu");
    if (typeof there === "string") return console.log(`skipped: ${there.split("\n").at(-1)}`);
    const here = losses("cpu") as number[];
    expect(there.length).toBe(3);
    for (const [t, loss] of there.entries()) expect(loss / here[t]!).toBeCloseTo(1, 4);
  });
});
