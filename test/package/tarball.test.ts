/**
 * @file The package: what `npm pack` makes of a checkout, unpacked where it would be installed, beside the packages that it
 * asks for and nothing else. (scripts/install-check.js does it with npm and a registry.)
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as network from "../../src/entry/network.ts";
import * as main from "../../src/index.ts";
import { BROUGHT, linkPackages, MANIFEST, ROOT } from "../support/checkout.ts";
import { QUICK_WASM, startNode } from "../support/children.ts";
import { exampleOf } from "../support/doc-examples.ts";

const root = mkdtempSync(join(tmpdir(), "natgrad-package-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A project whose only package is natgrad. */
const project = join(root, "project");
const natgrad = join(project, "node_modules/natgrad");

/** The files of the package. */
let files: string[];

beforeAll(() => {
  // In a copy, so that what is compiled does not come between other tests.
  const copy = join(root, "copy");
  mkdirSync(copy);
  const names = readdirSync(ROOT).filter(
    (name) => !["node_modules", "dist", "test", "bench", ".git"].includes(name),
  );
  for (const name of names) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"), "junction");
  const npm = (...args: string[]) =>
    spawnSync("npm", args, { cwd: copy, encoding: "utf8", shell: process.platform === "win32" });
  const { status, stdout, stderr } = npm("pack", "--json", "--loglevel", "error");
  if (status !== 0) throw new Error(`npm pack: ${stderr}`);
  files = (JSON.parse(stdout) as { files: { path: string }[] }[])[0]!.files
    .map(({ path }) => path)
    .toSorted();
  for (const path of files) {
    mkdirSync(dirname(join(natgrad, path)), { recursive: true });
    cpSync(join(copy, path), join(natgrad, path));
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", private: true }));
  linkPackages(project);
  // For the types of Node alone.
  linkPackages(project, ["@types/node", "undici-types"]);
});

const text = (path: string): string => readFileSync(join(natgrad, path), "utf8");

describe("the package", () => {
  it("has the program, the library, its types, documents and examples, and no sources or tests", () => {
    for (const path of [
      "LICENSE",
      "README.md",
      "CHANGELOG.md",
      "bin/natgrad.js",
      "dist/bundle/main.js",
      "dist/bundle/worker.js",
      "dist/LICENSES.txt",
      "dist/ort/ort-wasm-simd-threaded.wasm",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/node.js",
      "dist/node.d.ts",
      "docs/install.md",
      "examples/ngd-step.ts",
    ]) {
      expect(files).toContain(path);
    }
    expect(
      files.filter((path) => !/^(bin|dist|docs|examples)\/|^[A-Z]+(\.md)?$|^package.json$/.test(path)),
    ).toEqual([]);
    expect(
      files.filter((path) => /\.test\.|(?<!\.d)\.ts$/.test(path) && !path.startsWith("examples/")),
    ).toEqual([]);
  });

  it("points at no file that it does not have: source maps, modules, examples", () => {
    const lost: string[] = [];
    for (const path of files.filter((path) => /^(dist|examples)\/.*\.(js|mjs|ts)$/.test(path))) {
      const code = text(path);
      for (const [, map] of code.matchAll(/^\/\/# sourceMappingURL=(.*)$/gm)) {
        if (!files.includes(join(dirname(path), map!))) lost.push(`${path}: ${map}`);
      }
      for (const [, target] of code.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
        const at = join(dirname(path), target!);
        const found = path.endsWith(".d.ts") ? at.replace(/\.(js|ts)$/, ".d.ts") : at;
        if (!files.includes(found)) lost.push(`${path}: ${target}`);
      }
    }
    expect(lost).toEqual([]);
  });

  it("says what it is, and nothing that is not so", () => {
    expect(MANIFEST.keywords.length).toBeGreaterThan(4);
    for (const field of ["author", "repository", "homepage", "bugs"]) expect(MANIFEST[field]).toBeUndefined();
  });

  it("runs no script on the machine of whoever installs it", () => {
    const { scripts } = MANIFEST;
    const atInstall = ["preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare"];
    expect(atInstall.filter((name) => scripts[name] !== undefined)).toEqual([]);
    // The one dependency that would download CUDA is not among those that are installed unasked.
    expect(BROUGHT.join()).not.toContain("onnxruntime");
  });

  it("has a lock file without addresses of registries", () => {
    expect(readFileSync(join(ROOT, "package-lock.json"), "utf8")).not.toMatch(/"resolved"/);
  });
});

/** Compiles programs of the project; what the compiler says. */
function compile(programs: readonly string[]): { status: number | null; stdout: string } {
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        module: "nodenext",
        target: "es2023",
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        types: ["node"],
      },
      files: programs,
    }),
  );
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [existsSync(tsc) ? tsc : "tsc", "-p", project], {
    encoding: "utf8",
    cwd: project,
  });
  return { status, stdout };
}

describe("in a project that has nothing else", () => {
  it("the command line runs", async () => {
    const run = (flags: string) =>
      startNode([QUICK_WASM, join(natgrad, "bin/natgrad.js"), ...flags.split(" ")], { cwd: project }).ended;
    expect(await run("--version")).toEqual({ exitCode: 0, stdout: `${MANIFEST.version}\n`, stderr: "" });
    const { exitCode, stdout } = await run(
      "train --learning_rate 1 --dataset synthetic --width 16 --train_size 8 --test_size 4 --workers 2",
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^2 {2}.*\ndone in/m);
  });

  it("the examples run", async () => {
    const args = [QUICK_WASM, "--import", import.meta.resolve("tsx"), join(natgrad, "examples/predict.ts")];
    const { exitCode, stdout } = await startNode(args, { cwd: project }).ended;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^posterior {10}test accuracy /m);
  });

  it("the example of every name of the main entry runs, and compiles; so do those of networks", async () => {
    const own = Object.keys(main).map((name) => [name, exampleOf(name)] as const);
    expect(own.filter(([, code]) => code === undefined)).toEqual([]);
    const others = Object.keys(network)
      .filter((name) => !(name in main))
      .map((name) => [name, exampleOf(name, "src/entry/network.ts")] as const)
      // What some read lies in the checkout alone.
      .filter(([, code]) => code !== undefined && !code.includes("node:"));
    const examples = [...own, ...others];
    for (const [name, code] of examples) {
      for (const type of ["mjs", "mts"]) writeFileSync(join(project, `example-${name}.${type}`), `${code}\n`);
    }
    const runs = examples.map(([name]) => `await import("./example-${name}.mjs");`);
    writeFileSync(join(project, "examples.mjs"), runs.join("\n"));
    const { exitCode, stderr } = await startNode([QUICK_WASM, "examples.mjs"], { cwd: project }).ended;
    expect(stderr).toMatch(/^natgrad: onnxruntime-node is not installed[^\n]*\n$/);
    expect(exitCode).toBe(0);
    expect(compile(examples.map(([name]) => `example-${name}.mts`))).toEqual({ status: 0, stdout: "" });
  });

  it("programs compile, but for misspelt options", () => {
    writeFileSync(
      join(project, "program.ts"),
      `import { createEngine, exact, mlp, ntk, stackRows, type Fisher } from "natgrad";
import { diagnose, parseConfig, parseDiagnosis, run } from "natgrad/node";

export const fisher: Fisher = exact;
export const network = mlp(3, { width: 8, depth: 2 });
export const engine = await createEngine({ threads: 1 });
export const rows = stackRows([], engine.floats);
export const theta = await ntk(network, rows, rows, { kind: "empirical", engine });
for await (const event of run(parseConfig({ learning_rate: 1, train_size: "all", target_classes: [3, [1, 2]] }))) {
  if (event.event === "step") console.log(event.train_loss.toFixed(3), event.predict?.train_loss);
}
for await (const event of diagnose(parseDiagnosis({ width: 64 }))) console.log(event.event);
// @ts-expect-error
parseConfig({ learning_rte: 1 });
// @ts-expect-error
parseDiagnosis({ widht: 64 });
// @ts-expect-error
await ntk(network, rows, rows, { kind: "empirical" });
// @ts-expect-error
await createEngine({ thread: 1 });
// @ts-expect-error
mlp(3, { widht: 8 });
`,
    );
    expect(compile(["program.ts"])).toEqual({ status: 0, stdout: "" });
  });
});
