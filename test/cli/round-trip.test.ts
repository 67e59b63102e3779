import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { readNpy } from "../../src/linalg/npy.ts";
import { randomState } from "../../src/random/random-state.ts";
import { natgrad, SMALL } from "./terminal.ts";

const EXACT = "--natural_gradient_type exact --n_steps 2";

const root = mkdtempSync(join(tmpdir(), "natgrad-round-trip-"));
afterAll(() => rmSync(root, { recursive: true }));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, "case-"));
});

/** The rows of the table, as text. */
const rows = async (...args: string[]): Promise<string[]> => {
  const { exitCode, stdout, stderr } = await natgrad("train", SMALL, ...args);
  // Networks this small have Grams for which float32 is narrow, and say so.
  const rest = stderr
    .replaceAll(/^natgrad: step \d+: .* rounding may change .*\n/gm, "")
    // Another seed is given beside weights, to see that they are what counts.
    .replace("natgrad: random_seed: no effect with init_weights_dir, and nothing else is drawn by it\n", "");
  expect({ exitCode, stderr: rest }).toEqual({ exitCode: 0, stderr: "" });
  return stdout.split("\n").filter((line) => /^\d+ {2}/.test(line));
};

const only = (place: string): string => {
  const names = readdirSync(place);
  expect(names).toHaveLength(1);
  return join(place, names[0]!);
};

describe("a dataset that was saved", () => {
  it.each([
    "--n_classes 2",
    "--target_classes 7,2,5",
    "--target_classes 0+2,1+3",
    "--dataset synthetic --n_classes 4",
    "--forster_transform",
    "--data_seed 3",
    "--dataset synthetic --data_seed 3",
  ])("trains alike: %s", async (flags) => {
    const before = await rows(EXACT, flags, "--save_dataset --save_dataset_dir", folder);
    expect(before).toHaveLength(3);
    expect(await rows(EXACT, "--dataset_path", only(folder))).toEqual(before);
  });

  it("holds NumPy's arrays arr_0 to arr_4", async () => {
    await rows(EXACT, "--save_dataset --save_dataset_dir", folder);
    const text = readFileSync(only(folder), "latin1");
    for (const name of ["arr_0.npy", "arr_1.npy", "arr_2.npy", "arr_3.npy", "arr_4.npy"]) {
      expect(text).toContain(name);
    }
  });
});

describe("a data_seed", () => {
  it("draws other samples of MNIST, of synthetic data and of a file, and says so", async () => {
    await rows(EXACT, "--dataset synthetic --save_dataset --save_dataset_dir", folder);
    for (const source of ["", "--dataset synthetic", `--dataset_path ${only(folder)} --train_size 15`]) {
      const seeds = ["", "--data_seed 3", "--data_seed 3", "--data_seed 4"];
      const tables = await Promise.all(seeds.map((seed) => rows(EXACT, source, seed)));
      expect(tables[1]).toEqual(tables[2]);
      expect(new Set(tables.map(String)).size).toBe(3);
    }
    const { stdout } = await natgrad("train", SMALL, EXACT, "--data_seed 3 --format jsonl");
    expect(JSON.parse(stdout.split("\n")[0]!)).toMatchObject({ data_seed: 3 });
  });
});

describe("files that were saved", () => {
  it("stand beside those of other data, in the same folder", async () => {
    const seen: string[] = [];
    for (const flags of ["", "--target_classes 3,8", "--data_seed 3", "--loss_type cross_entropy"]) {
      const places = `--save_dataset --save_dataset_dir ${folder} --save_kernel --save_kernel_dir ${folder}`;
      await rows(EXACT, "--damping 1e-3", flags, places);
      seen.push(flags);
      expect(readdirSync(folder), flags).toHaveLength(2 * seen.length);
    }
  });
});

describe("a kernel that was saved", () => {
  it.each([
    "--kernel analytic",
    "--kernel empirical",
    "--kernel analytic --n_classes 3 --bias_variance 0.1 --width 256",
    "--kernel empirical --n_classes 3 --damping 1e-3",
    "--kernel empirical --data_seed 3",
  ])("predicts alike: %s", async (flags) => {
    const before = await rows(EXACT, flags, "--save_kernel --save_kernel_dir", folder);
    const others = flags.replace(/--kernel \w+/, "");
    expect(await rows(EXACT, others, "--kernel_path", only(folder))).toEqual(before);
  });

  it("splits the damping of K-FAC with biases as the kernel that was made", async () => {
    const flags = "--bias_variance 0.5 --damping 1e-4 --n_steps 2 --natural_gradient_type kfac";
    const before = await rows(flags, "--save_kernel --save_kernel_dir", folder);
    expect(await rows(flags, "--kernel_path", only(folder))).toEqual(before);
  });

  it("serves another method, and gradient descent", async () => {
    await rows(EXACT, "--save_kernel --save_kernel_dir", folder);
    for (const method of ["--natural_gradient_type kfac", "--learning_rate 1"]) {
      expect(await rows(method, "--kernel_path", only(folder))).toEqual(await rows(method));
    }
  });
});

describe("initial weights that were saved", () => {
  it.each([
    "",
    "--bias_variance 0.1",
    "--n_classes 3 --bias_variance 0.1 --width 256",
    "--precision float64",
  ])("train alike: %s", async (flags) => {
    const before = await rows(EXACT, flags, "--save_init_weights --save_init_weights_dir", folder);
    // The seed has no say any more.
    expect(await rows(EXACT, flags, "--random_seed 7 --init_weights_dir", folder)).toEqual(before);
  });

  it("are NumPy arrays [in, out] of unit variance", async () => {
    await rows(
      "--bias_variance 0.1 --learning_rate 1",
      "--save_init_weights --save_init_weights_dir",
      folder,
    );
    const names = ["W1.npy", "W2.npy", "W3.npy", "b1.npy", "b2.npy", "b3.npy"];
    expect(readdirSync(folder).toSorted()).toEqual(names);
    const read = (name: string) => readNpy(readFileSync(join(folder, name)), name);
    const shapes = [[784, 64], [64, 64], [64, 1], [64], [64], [1]];
    expect(names.map((name) => read(name).shape)).toEqual(shapes);

    // The stream fills the last layer first, each [out, in]; what is saved is its transpose.
    const { normalsInto } = randomState(1);
    for (const [l, out, fanIn] of [
      [3, 1, 64],
      [2, 64, 64],
      [1, 64, 784],
    ] as const) {
      const drawn = normalsInto(new Float32Array(out * fanIn));
      const { data } = read(`W${l}.npy`);
      for (const [i, o] of [
        [0, 0],
        [1, 0],
        [fanIn - 1, out - 1],
        [3, Math.min(2, out - 1)],
      ] as const) {
        expect(data[i * out + o]).toBe(drawn[o * fanIn + i]);
      }
    }
  });
});
