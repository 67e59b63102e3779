/** @file Saved kernels: what they say that they are of, what takes them, and what is refused, naming the difference. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkKernelFile, kernelFileBytes } from "../../src/experiment/files.ts";
import type { NpySource } from "../../src/linalg/npy.ts";
import { readNpz, writeNpz } from "../../src/linalg/npz.ts";
import { mlp } from "../../src/network/mlp.ts";
import { natgrad } from "../cli/terminal.ts";

const SMALL = "--width 16 --train_size 12 --test_size 5 --n_steps 1 --damping 1e-6";
const EXACT = "--natural_gradient_type exact";

const root = mkdtempSync(join(tmpdir(), "natgrad-kernels-"));
afterAll(() => rmSync(root, { recursive: true }));
const newFolder = () => mkdtempSync(join(root, "case-"));

/** The rows of the table, and what is on stderr. */
const told = async (...args: string[]): Promise<{ rows: string[]; stderr: string }> => {
  const { exitCode, stdout, stderr } = await natgrad("train", SMALL, ...args);
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  return { rows: stdout.split("\n").filter((line) => /^\d+ {2}/.test(line)), stderr };
};

/** The rows of the table. */
const rows = async (...args: string[]): Promise<string[]> => {
  const { rows, stderr } = await told(...args);
  expect(stderr).toBe("");
  return rows;
};

const saved = new Map<string, Promise<string>>();

/** The kernel that a run with these flags saves, made once. */
const save = (flags: string): Promise<string> => {
  const make = async () => {
    const folder = newFolder();
    await rows(flags, "--save_kernel --save_kernel_dir", folder);
    return join(folder, readdirSync(folder)[0]!);
  };
  if (!saved.has(flags)) saved.set(flags, make());
  return saved.get(flags)!;
};

/** The one line of a run with these flags that ends in it. */
const refusal = async (flags: string, path: string): Promise<string> => {
  const { exitCode, stdout, stderr } = await natgrad("train", SMALL, flags, "--kernel_path", path);
  expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 2, stdout: "" });
  return stderr.slice("natgrad: ".length, -1).replace(path, "FILE");
};

/** A kernel with arrays replaced, or left out. */
async function changed(path: string, changes: Record<string, NpySource | undefined>): Promise<string> {
  const arrays: Record<string, NpySource> = {};
  for (const [name, array] of await readNpz(readFileSync(path), path)) {
    const source = name === "identity" ? { ...array, data: Uint8Array.from(array.data) } : array;
    const replaced = name in changes ? changes[name] : source;
    if (replaced) arrays[name] = replaced;
  }
  const copy = join(newFolder(), "changed.npz");
  writeFileSync(copy, writeNpz(arrays));
  return copy;
}
const text = (content: string): NpySource => {
  const data = new TextEncoder().encode(content);
  return { shape: [data.length], data };
};

describe("a kernel of something else is refused, naming what:", () => {
  const analytic = EXACT;
  const empirical = `${EXACT} --kernel empirical`;
  const cases: [saves: string, loads: string, wanted: string, got: string][] = [
    [analytic, "--target_classes 3,8", "classes 3, 8", "classes 0, 1"],
    [analytic, "--data_seed 3", "data seed 3", "data seed none"],
    [analytic, "--dataset synthetic", "dataset synthetic", "dataset mnist"],
    [`${analytic} --dataset synthetic`, "--dataset synthetic --random_seed 2", "data seed 2", "data seed 1"],
    [analytic, "--forster_transform", "forster transform 100 iterations to 0.001", "forster transform none"],
    [analytic, "--n_layers 2", "n layers 2", "n layers 3"],
    [analytic, "--weight_variance 1.5", "weight variance 1.5", "weight variance 2"],
    [analytic, "--bias_variance 0.1", "bias variance 0.1", "bias variance 0"],
    [analytic, "--parameterization mup", "parameterization mup", "parameterization ntk"],
    [
      `${analytic} --parameterization standard`,
      "--parameterization standard --width 32",
      "widths 784 - 32 - 32 - 1",
      "widths 784 - 16 - 16 - 1",
    ],
    [empirical, "--width 32", "widths 784 - 32 - 32 - 1", "widths 784 - 16 - 16 - 1"],
    [empirical, "--precision float64", "precision float64", "precision float32"],
    [
      empirical,
      "--random_seed 2",
      "initial weights of random_seed 2 (numpy)",
      "initial weights of random_seed 1 (numpy)",
    ],
    [
      empirical,
      "--prng jax",
      "initial weights of random_seed 1 (jax)",
      "initial weights of random_seed 1 (numpy)",
    ],
  ];
  it.each(cases)("of %s for %s", async (saves, loads, wanted, got) => {
    const line = `kernel_path: wanted a kernel of ${wanted}, got one of ${got} (FILE)`;
    expect(await refusal(`${EXACT} ${loads}`, await save(saves))).toBe(line);
  });

  it("inputs that go by the same words, by their digests", async () => {
    const path = await save(EXACT);
    const identity = JSON.parse(
      new TextDecoder().decode(
        Uint8Array.from((await readNpz(readFileSync(path), path)).get("identity")!.data),
      ),
    ) as Record<string, unknown>;
    const other = await changed(path, {
      identity: text(JSON.stringify({ ...identity, test_inputs_sha256: "ab".repeat(32) })),
    });
    expect(await refusal(EXACT, other)).toMatch(
      /^kernel_path: wanted a kernel of test inputs sha256 [0-9a-f]{12}, got one of test inputs sha256 abababababab \(FILE\)$/,
    );
  });
});

describe("a kernel is taken", () => {
  it("for another width where it is the same: analytic, in the NTK parameterisation", async () => {
    const flags = "--natural_gradient_type kfac --width 32";
    expect(await rows(flags, "--kernel_path", await save(EXACT))).toEqual(await rows(flags));
  });

  it("for the same data out of a file, and the same weights out of a folder", async () => {
    const folder = newFolder();
    const saving = `--save_dataset --save_dataset_dir ${folder} --save_init_weights --save_init_weights_dir ${folder}`;
    const before = await rows(EXACT, "--kernel empirical", saving);
    const data = join(
      folder,
      readdirSync(folder).find((name) => name.endsWith(".npz"))!,
    );
    const path = await save(`${EXACT} --kernel empirical`);
    const flags = `--dataset_path ${data} --init_weights_dir ${folder} --random_seed 5`;
    expect(await told(EXACT, flags, "--kernel_path", path)).toEqual({
      rows: before,
      stderr: "natgrad: random_seed: no effect with init_weights_dir, and nothing else is drawn by it\n",
    });
  });

  it("with its rank bounds, so that K-FAC inverts an empirical one of float64 on its range", async () => {
    // 36 signals of 12 samples from 16 units: singular Grams, which only their bounds tell from broken ones.
    const flags = "--dataset synthetic --precision float64 --n_classes 3 --damping 0";
    const kfac = `--natural_gradient_type kfac ${flags}`;
    const path = await save(`${kfac} --kernel empirical`);
    const fresh = await natgrad("train", SMALL, kfac, "--kernel empirical");
    const loaded = await natgrad("train", SMALL, kfac, "--kernel_path", path);
    const table = ({ stdout }: typeof fresh) =>
      stdout.split("\n").filter((line) => /^(\d+ {2}|alpha|isotropy)/.test(line));
    expect(fresh.exitCode).toBe(0);
    expect(table(loaded)).toEqual(table(fresh));
    expect(table(loaded)).toHaveLength(4);
  });
});

describe("a kernel for single units", () => {
  // Undamped it diverges with three classes at this width.
  const unitWise = "--natural_gradient_type unit_wise --damping 1e-3";
  it.each(["--kernel analytic", "--kernel empirical", "--kernel empirical --n_classes 3"])(
    "is saved with their signals and predicts alike: %s",
    async (flags) => {
      const before = await rows(unitWise, flags);
      const path = await save(`${unitWise} ${flags}`);
      const others = flags.replace(/--kernel \w+/, "");
      expect(await rows(unitWise, others, "--kernel_path", path)).toEqual(before);
      // Other methods look at its Grams alone.
      expect(await rows(`${EXACT} --damping 1e-3`, others, "--kernel_path", path)).toHaveLength(2);
    },
  );

  it("is the same out of the shared memory of workers", async () => {
    const path = await save(`${unitWise} --kernel empirical --workers 2`);
    expect(await rows(unitWise, "--kernel_path", path)).toHaveLength(2);
  });

  it("is refused where it has Grams alone, before any step", async () => {
    for (const kernel of ["analytic", "empirical"]) {
      expect(await refusal(unitWise, await save(`${EXACT} --kernel ${kernel}`))).toBe(
        "kernel_path: wanted a kernel with the signals of its units for unit_wise, as a run of unit_wise saves it, got Grams alone (FILE)",
      );
    }
  });

  it("is refused where its units were drawn by another seed", async () => {
    const path = await save(`${unitWise} --kernel analytic`);
    expect(await refusal(`${unitWise} --random_seed 2`, path)).toBe(
      "kernel_path: wanted a kernel of units of random_seed 2 at widths 16 - 16, got one of units of random_seed 1 at widths 16 - 16 (FILE)",
    );
  });
});

describe("the file of a kernel", () => {
  it("has the size that is reckoned", async () => {
    const network = mlp(784, { width: 16 });
    const samples = { train: 12, test: 5 };
    for (const [flags, signalBytes] of [
      [`${EXACT} --kernel empirical`, 0],
      ["--natural_gradient_type unit_wise --kernel empirical", 4],
      ["--natural_gradient_type unit_wise --kernel analytic", 8],
    ] as const) {
      const { size } = statSync(await save(flags));
      const least = kernelFileBytes({ samples, network, outputs: 1, signalBytes });
      expect(size).toBeGreaterThan(least);
      expect(size - least).toBeLessThan(8000);
    }
  });

  it("that no archive holds is refused before there is a kernel", () => {
    const network = mlp(784, { width: 64 });
    const sizes = { network, outputs: 1, signalBytes: 0 };
    expect(() => checkKernelFile({ ...sizes, samples: { train: 9400, test: 50 } })).not.toThrow();
    expect(() => checkKernelFile({ ...sizes, samples: { train: 9500, test: 50 } })).toThrow(
      "save_kernel: wanted a file below 4.29 GB, got one of 4.35 GB",
    );
  });
});

describe("the identity of a kernel", () => {
  it("is JSON in an array of bytes", async () => {
    const path = await save(`${EXACT} --kernel empirical --target_classes 0+2,1 --data_seed 4`);
    const { shape, data } = (await readNpz(readFileSync(path), path)).get("identity")!;
    expect(shape).toEqual([data.length]);
    expect(readFileSync(path, "latin1")).toMatch(/identity\.npy\x93NUMPY..v.\{'descr': '\|u1'/s);
    const digest = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    expect(JSON.parse(new TextDecoder().decode(Uint8Array.from(data)))).toEqual({
      format: 1,
      architecture: null,
      kernel: "empirical",
      train_inputs_sha256: digest,
      test_inputs_sha256: digest,
      dataset: "mnist",
      classes: "0+2, 1",
      data_seed: 4,
      forster_transform: null,
      activation: "relu",
      n_layers: 3,
      widths: "784 - 16 - 16 - 1",
      weight_variance: 2,
      bias_variance: 0,
      parameterization: "ntk",
      precision: "float32",
      weights_sha256: digest,
      initial_weights: "of random_seed 1 (numpy)",
      units: null,
      input_ranks: [784, 16, 16],
      signal_ranks: [16, 16, 1],
    });
  });

  it("must be there, of a known format, and whole", async () => {
    const path = await save(EXACT);
    const withIdentity = async (identity: NpySource | undefined) =>
      refusal(EXACT, await changed(path, { identity }));
    expect(await withIdentity(undefined)).toMatch(
      /^kernel_path: wanted a kernel that says what it is of, got one of an earlier natgrad, which must be saved again \(.*\)$/,
    );
    expect(await withIdentity(text('{"format": 7}'))).toMatch(
      /^kernel_path: wanted a kernel with an identity of format 1, got format 7 \(.*\)$/,
    );
    for (const broken of ['{"format": 1}', "[]", "null", "{", "7"]) {
      expect(await withIdentity(text(broken))).toMatch(
        /^kernel_path: wanted .* of format 1, got one that cannot be read \(.*\)$/,
      );
    }
  });

  it("stands beside numbers that are checked", async () => {
    const path = await save(EXACT);
    const shape = (...numbers: number[]): NpySource => ({
      shape: [numbers.length],
      data: Float64Array.from(numbers),
    });
    for (const [outputs, copies, epsilon] of [
      [1.5, 1, 2 ** -52],
      [1, 0, 2 ** -52],
      [1, 1, 0],
    ] as const) {
      expect(await refusal(EXACT, await changed(path, { shape: shape(outputs, copies, epsilon) }))).toMatch(
        /wanted shape = \[outputs, copies, epsilon\], got \[/,
      );
    }
    expect(await refusal(EXACT, await changed(path, { shape: shape(1, 1) }))).toMatch(/got \[1, 1\]$/);
  });
});
