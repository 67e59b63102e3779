/**
 * @file The package, installed into an empty folder, on every runtime that it is for: the oldest Node, those after it, Bun and Deno, each
 * out of its npm package. A runtime that cannot be fetched is passed over with a line.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install, installNode, pack, whySkipped } from "./npm.js";

const folder = mkdtempSync(join(tmpdir(), "natgrad-runtimes-"));

/** Installs the npm package of a runtime; the binary, which lies in an optional package for the platform. */
function installRuntime(name, version, scope, path) {
  install(folder, "--no-save", `${name}@${version}`);
  const [platform] = readdirSync(join(folder, "node_modules", scope));
  const binary = join(folder, "node_modules", scope, platform, path);
  if (!existsSync(binary)) throw new Error(`${name}: wanted ${binary}, got a package without it`);
  return binary;
}

/** How each is installed; what comes back is how a program is started. */
const RUNTIMES = {
  "Node 20.19": () => [installNode(folder, "20.19.0")],
  "Node 22": () => [installNode(folder, "22")],
  "Node 24": () => [installNode(folder, "24")],
  Bun: () => [installRuntime("bun", "1.4.5", "@oven", "bin/bun")],
  Deno: () => [installRuntime("deno", "2.9.6", "@deno", "deno"), "run", "--allow-all"],
};

try {
  install(folder, pack(folder));
  copyFileSync("scripts/smoke.mjs", join(folder, "smoke.mjs"));
  const smoke = ([program, ...args]) =>
    spawnSync(program, [...args, "smoke.mjs"], { cwd: folder, encoding: "utf8" });
  const wanted = smoke([process.execPath]);
  if (wanted.status !== 0) throw new Error(`runtimes: Node ${process.version} failed\n${wanted.stderr}`);
  for (const [name, command] of Object.entries(RUNTIMES)) {
    let started;
    try {
      started = command();
    } catch (error) {
      console.log(`${name} skipped: ${whySkipped(error)}`);
      continue;
    }
    const { status, stdout, stderr } = smoke(started);
    if (status === 0 && stdout === wanted.stdout) console.log(`${name}: ${stdout.trim()}`);
    else {
      console.error(`${name}: wanted ${wanted.stdout}got ${stdout}${stderr}`);
      process.exitCode = 1;
    }
  }
} catch (error) {
  console.log(`skipped: ${whySkipped(error)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
