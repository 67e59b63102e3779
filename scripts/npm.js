/**
 * @file npm as the scripts here use it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { unanswered } from "./registry.js";

const windows = process.platform === "win32";

/**
 * Runs npm; what it printed, or an error with that.
 * @param {string} cwd
 * @param {string[]} args
 */
export function npm(cwd, ...args) {
  const { status, stdout, stderr } = spawnSync("npm", [...args, "--loglevel=warn"], {
    cwd,
    encoding: "utf8",
    shell: windows,
  });
  if (status !== 0) throw Object.assign(new Error(`npm ${args[0]} failed\n${stdout}${stderr}`), { stderr });
  return stdout + stderr;
}

/** Why an error of {@link npm} is one of its registry that does not answer; any other error is thrown. */
export function whySkipped(error) {
  const why = error.stderr === undefined ? undefined : unanswered(error.stderr);
  if (why === undefined) throw error;
  return `the registry does not answer (${why.trim()})`;
}

/** Packs this checkout into `folder`, compiled anew unless the script was called with `--built`; the path of the tarball. */
export function pack(folder) {
  const scripts = process.argv.includes("--built") ? ["--ignore-scripts"] : [];
  npm(".", "pack", "--pack-destination", folder, ...scripts);
  return join(
    folder,
    readdirSync(folder).find((name) => name.endsWith(".tgz")),
  );
}

/** Installs packages into `folder`, without their scripts. */
export const install = (folder, ...packages) =>
  npm(folder, "install", "--ignore-scripts", "--no-audit", "--no-fund", ...packages);

/** Installs a version of Node into `folder` by the npm package `node-<platform>-<arch>`; the path of its binary. */
export function installNode(folder, version) {
  const name = `node-${windows ? "win" : process.platform}-${process.arch}`;
  const alias = `node-${version}`;
  install(folder, "--no-save", `${alias}@npm:${name}@${version}`);
  const binary = join(folder, "node_modules", alias, "bin", windows ? "node.exe" : "node");
  if (!existsSync(binary)) throw new Error(`${name}@${version}: wanted ${binary}, got a package without it`);
  return binary;
}
