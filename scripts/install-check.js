/**
 * @file Packs natgrad, installs the package into an empty folder as a user would, by npm from its registry, and uses it there: the
 * command line, every subpath in Node, a bundle for the browser, TypeScript with both ways to resolve modules. Passed over
 * with a line where the registry does not answer.
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { npm, pack, whySkipped } from "./npm.js";

const root = mkdtempSync(join(tmpdir(), "natgrad-install-"));

function check(wanted, what) {
  if (!wanted) throw new Error(`install-check: ${what}`);
}

/** Runs Node in the folder; what it printed. */
function node(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  check(status === 0, `wanted exit code 0 of ${args.join(" ")}, got ${status}\n${stdout}${stderr}`);
  return { stdout, stderr };
}

function commandLine() {
  const flags = ["train", "--natural_gradient_type", "exact", "--width", "1024", "--format", "csv"];
  const { stdout, stderr } = node("node_modules/natgrad/bin/natgrad.js", ...flags);
  check(/^1,1,0\.00112\d*,/m.test(stdout), `wanted a training loss of 0.00112 after a step, got\n${stdout}`);
  check(stderr.includes("onnxruntime-node is not installed"), `wanted the line on stderr, got\n${stderr}`);
}

/** The entries of the package, as they are imported. */
const entries = () => {
  const manifest = JSON.parse(readFileSync(join(root, "node_modules/natgrad/package.json"), "utf8"));
  return Object.keys(manifest.exports).map((name) => name.replace(".", "natgrad"));
};

function imports() {
  const program = entries().map(
    (name) => `if (Object.keys(await import("${name}")).length < 2) throw "${name}";`,
  );
  writeFileSync(join(root, "imports.mjs"), program.join("\n"));
  node("imports.mjs");
  copyFileSync("scripts/smoke.mjs", join(root, "smoke.mjs"));
  node("smoke.mjs");
}

/** A bundle for the browser has what it needs, and nothing of Node. */
async function bundle() {
  symlinkSync(
    resolve("node_modules/onnxruntime-web"),
    join(root, "node_modules/onnxruntime-web"),
    "junction",
  );
  const names = entries().filter((name) => name !== "natgrad/node");
  writeFileSync(
    join(root, "page.js"),
    names.map((name, i) => `import * as n${i} from "${name}"; console.log(n${i});`).join("\n"),
  );
  const { warnings, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["page.js"],
    bundle: true,
    splitting: true,
    outdir: "page",
    format: "esm",
    platform: "browser",
    metafile: true,
    logLevel: "silent",
  });
  const outside = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter((it) => it.external),
  );
  check(warnings.length === 0, `wanted a bundle without warnings, got ${JSON.stringify(warnings)}`);
  check(outside.length === 0, `wanted a bundle of everything, got imports of ${JSON.stringify(outside)}`);
}

/** Every entry has types, which ask for no others: those of `natgrad/node` for Node's alone. */
function types() {
  const program = (names) =>
    `${names.map((name, i) => `import * as n${i} from "${name}"; void n${i};`).join("\n")}
import { exact, mlp, ntk, matrix, type Fisher } from "natgrad";
export const method: Fisher = exact;
export const theta = await ntk(mlp(2), matrix(1, 2, new Float64Array(2)));
// @ts-expect-error
mlp(3, { widht: 8 });
`;
  const compile = (name, names, options) => {
    writeFileSync(join(root, `${name}.mts`), program(names));
    const config = {
      compilerOptions: { target: "es2023", strict: true, noEmit: true, ...options },
      files: [`${name}.mts`],
    };
    writeFileSync(join(root, `${name}.json`), JSON.stringify(config));
    node(resolve("node_modules/typescript/bin/tsc"), "-p", `${name}.json`);
  };
  const web = { lib: ["es2023", "dom"], types: [] };
  mkdirSync(join(root, "node_modules/@types"));
  for (const name of ["@types/node", "undici-types"]) {
    symlinkSync(resolve("node_modules", name), join(root, "node_modules", name), "junction");
  }
  const onPages = entries().filter((name) => name !== "natgrad/node");
  compile("bundler", onPages, { module: "esnext", moduleResolution: "bundler", ...web });
  compile("nodenext", entries(), { module: "nodenext", types: ["node"] });
}

try {
  const output = npm(root, "install", "--no-audit", "--no-fund", pack(root));
  check(!output.includes("install-scripts"), `wanted an installation without scripts, got\n${output}`);
  check(!existsSync(join(root, "node_modules/onnxruntime-node")), "wanted no native runtime, got one");
  commandLine();
  imports();
  await bundle();
  types();
  console.log("installed from the package alone, run, imported, bundled and compiled");
} catch (error) {
  console.log(`skipped: ${whySkipped(error)}`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
