/**
 * @file Packs natgrad, installs the package into an empty folder as a user would, by npm from its registry, and runs it
 * there. Passed over with a line where the registry does not answer.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unanswered } from "./registry.js";

const root = mkdtempSync(join(tmpdir(), "natgrad-install-"));

/** Runs npm; what it printed, or an error with that. */
function npm(cwd, ...args) {
  const { status, stdout, stderr } = spawnSync("npm", [...args, "--loglevel=warn"], {
    cwd,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw Object.assign(new Error(`npm ${args[0]} failed\n${stdout}${stderr}`), { stderr });
  return stdout + stderr;
}

function check(wanted, what) {
  if (!wanted) throw new Error(`install-check: ${what}`);
}

try {
  npm(".", "pack", "--pack-destination", root);
  const tarball = readdirSync(root).find((name) => name.endsWith(".tgz"));
  const output = npm(root, "install", "--no-audit", "--no-fund", join(root, tarball));
  check(!output.includes("install-scripts"), `wanted an installation without scripts, got\n${output}`);
  check(!existsSync(join(root, "node_modules/onnxruntime-node")), "wanted no native runtime, got one");
  const flags = ["train", "--natural_gradient_type", "exact", "--width", "1024", "--format", "csv"];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "node_modules/natgrad/bin/natgrad.js"), ...flags],
    { cwd: root, encoding: "utf8" },
  );
  check(status === 0, `wanted exit code 0, got ${status}\n${stderr}`);
  check(/^1,1,0\.00112\d*,/m.test(stdout), `wanted a training loss of 0.00112 after a step, got\n${stdout}`);
  check(stderr.includes("onnxruntime-node is not installed"), `wanted the line on stderr, got\n${stderr}`);
  console.log("installed from the package alone, and run");
} catch (error) {
  const why = error.stderr === undefined ? undefined : unanswered(error.stderr);
  if (why === undefined) throw error;
  console.log(`skipped: the registry does not answer (${why.trim()})`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
