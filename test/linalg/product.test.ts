/**
 * @file Products of matrices, by loops and by an engine: whose they are, how they end, and that nobody opens one unasked.
 */
import { spawnSync } from "node:child_process";
import { build } from "esbuild";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
import { factorize } from "../../src/linalg/cholesky.ts";
import { addDiagonal, multiply, norm, subtract, transpose, type Matrix } from "../../src/linalg/matrix.ts";
import { accumulate, product, productInto, type ProductOptions } from "../../src/linalg/product.ts";
import { random } from "../support/matrices.ts";

const distance = (a: Matrix, b: Matrix): number => norm(subtract(a, b)) / norm(b);

const engine = await createEngine({ threads: 1 });
afterAll(() => engine.release());

const RELEASED = "engine: wanted one that is open, got one that is released";

describe.each<[string, ProductOptions]>([
  ["by loops", {}],
  ["by an engine", { engine }],
])("product and accumulate %s", (_, computing) => {
  it("agree with plain loops for every transposition, on both sides of the threshold", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(3, 40, 160),
        fc.integer({ min: 1, max: 90 }),
        fc.constantFrom(2, 150, 200),
        fc.boolean(),
        fc.boolean(),
        async (m, k, n, transA, transB) => {
          const options = { ...computing, transA, transB };
          const a = transA ? random(k, m) : random(m, k);
          const b = transB ? random(n, k, 2) : random(k, n, 2);
          const wanted = multiply(transA ? transpose(a) : a, transB ? transpose(b) : b);
          expect(distance(await product(a, b, options), wanted)).toBeLessThan(1e-12);
          expect(distance(await productInto(random(m, n, 4), a, b, options), wanted)).toBeLessThan(1e-12);
          for (const sign of [1, -1] as const) {
            const c = random(m, n, 3);
            const sum = { ...c, data: c.data.map((x, i) => x + sign * wanted.data[i]!) };
            await accumulate(c, sign, a, b, options);
            expect(distance(c, sum)).toBeLessThan(1e-12);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("large products", () => {
  const a = random(200, 200);

  it("end with the signal where they are loops", async () => {
    const controller = new AbortController();
    const ending = product(a, a, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(ending).rejects.toThrow("enough");
  });

  it("run on the engine that is given, which has float64 of its own", async () => {
    const [one, two] = [await createEngine({ threads: 1 }), await createEngine({ threads: 2 })];
    const hosts = [await one.float64(), await two.float64()];
    expect(hosts[0]).not.toBe(hosts[1]);
    expect(await one.float64()).toBe(hosts[0]);
    expect(hosts.map(({ device, precision }) => [device, precision])).toEqual([
      ["cpu", "float64"],
      ["cpu", "float64"],
    ]);
    await product(a, a, { engine: one });
    await one.release();
    await expect(product(a, a, { engine: one })).rejects.toThrow(RELEASED);
    // The other one has its own.
    expect(distance(await product(a, a, { engine: two }), multiply(a, a))).toBeLessThan(1e-12);
    await two.release();
    for (const host of hosts) await expect(host.float64()).rejects.toThrow(RELEASED);
  });

  it("are refused to a solver whose engine was released since", async () => {
    const own = await createEngine({ precision: "float64" });
    expect(await own.float64()).toBe(own);
    const k = addDiagonal(multiply(a, transpose(a)), 1);
    const { solveMatrix } = await factorize(k, { what: "k", engine: own });
    expect(distance(multiply(k, await solveMatrix(a)), a)).toBeLessThan(1e-9);
    await own.release();
    await expect(solveMatrix(a)).rejects.toThrow(RELEASED);
  });
});

describe("no engine", () => {
  it("is opened by what is given none: ONNX Runtime is not even loaded", () => {
    const code = `
      import { matrix, factorize, eigen } from "./src/entry/linalg.ts";
      import { analyticKernel, exact, mlp } from "./src/index.ts";
      const n = 150;
      const x = matrix(n, n, Float64Array.from({ length: n * n }, (_, i) => Math.sin(i * i)));
      const k = await (await analyticKernel(mlp(n), x)).matrix();
      await eigen(k);
      await (await factorize(k, { what: "k" })).inverse();
      await (await exact.prepare(await analyticKernel(mlp(n), x), 1)).solve(new Float64Array(n));
      const loaded = process.report.getReport().sharedObjects.filter((name) => name.includes("onnxruntime"));
      console.log(JSON.stringify(loaded));`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", code],
      { encoding: "utf8", timeout: 60_000 },
    );
    expect([stdout.trim(), stderr]).toEqual(["[]", ""]);
  });

  it("is in natgrad/linalg, whose bundle has no way to ONNX Runtime", async () => {
    const { metafile } = await build({
      entryPoints: ["src/entry/linalg.ts"],
      bundle: true,
      format: "esm",
      packages: "external",
      metafile: true,
      write: false,
    });
    const files = Object.keys(metafile.inputs);
    expect(files).toContain("src/linalg/product.ts");
    expect(files.filter((file) => /(^|\/)(ort|engine)\.ts$/.test(file))).toEqual([]);
  });

  it("keeps a process alive, released or forgotten", () => {
    const code = `
      import { createEngine } from "./src/engine/engine.ts";
      import { product } from "./src/linalg/product.ts";
      const a = { rows: 200, cols: 200, data: new Float64Array(40_000).fill(1) };
      const [released, forgotten] = [await createEngine(), await createEngine()];
      for (const engine of [released, forgotten]) await product(a, a, { engine });
      await released.release();`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", code],
      { encoding: "utf8", timeout: 60_000 },
    );
    expect([status, stderr]).toEqual([0, ""]);
  });
});
