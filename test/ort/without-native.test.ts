/**
 * @file natgrad where `onnxruntime-node` is not installed, or does not load: the same commands run on WebAssembly, say so in
 * one line, and agree with native code.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConfigOptions } from "../../src/experiment/config.ts";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import type { Metrics, RunEvent } from "../../src/experiment/events.ts";
import { run } from "../../src/experiment/run.ts";
import { INSTALL_NATIVE } from "../../src/ort.ts";
import { compileInto, MANIFEST, plantPackage, type Compiled } from "../support/checkout.ts";
import { QUICK_WASM, startNode } from "../support/children.ts";
import { agreeWithDefaultRun } from "../support/golden.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const root = mkdtempSync(join(tmpdir(), "natgrad-without-native-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const LINE = `natgrad: onnxruntime-node is not installed, so that networks run on WebAssembly, several times slower; ${INSTALL_NATIVE} gets it\n`;

let missing: Compiled;
let broken: Compiled;
let none: Compiled;
beforeAll(async () => {
  missing = await compileInto(join(root, "missing"));
  plantPackage(join(root, "broken"), "onnxruntime-node", 'throw new Error("no such architecture");');
  broken = await compileInto(join(root, "broken"), { packages: ["onnxruntime-web"], wasm: false });
  none = await compileInto(join(root, "none"), { wasm: false });
});

const natgrad = ({ bin }: Compiled, flags: string) => startNode([QUICK_WASM, bin, ...flags.split(" ")]).ended;

const SMALL = "--dataset synthetic --width 32 --train_size 20 --test_size 10 --threads 2 --quiet";

describe("without the native build", () => {
  it("the default run agrees with the golden table, and says how to get the fast one", async () => {
    const { exitCode, stdout, stderr } = await natgrad(
      missing,
      "train --natural_gradient_type exact --format jsonl --quiet",
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: LINE });
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as RunEvent);
    expect(events[0]).toMatchObject({ event: "notice", kind: "runtime", step: 0 });
    agreeWithDefaultRun(events.filter((event) => event.event === "step"));
  });

  it("the line names the version that natgrad is tested with", () => {
    expect(INSTALL_NATIVE).toContain(`onnxruntime-node@${MANIFEST.devDependencies["onnxruntime-node"]}`);
  });

  it("a diagnosis and workers print what they print with it", async () => {
    for (const command of [
      `kernel --natural_gradient_type kfac ${SMALL}`,
      `train --natural_gradient_type block_diagonal --damping 1e-4 --kernel both ${SMALL} --workers 2`,
    ]) {
      const { exitCode, stdout, stderr } = await natgrad(missing, command);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: LINE });
      expect(stdout).toMatch(/^done in/m);
    }
  });

  it("a device that it alone has is refused in one line", async () => {
    const { exitCode, stdout, stderr } = await natgrad(
      missing,
      `train --learning_rate 1 ${SMALL} --device webgpu`,
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(
      /^natgrad: device: wanted a working webgpu provider, got none[^\n]*onnxruntime-node is not installed[^\n]*\n$/,
    );
  });

  it("a library script is told once, on the console", async () => {
    const script = join(root, "script.mjs");
    writeFileSync(
      script,
      `const { createEngine } = await import(${missing.library});
       for (let i = 0; i < 2; i++) console.log((await createEngine({ threads: 1 })).runtime);`,
    );
    expect(await startNode([QUICK_WASM, script]).ended).toEqual({
      exitCode: 0,
      stdout: "wasm\nwasm\n",
      stderr: LINE,
    });
  });
});

describe("a native build that does not load", () => {
  it("is replaced as well, in a checkout that was never built by onnxruntime-web, and the line says why", async () => {
    const { exitCode, stdout, stderr } = await natgrad(broken, `train --learning_rate 1 ${SMALL}`);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^done in/m);
    expect(stderr).toBe(
      "natgrad: onnxruntime-node cannot be loaded here, so that networks run on WebAssembly, several times slower (no such architecture)\n",
    );
  });
});

describe("without any build", () => {
  it("a command is refused in one line that says what to install", async () => {
    const { exitCode, stdout, stderr } = await natgrad(none, `train --learning_rate 1 ${SMALL}`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toBe(
      `natgrad: engine: wanted onnxruntime-node, got neither that nor WebAssembly (${INSTALL_NATIVE})\n`,
    );
  });
});

describe("WebAssembly in Node and native code", () => {
  const small = { dataset: "synthetic", width: 48, train_size: 24, test_size: 12, threads: 2 } as const;
  const cases: ConfigOptions[] = [
    { natural_gradient_type: "exact", solver: "cg", damping: 1e-3 },
    { natural_gradient_type: "kfac", damping: 1e-3, bias_variance: 0.1, n_classes: 3, kernel: "both" },
    { natural_gradient_type: "block_tri_diagonal", damping: 1e-3, loss_type: "cross_entropy" },
    { natural_gradient_type: "unit_wise", damping: 1e-3, batch_size: 10, n_layers: 2 },
    { learning_rate: 1, n_steps: 5, parameterization: "standard", lr_factor: 0.01, kernel: "empirical" },
  ];

  const metricsOf = (events: readonly RunEvent[]): number[] =>
    events.flatMap((event) => {
      if (event.event !== "step") return [];
      const parts: (Metrics | undefined)[] = [event, event.predict, event.predict_empirical];
      return parts.flatMap((part) => (part ? [part.train_loss, part.test_loss] : []));
    });

  // Far above rounding, far below any fault: what a solve makes of float32, and of float64.
  const tolerances = { float32: 100 * TOLERANCE.float32, float64: 1e-9 } as const;

  it("take the same steps, in float32 and in float64", async () => {
    const asked = (["float32", "float64"] as const).flatMap((precision) =>
      cases.map((options) => ({ ...small, ...options, precision })),
    );
    const script = join(root, "runs.mjs");
    writeFileSync(
      script,
      `const { parseConfig, run } = await import(${missing.libraryInNode});
       for (const options of ${JSON.stringify(asked)}) {
         const events = [];
         for await (const event of run(parseConfig(options))) events.push(event);
         console.log(JSON.stringify(events));
       }`,
    );
    const { exitCode, stdout, stderr } = await startNode([QUICK_WASM, script]).ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const there = stdout
      .trim()
      .split("\n")
      .map((line) => metricsOf(JSON.parse(line) as RunEvent[]));
    expect(there).toHaveLength(asked.length);
    for (const [i, options] of asked.entries()) {
      const events: RunEvent[] = [];
      for await (const event of run(parseConfig(options))) events.push(event);
      expect(events.some(({ event }) => event === "notice")).toBe(false);
      const here = metricsOf(events);
      expect(there[i]).toHaveLength(here.length);
      for (const [k, loss] of here.entries()) {
        expect(Math.abs(there[i]![k]! - loss), `${JSON.stringify(options)}, ${k}`).toBeLessThan(
          tolerances[options.precision] * Math.max(loss, 1e-3),
        );
      }
    }
  });
});
