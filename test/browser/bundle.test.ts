/**
 * @file The core runs in the browser: bundles it, opens Chromium, takes one exact step, and compares with Node.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";
import { foundChromium, launch } from "./chromium.ts";
import { opNumbers } from "./ops.ts";
import { convolutionKernel, eigenvalues, exactStep } from "./step.ts";

const root = new URL("../../", import.meta.url);
const ort = new URL("node_modules/onnxruntime-web/dist/", root);
const TYPES: Record<string, string> = {
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};

describe.skipIf(!foundChromium)("the core in Chromium", () => {
  let server: Server;
  let browser: Browser;
  let address: string;
  /** Files of onnxruntime-web that were asked for. */
  const served: string[] = [];

  beforeAll(async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: `
          export { opNumbers } from "./test/browser/ops.ts";
          export { convolutionKernel, eigenvalues, exactStep } from "./test/browser/step.ts";`,
        resolveDir: new URL(".", root).pathname,
        loader: "ts",
      },
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2023",
      write: false,
      logLevel: "silent",
    });
    const bundle = outputFiles[0]!.contents;
    server = createServer((request, response) => {
      const name = request.url!.slice(1);
      const isolation = {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      };
      const send = (type: string, body: string | Uint8Array) =>
        response.writeHead(200, { ...isolation, "Content-Type": type }).end(body);
      if (name === "") return send("text/html", "<!doctype html><title>natgrad</title>");
      if (name === "bundle.js") return send(TYPES.js!, bundle);
      const path = new URL(name.replace(/^ort\//, ""), ort);
      served.push(name);
      if (!existsSync(path)) return response.writeHead(404).end();
      return send(TYPES[name.split(".").at(-1)!]!, readFileSync(path));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    // WebGPU without a GPU.
    browser = await launch("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader");
  });

  beforeEach(() => {
    served.length = 0;
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it("takes the same exact step on WebGPU, in the build for it, or says that there is none", async () => {
    const page = await browser.newPage();
    await page.goto(address);
    const outcome = await page.evaluate<string>(`(async () => {
      const { exactStep } = await import("${address}bundle.js");
      return exactStep({ device: "webgpu", wasmPaths: "${address}ort/" }).then(JSON.stringify, (error) => error.message);
    })()`);
    expect(served.filter((name) => name.endsWith(".wasm"))).toEqual([
      "ort/ort-wasm-simd-threaded.asyncify.wasm",
    ]);
    if (outcome.startsWith("device: ")) {
      expect(outcome).toMatch(/^device: wanted a working webgpu provider, got none on this machine/);
      return console.log(`skipped: ${outcome}`);
    }
    const { losses } = JSON.parse(outcome) as { losses: number[] };
    const here = await exactStep({});
    expect(losses[0]).toBeCloseTo(here.losses[0]!, 4);
    expect(losses[1]! / here.losses[1]!).toBeCloseTo(1, 1);
  });

  it("has every op on WebGPU, or says that there is none", async () => {
    const page = await browser.newPage();
    await page.goto(address);
    const there = await page.evaluate<Awaited<ReturnType<typeof opNumbers>>>(`(async () => {
      const { opNumbers } = await import("${address}bundle.js");
      return opNumbers({ device: "webgpu", wasmPaths: "${address}ort/" }, 2);
    })()`);
    const failed = there.filter(([, numbers]) => typeof numbers === "string");
    if (failed.length === there.length) return console.log(`skipped: ${String(failed[0]![1])}`);
    expect(failed).toEqual([]);
    for (const [i, [name, numbers]] of (await opNumbers({ threads: 1 }, 2)).entries()) {
      expect(there[i]![0]).toBe(name);
      expect(relativeError(there[i]![1] as number[], numbers as number[]), name).toBeLessThan(
        TOLERANCE.float32,
      );
    }
  });

  it.each([
    ["WebAssembly in float64", { precision: "float64" }, TOLERANCE.twin],
    ["WebAssembly in float32", { precision: "float32" }, TOLERANCE.float32],
    ["WebGPU", { device: "webgpu" }, TOLERANCE.float32],
  ] as const)("has the kernel of convolutions and pooling on %s", async (_, options, tolerance) => {
    const page = await browser.newPage();
    await page.goto(address);
    const outcome = await page.evaluate<string>(`(async () => {
      const { convolutionKernel } = await import("${address}bundle.js");
      const options = { ...${JSON.stringify(options)}, wasmPaths: "${address}ort/", threads: 2 };
      return convolutionKernel(options).then(JSON.stringify, (error) => error.message);
    })()`);
    if (outcome.startsWith("device: ")) return console.log(`skipped: ${outcome}`);
    const here = await convolutionKernel({ precision: "float64" });
    expect(relativeError(JSON.parse(outcome), here)).toBeLessThan(tolerance);
  });

  it("takes the same exact step and finds the same eigenvalues as in Node", async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(address);
    const here = { ...(await exactStep({})), ...(await eigenvalues({})) };
    // As text: a function would have its import() rewritten by the test runner.
    const there = await page.evaluate<{
      isolated: boolean;
      first: { losses: number[] };
      losses: number[];
      deviation: number;
      values: number[];
      alone: number[];
    }>(`(async () => {
      const { eigenvalues, exactStep } = await import("${address}bundle.js");
      // A second engine opens where the first was released.
      const first = await exactStep({ wasmPaths: "${address}ort/", threads: 2 });
      const step = await exactStep({ wasmPaths: "${address}ort/", threads: 2 });
      return { isolated: crossOriginIsolated, first, ...step, ...(await eigenvalues({ threads: 2 })) };
    })()`);
    expect(problems).toEqual([]);
    // The build for the CPU alone; threads load its module by themselves.
    expect(served.filter((name) => name.endsWith(".wasm"))).toEqual(["ort/ort-wasm-simd-threaded.wasm"]);
    expect(there.isolated).toBe(true);
    expect(there.first.losses).toEqual(there.losses);
    expect(there.losses[0]).toBeCloseTo(here.losses[0]!, 5);
    expect(there.losses[1]! / here.losses[1]!).toBeCloseTo(1, 1);
    expect(there.losses[1]).toBeLessThan(there.losses[0]! / 20);
    expect(there.deviation).toBeLessThan(1e-8);
    for (const [i, value] of here.values.entries()) {
      expect(there.values[i]).toBeCloseTo(value, 11);
      expect(there.alone[i]).toBeCloseTo(value, 11);
    }
  });
});
