/** @file Output that cannot be written, by processes of their own: a full disk, a file that may not grow, no reader. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "natgrad-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL = "--natural_gradient_type exact --width 16 --train_size 8 --test_size 4";
const LINUX = process.platform === "linux";

type Ran = { exitCode: number | null; stderr: string };

/**
 * Runs `natgrad ...`; its exit code and what it said.
 * @param stdout where its output goes
 * @param script what a shell does with the command, which is its "$@"
 */
function run(command: string, stdout: number | "ignore", script?: string): Promise<Ran> {
  const args = [process.execPath, "bin/natgrad.js", ...command.split(" ")];
  const [file, ...rest] = script === undefined ? args : ["bash", "-c", script, "bash", ...args];
  const child = spawn(file!, rest, { stdio: ["ignore", stdout, "pipe"] });
  let stderr = "";
  child.stderr!.setEncoding("utf8").on("data", (part: string) => (stderr += part));
  return new Promise((resolve) => child.on("close", (exitCode) => resolve({ exitCode, stderr })));
}

/** The same with its output to a file or device. */
async function runInto(path: string, command: string, script?: string): Promise<Ran> {
  const file = openSync(path, "w");
  try {
    return await run(command, file, script);
  } finally {
    closeSync(file);
  }
}

const unwritable = (code: string): Ran => ({
  exitCode: 2,
  stderr: `natgrad: stdout: wanted an output that can be written, got ${code}\n`,
});

describe("an output that cannot be written", () => {
  it
    .skipIf(!existsSync("/dev/full"))
    .each([
      ...["table", "csv", "jsonl"].map((format) => `train ${SMALL} --format ${format}`),
      ...["table", "jsonl"].map((format) => `kernel ${SMALL} --format ${format}`),
      "data list",
      "data fetch mnist",
      "--help",
      "train --help",
      "--version",
    ])("is named, on a full disk: %s", async (command) => {
    expect(await runInto("/dev/full", command)).toEqual(unwritable("ENOSPC"));
  });

  it.skipIf(!LINUX)("is named when there is room for its beginning alone", async () => {
    const path = join(folder, "cut.jsonl");
    // 1 KiB: less than the configuration.
    const ran = await runInto(path, `train ${SMALL} --format jsonl`, 'ulimit -f 1; exec "$@"');
    expect(ran).toEqual(unwritable("EFBIG"));
    expect(readFileSync(path).length).toBe(1024);
  });

  it.skipIf(process.platform === "win32").each(["--help", `train ${SMALL} --format csv`, `kernel ${SMALL}`])(
    "is no error where nobody reads: %s",
    async (command) => {
      // The reader is gone before natgrad starts.
      const script = 'set -o pipefail; { sleep 0.2; "$@"; } | true';
      expect(await run(command, "ignore", script)).toEqual({ exitCode: 0, stderr: "" });
    },
  );
});

describe("files that cannot be saved", () => {
  it.skipIf(!existsSync("/proc/self"))(
    "are refused before any work where no folder can be made",
    async () => {
      const { exitCode, stderr } = await run(
        `train ${SMALL} --save_kernel --save_kernel_dir /proc/x`,
        "ignore",
      );
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(
        /^natgrad: save_kernel_dir: wanted a folder that can be written, got "\/proc\/x" \([A-Z]+\)\n$/,
      );
    },
  );

  it.skipIf(!LINUX)("leave nothing behind when there is no room in the middle", async () => {
    const place = join(folder, "room");
    // 4 KiB: less than the images.
    const command = `train ${SMALL} --save_dataset --save_dataset_dir ${place}`;
    expect(await run(command, "ignore", 'ulimit -f 4; exec "$@"')).toEqual({
      exitCode: 2,
      stderr: `natgrad: ${place}/mnist_train8_test4_2classes.npz: wanted a writable place, got EFBIG\n`,
    });
    expect(readdirSync(place)).toEqual([]);
  });
});
