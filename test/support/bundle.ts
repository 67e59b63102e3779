/**
 * @file The command line as few files, as users have it: children that run from the sources carry the compiler of TypeScript in
 * their memory, and start a second later.
 */
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The path of a fresh bundle of the command line, for the tests of one file; it is there when they run. */
export function bundledCommandLine(): string {
  // Inside the package, whose imports it needs.
  const folder = `${root}dist/test-${process.pid}`;
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    await build({
      absWorkingDir: root,
      entryPoints: { main: "src/cli/main.ts", worker: "src/engine/node/worker.ts" },
      outdir: folder,
      bundle: true,
      splitting: true,
      platform: "node",
      format: "esm",
      target: "node20",
      packages: "external",
      // Of the package's own `imports`; a checkout that was never built lacks the file of one.
      external: ["#ort", "#ort-wasm", "#ort-web"],
      logLevel: "warning",
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return `${folder}/main.js`;
}
