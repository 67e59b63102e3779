/**
 * @file Ctrl-C, heard at once by processes in the middle of whatever takes long: how soon does not depend on what they do, and
 * nothing half done is left behind.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { bundledCommandLine } from "../support/bundle.ts";

const main = bundledCommandLine();
const watch = fileURLToPath(new URL("../support/gaps.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "natgrad-interrupt-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Milliseconds of work in which a process may be deaf: Ctrl-C ends it within a second. */
const DEAF = 800;

/** Names of temporary files in a folder, and of folders of files that are to be moved together. */
const temporaries = (place: string): string[] => readdirSync(place).filter((name) => name.endsWith(".tmp"));

/** A process of `natgrad ...`; `ended` resolves to its exit code and what it wrote to stderr. */
function start(flags: string) {
  const child = spawn(process.execPath, ["--import", watch, main, ...flags.split(" ")]);
  let text = "";
  child.stdout.resume();
  const listening = new Promise<void>((resolve) => {
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.includes("listening")) resolve();
    });
  });
  const ended = new Promise<{ code: number | null; text: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, text }));
  });
  return { child, listening, ended };
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const FLAGS = "--dataset synthetic --test_size 20 --damping 1e-3 --quiet";
const LONG = {
  "unit-wise blocks": "train --natural_gradient_type unit_wise --width 256 --train_size 800 --kernel none",
  "units that are drawn, and their blocks":
    "train --natural_gradient_type unit_wise --width 512 --train_size 500",
  "a diagnosis": "kernel --width 128 --train_size 1200",
  "eigenvectors and probes": "train --natural_gradient_type kfac_tikhonov --width 64 --train_size 900",
  "a folded curvature":
    "train --natural_gradient_type exact --loss_type cross_entropy --n_classes 10 --width 64 --train_size 400",
  "coupled layers": "train --natural_gradient_type block_tri_diagonal --width 64 --train_size 1500",
  "wide layers":
    "train --natural_gradient_type exact --width 4096 --n_layers 4 --train_size 600 --kernel none --prng jax",
  workers:
    "train --natural_gradient_type kfac --width 512 --train_size 1500 --workers 2 --threads 1 --kernel empirical",
} as const;

describe("Ctrl-C", () => {
  const moments = [600, 3000];
  it.each(Object.entries(LONG).flatMap(([what, flags]) => moments.map((at) => [what, at, flags] as const)))(
    "in the middle of %s, after %i ms",
    async (_, at, flags) => {
      const { child, listening, ended } = start(`${flags} ${FLAGS}`);
      await listening;
      await later(at);
      // A fast machine may be done.
      const alive = child.exitCode === null && child.kill("SIGINT");
      const { code, text } = await ended;
      if (alive && code !== 0) {
        expect(code).toBe(130);
        expect(text).toContain("natgrad: interrupted\n");
      }
      expect(Number(/longest gap: (\d+) ms/.exec(text)?.[1])).toBeLessThan(DEAF);
    },
  );

  it("twice ends at once, without the temporary file that is being written", async () => {
    const place = mkdtempSync(join(folder, "weights-"));
    const flags = `--natural_gradient_type exact --width 6000 --train_size 20 --save_init_weights --save_init_weights_dir ${place}`;
    const { child, ended } = start(`train ${FLAGS} ${flags}`);
    const isSet = (name: string) => name.startsWith(".set.");
    while (!temporaries(place).some(isSet) && child.exitCode === null) await later(1);
    expect(temporaries(place).filter(isSet)).toHaveLength(1);
    await later(50);
    child.kill("SIGINT");
    await later(5);
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
    expect(temporaries(place)).toEqual([]);
  });

  it("twice as SIGTERM ends with its own code", async () => {
    const { child, listening, ended } = start(`${LONG["unit-wise blocks"]} ${FLAGS}`);
    await listening;
    await later(1000);
    child.kill("SIGTERM");
    child.kill("SIGTERM");
    expect((await ended).code).toBe(143);
  });
});
