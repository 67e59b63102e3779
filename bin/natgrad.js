#!/usr/bin/env node
/**
 * @file The `natgrad` binary: the compiled command line in `dist/`, or the sources themselves in a checkout where they
 * are newer (slower to start, never out of date).
 */
import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const compiled = new URL("../dist/bundle/main.js", import.meta.url);
const sources = new URL("../src/", import.meta.url);

const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** When the newest source file was last changed; 0 where there are no sources (the published package). */
function newestSource() {
  const root = fileURLToPath(sources);
  if (modified(root) === 0) return 0;
  return Math.max(...readdirSync(root, { recursive: true }).map((name) => modified(`${root}/${name}`)));
}

if (newestSource() > modified(compiled)) {
  const { register } = await import("tsx/esm/api");
  register();
  await import(new URL("cli/main.ts", sources).href);
} else {
  await import(compiled.href);
}
