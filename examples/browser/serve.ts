/**
 * @file Serves the page beside this file: bundles it with esbuild, and lends it the WebAssembly of onnxruntime-web.
 *
 *     npx tsx examples/browser/serve.ts [port]
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const ort = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** Page and worker as scripts, by their names. */
async function bundles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: [join(here, "page.ts"), join(here, "worker.ts")],
    outdir: here,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    write: false,
    logLevel: "warning",
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
}

/** Starts the server on this machine alone; port 0 takes a free one. */
export async function serve(port: number): Promise<{ address: string; close(): void }> {
  const scripts = await bundles();
  const contentOf = async (path: string): Promise<Uint8Array> => {
    const name = basename(path);
    if (path.startsWith("/ort/")) return readFile(join(ort, name));
    return scripts.get(name) ?? readFile(join(here, name));
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = pathname === "/" ? "/index.html" : pathname;
    contentOf(path).then(
      (content) =>
        response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "text/plain" }).end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { port: taken } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${taken}/`, close: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { address } = await serve(Number(process.argv[2] ?? 8080));
  console.log(`${address} (Ctrl-C ends it)`);
}
