/**
 * @file ONNX Runtime's WebAssembly build for Node out of onnxruntime-web: a module, and two files that it looks for beside
 * itself. A tenth of that package, without its dependencies.
 */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const source = fileURLToPath(new URL("../node_modules/onnxruntime-web/dist", import.meta.url));

/**
 * Writes it into `folder`.
 * @param {string} folder
 * @returns {Promise<void>}
 */
export async function wasmRuntime(folder) {
  const module = join(folder, "ort.mjs");
  await build({
    entryPoints: [join(source, "ort.node.min.mjs")],
    outfile: module,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["./ort-wasm-simd-threaded*"],
    // The comments with licences stand in LICENSES.txt.
    legalComments: "none",
    logLevel: "error",
  });
  for (const name of ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]) {
    copyFileSync(join(source, name), join(folder, name));
  }
  // Source maps stay behind.
  for (const name of ["ort.mjs", "ort-wasm-simd-threaded.mjs"]) {
    const text = readFileSync(join(folder, name), "utf8");
    writeFileSync(join(folder, name), text.replace(/^\/\/# sourceMappingURL=.*$/m, ""));
  }
}
