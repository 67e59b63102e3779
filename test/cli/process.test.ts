import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "natgrad-process-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LONG = "--learning_rate 1 --width 64 --train_size 20 --test_size 10 --n_steps 1000000 --format csv";

/** `natgrad ...` as a process of its own, and the text of both its streams. */
function start(flags: string): { child: ChildProcess; text: { stdout: string; stderr: string } } {
  const child = spawn(process.execPath, ["bin/natgrad.js", ...flags.split(" ")]);
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (part: string) => (text[name] += part));
  }
  return { child, text };
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.on("close", (exitCode) => resolve(exitCode)));

describe("the natgrad process", () => {
  it("ends with the exit code of the command", async () => {
    const { child, text } = start("train --natural_gradient_type exact --width 0");
    expect(await ended(child)).toBe(2);
    expect(text).toEqual({
      stdout: "",
      stderr: 'natgrad: width: wanted a whole number >= 1, got "0"\n',
    });
  });

  it("stops between two steps on Ctrl-C, with whole rows and whole files", async () => {
    const place = join(folder, "weights");
    const { child, text } = start(`train ${LONG} --save_init_weights --save_init_weights_dir ${place}`);
    child.stdout!.once("data", () => child.kill("SIGINT"));
    expect(await ended(child)).toBe(130);
    expect(text.stderr).toBe("natgrad: interrupted\n");
    expect(text.stdout).toMatch(/\n$/);
    for (const row of text.stdout.trimEnd().split("\n")) expect(row.split(",")).toHaveLength(9);
    expect(readdirSync(place).toSorted()).toEqual(["W1.npy", "W2.npy", "W3.npy"]);
  });

  it("ends quietly when nobody reads on", async () => {
    const { child, text } = start(`train ${LONG}`);
    child.stdout!.once("data", () => child.stdout!.destroy());
    expect(await ended(child)).toBe(0);
    expect(text.stderr).toBe("");
    expect(existsSync("core")).toBe(false);
  });

  it.each(["train --natural_gradient_type exact --kernel empirical", "kernel --natural_gradient_type kfac"])(
    "prints the same with workers and without (%s), and ends",
    async (command) => {
      const flags = `${command} --dataset synthetic --width 32 --train_size 20 --test_size 10 --threads 1`;
      const [alone, shared] = [start(flags), start(`${flags} --workers 2`)];
      expect(await Promise.all([ended(alone.child), ended(shared.child)])).toEqual([0, 0]);
      const rows = ({ text }: typeof alone) =>
        // Workers take memory, which is planned.
        text.stdout.split("\n").filter((line) => !/workers|done in|^plan:/.test(line));
      expect(rows(shared).length).toBeGreaterThan(5);
      expect(rows(shared)).toEqual(rows(alone));
    },
  );

  it("says in one line that a device is missing, whatever its drivers print", async () => {
    const flags =
      "train --natural_gradient_type exact --dataset synthetic --width 8 --train_size 4 --test_size 2 --device webgpu";
    const { child, text } = start(flags);
    // Where there is one, nothing is missing.
    if ((await ended(child)) === 0) return;
    expect(text.stdout).toBe("");
    expect(text.stderr).toMatch(
      /^natgrad: device: wanted a working webgpu provider, got none on this machine \([^\n]+\)\n$/,
    );
  });

  it("ends on Ctrl-C with its workers", async () => {
    const { child, text } = start(`train ${LONG} --workers 2`);
    child.stdout!.once("data", () => child.kill("SIGINT"));
    expect(await ended(child)).toBe(130);
    expect(text.stderr).toBe("natgrad: interrupted\n");
  });
});
