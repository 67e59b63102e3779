/**
 * @file The Python environment of the peers, bench/peers/.venv: made on the first run, and again when the requirements
 * change. natgrad itself needs no Python.
 */
import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { InputError } from "../../src/error.ts";
import type { Peer } from "./cases.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const FOLDER = join(HERE, ".venv");
const PYTHON = join(FOLDER, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const PLACEHOLDERS = join(FOLDER, "cuda-placeholders");

/** An interpreter, and what its processes need beside it. */
export type Environment = {
  readonly python: string;
  readonly env: Readonly<Record<string, string>>;
  /** Peers that could not be had, and why. */
  readonly missing: ReadonlyMap<Peer, string>;
};

const run = promisify(execFile);

/** Installs what the peers named need, unless it is there. */
export async function createEnvironment(
  peers: readonly Peer[],
  progress: (what: string) => void,
): Promise<Environment> {
  const missing = new Map<Peer, string>();
  const env: Record<string, string> = {};
  if (peers.every((peer) => peer === "natgrad")) return { python: PYTHON, env, missing };
  if (!existsSync(PYTHON)) {
    const interpreter = await findPython();
    progress(`making ${FOLDER}`);
    await attempt(interpreter, "-m", "venv", FOLDER);
  }
  await install("requirements.txt", progress);
  if (peers.includes("torch")) {
    try {
      await install("requirements-torch.txt", progress);
      Object.assign(env, await loadTorch(progress));
    } catch (error) {
      missing.set("torch", error instanceof Error ? error.message : String(error));
    }
  }
  return { python: PYTHON, env, missing };
}

/** A Python for which the pinned versions have builds. */
async function findPython(): Promise<string> {
  const found: string[] = [];
  for (const name of [process.env.PYTHON, "python3.11", "python3.12", "python3"]) {
    if (name === undefined) continue;
    try {
      const { stdout } = await run(name, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
      if (["3.11", "3.12"].includes(stdout.trim())) return name;
      found.push(`${name} ${stdout.trim()}`);
    } catch {
      // Not there.
    }
  }
  throw new InputError(
    `peers: wanted Python 3.11 or 3.12 (or its path in PYTHON), got ${found.join(", ") || "none"}; --peers natgrad needs none`,
  );
}

/** Installs a requirements file once. */
async function install(file: string, progress: (what: string) => void): Promise<void> {
  const requirements = join(HERE, file);
  const mark = join(FOLDER, `${file}.installed`);
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  if (existsSync(mark) && readFileSync(mark, "utf8") === digest) return;
  progress(`installing bench/peers/${file}`);
  await attempt(
    PYTHON,
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-deps",
    "--disable-pip-version-check",
    "-r",
    requirements,
  );
  writeFileSync(mark, digest);
  rmSync(PLACEHOLDERS, { recursive: true, force: true });
}

/** What PyTorch's processes need in their environment to load: nothing, or placeholders for CUDA's libraries. */
async function loadTorch(progress: (what: string) => void): Promise<Record<string, string>> {
  const load = (env: Record<string, string>) =>
    run(PYTHON, ["-c", "import torch"], { env: { ...process.env, ...env } }).then(
      () => true,
      () => false,
    );
  const placeholders = { LD_LIBRARY_PATH: PLACEHOLDERS };
  if (existsSync(PLACEHOLDERS)) {
    if (await load(placeholders)) return placeholders;
  } else if (await load({})) return {};
  progress("making placeholders for CUDA's libraries");
  await attempt(PYTHON, join(HERE, "cuda_placeholders.py"), PLACEHOLDERS);
  if (await load(placeholders)) return placeholders;
  throw new InputError(
    "torch: wanted a build for CPUs, got one that does not load without CUDA (set pip to an index with CPU builds)",
  );
}

/** Runs a program; what it says last is the error. */
async function attempt(program: string, ...args: readonly string[]): Promise<void> {
  try {
    await run(program, args, { maxBuffer: 2 ** 26 });
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    const last = stderr.trim().split("\n").at(-1) ?? "";
    const offline = /connection|resolve|network|No matching distribution|Max retries/i.test(stderr)
      ? "is there a network? "
      : "";
    throw new InputError(
      `peers: wanted ${args.slice(0, 3).join(" ")} to work, got: ${offline}${last.slice(0, 300)}`,
    );
  }
}
