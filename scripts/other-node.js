/**
 * @file Runs tests under another version of Node, 22 or 24: this Node when it is one, else the binary of an npm package, fetched
 * into a temporary folder. Where that is not to be had, says so and ends well.
 *
 *     node scripts/other-node.js 24
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installNode, whySkipped } from "./npm.js";

/**
 * The whole from the data to the table, and every function of the library; of 24, processes, signals and threads as well. The rest is
 * arithmetic. The package as it is installed runs on each of them too (`npm run runtimes`).
 */
const TESTS = {
  22: ["golden", "library"],
  24: ["cli/process", "engine", "golden", "library"],
};

const version = process.argv[2];
const tests = TESTS[version];
if (!tests)
  throw new RangeError(`other-node: wanted one of ${Object.keys(TESTS).join(", ")}, got ${version}`);

const folder = mkdtempSync(join(tmpdir(), "natgrad-node-"));
try {
  const node = process.version.startsWith(`v${version}.`) ? process.execPath : installNode(folder, version);
  const run = (...args) => spawnSync(node, args, { stdio: "inherit" }).status ?? 1;
  run("--version");
  process.exitCode = run("node_modules/vitest/vitest.mjs", "run", ...tests.map((name) => `test/${name}`));
} catch (error) {
  console.log(`Node ${version} skipped: ${whySkipped(error)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
