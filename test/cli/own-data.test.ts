/** @file Training on somebody's own archive: pixels and class numbers as other programs save them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openIdx } from "../../src/data/node/idx.ts";
import { mnistFolder } from "../../src/data/node/mnist.ts";
import { writeNpy } from "../../src/linalg/npy.ts";
import { type NpySource } from "../../src/linalg/npy.ts";
import { writeNpz } from "../../src/linalg/npz.ts";
import { zip } from "../support/zip.ts";
import { natgrad, SMALL } from "./terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "natgrad-own-data-"));
afterAll(() => rmSync(folder, { recursive: true }));

const EXACT = "--natural_gradient_type exact";

/** The first images of three digits, as [N, 28, 28] pixels, and what `label` makes of their digits. */
async function split(name: string, count: number, label: (digit: number) => number): Promise<NpySource[]> {
  const path = (what: string) => join(mnistFolder(), `${name}-${what}-ubyte`);
  const { labels, read } = await openIdx(path("images-idx3"), path("labels-idx1"));
  const chosen = [...labels.keys()].filter((i) => [0, 4, 7].includes(labels[i]!)).slice(0, count);
  return [
    { shape: [count, 28, 28], data: await read(Uint32Array.from(chosen)) },
    { shape: [count, 1], data: BigInt64Array.from(chosen, (i) => BigInt(label(labels[i]!))) },
  ];
}

/** An archive of pixels and integer labels; its path. */
async function archive(name: string, label: (digit: number) => number): Promise<string> {
  const arrays = [...(await split("train", 20, label)), ...(await split("t10k", 10, label))];
  const named = Object.fromEntries(arrays.map((array, i) => [`arr_${i}`, array]));
  const path = join(folder, `${name}.npz`);
  writeFileSync(path, writeNpz({ ...named, arr_4: { shape: [3], data: BigInt64Array.of(0n, 4n, 7n) } }));
  return path;
}

const steps = (stdout: string): unknown[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string })
    .filter(({ event }) => event === "step");

describe("an archive of pixels and integer labels", () => {
  it.each(["mse", "cross_entropy"])("trains as natgrad's own data do: %s", async (loss) => {
    const flags = `${SMALL} ${EXACT} --format jsonl --damping 1e-4 --loss_type ${loss}`;
    const own = await natgrad("train", flags, "--target_classes 0,4,7");
    for (const path of [
      await archive("digits", (digit) => digit),
      await archive("indices", (digit) => [0, 4, 7].indexOf(digit)),
    ]) {
      const { exitCode, stdout, stderr } = await natgrad("train", flags, "--normalise --dataset_path", path);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(steps(stdout)).toEqual(steps(own.stdout));
      expect(steps(stdout)).toHaveLength(3);
    }
  });

  it("is told of on stderr, and in JSON lines, when its norms are far from 1", async () => {
    const path = await archive("pixels", (digit) => digit);
    const hint =
      /\/pixels\.npz: wanted samples of a norm near 1, got [\d.e+]+ \(root mean square\); normalise scales them$/;
    const flags = `${SMALL} ${EXACT} --damping 1 --n_steps 0 --dataset_path ${path}`;
    const table = await natgrad("train", flags);
    expect(table.exitCode).toBe(0);
    expect(table.stderr.trimEnd()).toMatch(new RegExp(`^natgrad: .*${hint.source}`));
    expect(table.stdout).toMatch(/^=====/);
    const { stdout } = await natgrad("train", flags, "--format jsonl");
    const first = JSON.parse(stdout.split("\n")[0]!) as { message: string };
    expect(first).toEqual({ event: "notice", kind: "data", step: 0, message: expect.stringMatching(hint) });
    expect((await natgrad("train", flags, "--normalise")).stderr).toBe("");
    expect((await natgrad("train", flags, "--forster_transform")).stderr).toBe("");
  });

  it("is diagnosed with the same option and the same hint", async () => {
    const flags = `${SMALL} --natural_gradient_type exact --damping 1 --dataset_path ${await archive("kernel", (d) => d)}`;
    const plain = await natgrad("kernel", flags);
    expect(plain).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("wanted samples of a norm near 1"),
    });
    expect(await natgrad("kernel", flags, "--normalise")).toMatchObject({ exitCode: 0, stderr: "" });
  });

  it("is refused in one line when its labels are none", async () => {
    const path = await archive("wrong", (digit) => digit + 1);
    const { exitCode, stdout, stderr } = await natgrad("train", SMALL, EXACT, "--dataset_path", path);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(
      /^natgrad: npz [^\n]*wrong\.npz \(arr_1\): wanted class numbers \(0, 4, 7\), indices \(0 to 2\) or a column for each class [^\n]*, got \d for sample \d+\n$/,
    );
  });
});

describe("an archive that unpacks to more than it may", () => {
  const content = writeNpy({ shape: [2 ** 24], data: new Uint8Array(2 ** 24) });
  const path = join(folder, "bomb.npz");
  writeFileSync(path, zip(["arr_0", "arr_1", "arr_2"].map((name) => ({ name: `${name}.npy`, content }))));

  it.each(["--dataset_path", "--kernel_path"])("is refused under --memory_limit: %s", async (option) => {
    const flags = `${EXACT} --width 16 --train_size 8 --test_size 4 --memory_limit 300MB`;
    const { exitCode, stdout, stderr } = await natgrad("train", flags, option, path);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(
      /^natgrad: npz [^\n]*bomb\.npz: wanted an archive that takes at most 300000000 bytes \(the memory limit\), got \d+\n$/,
    );
  });
});
