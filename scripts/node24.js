/**
 * @file Runs the tests of what touches Node under Node 24: this Node when it is one, else the binary of the npm package `node-<platform>@24`,
 * fetched into a temporary folder. Where that package is not to be had, says so and ends well.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Processes, files, threads, ONNX Runtime, the package; and the whole from the data to the table. The rest is arithmetic. */
const TESTS = ["cli", "graph", "ort", "package", "golden", "library"].map((name) => `test/${name}`);

const run = (command, args, options = {}) => spawnSync(command, args, { stdio: "inherit", ...options });

const folder = mkdtempSync(join(tmpdir(), "natgrad-node24-"));
try {
  let node = process.execPath;
  if (!process.version.startsWith("v24.")) {
    const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
    const install = [
      "install",
      "--no-save",
      "--no-package-lock",
      "--silent",
      "--prefix",
      folder,
      `${name}@24`,
    ];
    run("npm", install, { shell: process.platform === "win32" });
    node = join(folder, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  }
  if (existsSync(node)) {
    run(node, ["--version"]);
    process.exitCode = run(node, ["node_modules/vitest/vitest.mjs", "run", ...TESTS]).status ?? 1;
  } else {
    console.log("skipped: no Node 24 to be had from the registry");
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
