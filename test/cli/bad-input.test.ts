import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type NpySource, writeNpy } from "../../src/linalg/npy.ts";
import { writeNpz } from "../../src/linalg/npz.ts";
import { main } from "../../src/cli/cli.ts";
import { natgrad, SMALL } from "./terminal.ts";

const EXACT = "--natural_gradient_type exact";

const folder = mkdtempSync(join(tmpdir(), "natgrad-bad-input-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file into the folder of these tests; its path. */
const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

/** A dataset of 8 training and 4 test samples in 5 dimensions, with arrays replaced. */
const dataset = (name: string, replaced: Record<string, NpySource> = {}): string => {
  const values = (rows: number, cols: number, value: (i: number) => number): NpySource => ({
    shape: [rows, cols],
    data: Float32Array.from({ length: rows * cols }, (_, i) => value(i)),
  });
  const sign = (i: number) => (i % 2 === 0 ? 0.5 : -0.5);
  const arrays = {
    arr_0: values(8, 5, (i) => Math.sin(1 + i * i)),
    arr_1: values(8, 1, sign),
    arr_2: values(4, 5, (i) => Math.cos(1 + i * i)),
    arr_3: values(4, 1, sign),
    arr_4: { shape: [2], data: BigInt64Array.of(0n, 1n) },
    ...replaced,
  };
  return file(name, writeNpz(arrays));
};

/** The one line that `natgrad train ...args` ends in, having printed nothing else. */
const refusal = async (...args: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await natgrad("train", ...args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(/^natgrad: [^\n]+\n$/);
  return stderr.slice("natgrad: ".length, -1);
};

const onData = (path: string, ...args: string[]) =>
  refusal("--width 16 --train_size 8 --test_size 4 --dataset_path", path, EXACT, ...args);

describe("a wrong value", () => {
  it.each([
    [
      "--natural_gradient_type foo",
      /^natural_gradient_type: wanted one of exact, block_diagonal.*, got "foo"$/,
    ],
    ["--loss_type huber", /^loss_type: wanted one of mse.*, got "huber"$/],
    ["--dataset nope", /^dataset: wanted one of mnist,.*, got "nope"$/],
    ["--learning_rate 0", /^learning_rate: wanted a number from 1e-30 to 1e30, got "0"$/],
    ["--learning_rate -1", /^learning_rate: .*, got "-1"$/],
    ["--learning_rate NaN", /^learning_rate: .*, got "NaN"$/],
    ["--learning_rate abc", /^learning_rate: .*, got "abc"$/],
    ["--learning_rate=", /^learning_rate: .*, got ""$/],
    ["--lr_factor 0", /^lr_factor: .*, got "0"$/],
    ["--damping -1", /^damping: wanted a number from 0 to 1e30, got "-1"$/],
    ["--damping Infinity", /^damping: .*, got "Infinity"$/],
    ["--weight_variance 0", /^weight_variance: wanted a number from 1e-30 to 1e30, got "0"$/],
    ["--bias_variance -0.1", /^bias_variance: wanted a number from 0 to 1e30, got "-0.1"$/],
    ["--width 0", /^width: wanted a whole number >= 1, got "0"$/],
    ["--width -3", /^width: wanted a whole number >= 1, got "-3"$/],
    ["--width 1.5", /^width: wanted a whole number >= 1, got "1.5"$/],
    ["--width 0x10", /^width: wanted a whole number >= 1, got "0x10"$/],
    ["--n_layers 0", /^n_layers: wanted a whole number from 1 to 1000, got "0"$/],
    ["--n_layers 100000", /^n_layers: wanted a whole number from 1 to 1000, got "100000"$/],
    ["--n_steps abc", /^n_steps: wanted a whole number >= 0, got "abc"$/],
    ["--n_steps -1", /^n_steps: wanted a whole number >= 0, got "-1"$/],
    ["--train_size 0", /^train_size: wanted a whole number >= 1, or all, got "0"$/],
    ["--test_size 0", /^test_size: wanted a whole number >= 1, or all, got "0"$/],
    ["--test_size every", /^test_size: wanted a whole number >= 1, or all, got "every"$/],
    ["--n_classes 1", /^n_classes: wanted a whole number >= 2, got "1"$/],
    ["--n_classes 11", /^n_classes: wanted at most 10 \(classes of mnist\), got 11$/],
    ["--random_seed -1", /^random_seed: wanted a whole number from 0 to 4294967295, got "-1"$/],
    ["--random_seed 4294967296", /^random_seed: .*, got "4294967296"$/],
    ["--threads 0", /^threads: wanted a whole number from 1 to 1024, got "0"$/],
    ["--workers 0", /^workers: wanted a whole number from 1 to 64, got "0"$/],
    ["--workers -1", /^workers: wanted a whole number from 1 to 64, got "-1"$/],
    ["--workers 1.5", /^workers: wanted a whole number from 1 to 64, got "1.5"$/],
    ["--workers abc", /^workers: wanted a whole number from 1 to 64, got "abc"$/],
    ["--workers 100000", /^workers: wanted a whole number from 1 to 64, got "100000"$/],
    ["--workers 2 --device webgpu", /^workers: wanted 1 with device webgpu, got 2$/],
    ["--kernel_batch_size 0", /^kernel_batch_size: wanted a whole number >= 1, got "0"$/],
    ["--batch_size 0", /^batch_size: wanted a whole number >= 1, got "0"$/],
    ["--batch_size 21", /^batch_size: wanted at most 20 \(training samples\), got 21$/],
    ["--log_every 0", /^log_every: wanted a whole number >= 1, got "0"$/],
    [
      "--batch_size 10 --damping 1 --damping_schedule levenberg_marquardt",
      /^damping_schedule: wanted constant beside batch_size .*, got levenberg_marquardt$/,
    ],
    ["--solver lu", /^solver: wanted one of auto, gram, cg, got "lu"$/],
    [
      "--natural_gradient_type kfac --solver cg",
      /^solver: wanted natural_gradient_type exact or exact_plus_mse beside it, got kfac$/,
    ],
    ["--solver gram --cg_tolerance 1e-3", /^cg_tolerance: wanted solver cg beside it, got gram$/],
    ["--cg_tolerance 0", /^cg_tolerance: wanted a number from 1e-30 to below 1, got "0"$/],
    ["--cg_tolerance 1", /^cg_tolerance: wanted a number from 1e-30 to below 1, got "1"$/],
    ["--cg_max_iterations 0", /^cg_max_iterations: wanted a whole number >= 1, got "0"$/],
    ["--preconditioner_rank -1", /^preconditioner_rank: wanted a whole number >= 0, got "-1"$/],
    ["--device tpu", /^device: wanted one of cpu, .*, got "tpu"$/],
    ["--device_count 2", /^device_count: wanted 1, or -1 for all there are, got "2"$/],
    ["--device_count 0", /^device_count: wanted 1, or -1 for all there are, got "0"$/],
    ["--save_dataset maybe", /^save_dataset: wanted true or false, got "maybe"$/],
    ["--target_classes 1,a", /^target_classes: wanted whole numbers, as 3,8 or 3 8, or .*, got 1,a$/],
    ["--target_classes 0+2,", /^target_classes: wanted whole numbers, .* groups of them, as .*, got 0\+2,$/],
    ["--target_classes 0+ 1", /^target_classes: wanted whole numbers, .*, got 0\+,1$/],
    ["--target_classes 0+1", /^target_classes: wanted two or more different classes, got 0\+1$/],
    ["--target_classes 0+2,2+1", /^target_classes: wanted every class once, got 2 twice in 0\+2,2\+1$/],
    ["--target_classes 0+11,1", /^target_classes: wanted classes among 0, 1, .*, got 11$/],
    ["--target_classes 1", /^target_classes: wanted two or more different classes, got 1$/],
    ["--target_classes 1,1", /^target_classes: wanted two or more different classes, got 1,1$/],
    ["--target_classes 0,11", /^target_classes: wanted classes among 0, 1, .*, got 11$/],
    [
      "--train_size 12666",
      /^train_size: wanted at most 12665 \(training images of classes 0, 1\), got 12666$/,
    ],
    ["--test_size 20000", /^test_size: wanted at most 2115 \(test images of classes 0, 1\), got 20000$/],
    ["--format xml", /^format: wanted one of table, jsonl, csv, got "xml"$/],
  ])("%s is named", async (flag, message) => {
    const method = flag.includes("natural_gradient_type") ? "" : EXACT;
    expect(await refusal(SMALL, method, flag)).toMatch(message);
  });
});

describe("an option", () => {
  it.each([
    ["--widht 3", /^--widht: wanted a known option \(did you mean --width\?\), got an unknown one$/],
    ["-w 3", /^-w: wanted a known option \(--help lists them\)/],
    ["--n_steps", /^n_steps: wanted <n>, got nothing$/],
    ["--n_steps --damping 1", /^n_steps: wanted a value, got the next option --damping$/],
    ["foo bar", /^train: wanted options alone, got "foo bar"$/],
  ])("in %s is explained", async (flag, message) => {
    expect(await refusal(SMALL, EXACT, flag)).toMatch(message);
  });

  it("before a command, or an unknown command, is explained", async () => {
    expect(await natgrad("trian")).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: "natgrad: command: wanted a known one (did you mean train?), got trian\n",
    });
    const { exitCode, stderr } = await natgrad(EXACT);
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      "natgrad: command: wanted train, kernel, data or model before any option, got --natural_gradient_type\n",
    );
  });
});

describe("options that do not go together", () => {
  it.each([
    ["", /^learning_rate: wanted a number for gradient descent, or a natural_gradient_type .*, got neither$/],
    ["--learning_rate 1 --damping 1", /^damping: wanted 0 for gradient descent .*, got 1$/],
    [`${EXACT} --gd_prediction discrete`, /^gd_prediction: .*, got natural_gradient_type exact$/],
    ["--natural_gradient_type exact_plus_mse", /^natural_gradient_type: .* cross_entropy.*$/],
    [
      `${EXACT} --target_classes 3,8 --n_classes 3`,
      /^target_classes: wanted 3 classes \(n_classes\), got 2$/,
    ],
    [`${EXACT} --target_classes 3,8 --dataset_path x`, /^target_classes: wanted none beside dataset_path/],
    [
      `${EXACT} --target_classes 3,8 --dataset synthetic`,
      /^target_classes: wanted none for dataset synthetic/,
    ],
    [
      "--learning_rate 1 --dataset synthetic --width 16 --test_size all",
      /^test_size: wanted a number for dataset synthetic \(it is drawn\), got all$/,
    ],
    [
      `${EXACT} --kernel empirical --kernel_path x`,
      /^kernel: wanted none beside kernel_path .*, got empirical$/,
    ],
    [
      `${EXACT} --kernel none --kernel_path x`,
      /^kernel_path: wanted a kernel that predicts .*, got kernel none$/,
    ],
    [
      `${EXACT} --kernel none --save_kernel`,
      /^save_kernel: wanted a kernel that predicts .*, got kernel none$/,
    ],
    ["--learning_rate 1 --kernel none --gd_prediction discrete", /^gd_prediction: .*, got kernel none$/],
    [
      `${EXACT} --target_classes 0+2,1+3 --n_classes 4`,
      /^target_classes: wanted 4 classes \(n_classes\), got 2$/,
    ],
    [`${EXACT} --save_kernel --kernel_path x`, /^save_kernel: wanted a kernel made here/],
    [`${EXACT} --kernel_batch_size 5 --kernel_path x`, /^kernel_batch_size: wanted a kernel made here/],
    [`${EXACT} --kernel none --kernel_batch_size 5`, /^kernel_batch_size: .*, got kernel none$/],
    [
      `${EXACT} --dataset cifar10 --dataset_path x`,
      /^dataset: wanted none beside dataset_path .*, got cifar10$/,
    ],
    [
      `${EXACT} --prng numpy --init_weights_dir x`,
      /^prng: wanted none beside init_weights_dir .*, got numpy$/,
    ],
    [`${EXACT} --save_dataset --dataset_path x`, /^save_dataset: wanted a dataset made here/],
    [
      `${EXACT} --save_kernel_dir x`,
      /^save_kernel_dir: wanted save_kernel beside it, got save_kernel_dir alone$/,
    ],
    [`${EXACT} --save_dataset_dir x`, /^save_dataset_dir: wanted save_dataset beside it/],
    [`${EXACT} --save_init_weights_dir x`, /^save_init_weights_dir: wanted save_init_weights beside it/],
    [`${EXACT} --forster_transform_tol 1`, /^forster_transform_tol: wanted forster_transform beside it/],
    [`${EXACT} --precision float64 --device webgpu`, /^precision: wanted float32 on device webgpu/],
    ["--natural_gradient_type block_tri_diagonal --n_layers 2", /^n_layers: .* 2, 5, 8, .*, got 2 /],
    ["--natural_gradient_type block_tri_diagonal --n_layers 5", /^n_layers: .* 2, 5, 8, .*, got 5 /],
    ["--natural_gradient_type block_tri_diagonal --n_layers 8", /^n_layers: .* 2, 5, 8, .*, got 8 /],
  ])("%s", async (flags, message) => {
    expect(await refusal(SMALL, flags)).toMatch(message);
  });

  it("may stand beside a switch that is off", async () => {
    const { exitCode } = await natgrad(
      "train",
      SMALL,
      EXACT,
      "--save_kernel=false --save_kernel_dir x --n_steps 0",
    );
    expect(exitCode).toBe(0);
  });
});

describe("a dataset", () => {
  const whole = writeNpz({ arr_0: { shape: [1], data: Float32Array.of(1) } });

  it("that is not there", async () => {
    expect(await onData(join(folder, "nope.npz"))).toMatch(/nope\.npz: wanted a readable file, got ENOENT$/);
    expect(await onData(folder)).toMatch(/: wanted a readable file, got EISDIR$/);
  });

  it("that is truncated, or no .npz", async () => {
    expect(await onData(file("short.npz", whole.subarray(0, 100)))).toMatch(/short\.npz.*: wanted .*, got /);
    expect(await onData(file("text.npz", "hello"))).toMatch(
      /text\.npz: wanted a whole \.npz archive, got 5 bytes/,
    );
    expect(await onData(file("one.npz", whole))).toMatch(
      /one\.npz: wanted arrays arr_0 to arr_4, got arr_0$/,
    );
  });

  it("whose shapes disagree", async () => {
    const labels = { arr_1: { shape: [7, 1], data: new Float32Array(7) } };
    expect(await onData(dataset("labels.npz", labels))).toMatch(/wanted 8 training labels .*, got 7$/);
    const inputs = { arr_2: { shape: [4, 6], data: new Float32Array(24) } };
    expect(await onData(dataset("inputs.npz", inputs))).toMatch(/wanted 5 inputs per test sample .*, got 6$/);
  });

  it("with NaN", async () => {
    const data = new Float32Array(40).fill(1);
    data[13] = NaN;
    const bad = dataset("nan.npz", { arr_0: { shape: [8, 5], data } });
    expect(await onData(bad)).toMatch(/nan\.npz.*: wanted finite numbers, got NaN at sample 2, entry 3$/);
  });

  it("without training samples, or with fewer than train_size", async () => {
    const none = {
      arr_0: { shape: [0, 5], data: new Float32Array(0) },
      arr_1: { shape: [0, 1], data: new Float32Array(0) },
    };
    expect(await onData(dataset("none.npz", none))).toMatch(
      /^npz .*none\.npz: wanted at least one sample to train on, got none$/,
    );
    expect(await onData(dataset("few.npz"), "--train_size 9")).toMatch(/^train_size: wanted .* 8 .*, got 9$/);
  });

  it("with one sample twice has a Gram that names its rank and condition", async () => {
    const data = Float32Array.from({ length: 40 }, (_, i) => Math.sin(1 + (i % 35) ** 2));
    const twice = dataset("twice.npz", { arr_0: { shape: [8, 5], data } });
    expect(await onData(twice)).toMatch(
      /: wanted an invertible Gram, got 8 x 8 of rank 7 and condition \S+; try /,
    );
    const { exitCode } = await natgrad(
      "train --width 16 --train_size 8 --test_size 4 --damping 1e-3 --n_steps 1 --dataset_path",
      twice,
      EXACT,
    );
    expect(exitCode).toBe(0);
  });

  it("that the Forster transform cannot move", async () => {
    const data = Float32Array.from({ length: 20 }, (_, i) => Math.sin(1 + (i % 15) ** 2));
    const dependent = dataset("dependent.npz", {
      arr_0: { shape: [4, 5], data },
      arr_1: { shape: [4, 1], data: Float32Array.of(0.5, -0.5, 0.5, -0.5) },
    });
    const flags = "--forster_transform --train_size 4";
    expect(await onData(dependent, flags)).toMatch(
      /^forster_transform: wanted 4 linearly independent .* rank 3$/,
    );
    const tight = "--forster_transform --forster_transform_n_iters 1 --forster_transform_tol 1e-20";
    expect(await onData(dataset("tight.npz"), tight)).toMatch(
      /^forster_transform: wanted a deviation .* 1 iterations/,
    );
  });
});

describe("a name", () => {
  const words = async (...args: string[]): Promise<string> => {
    const printed = { stdout: "", stderr: "" };
    const stream = (name: keyof typeof printed) => ({ write: (text: string) => (printed[name] += text) });
    const exitCode = await main(args, { stdout: stream("stdout"), stderr: stream("stderr") });
    expect({ exitCode, stdout: printed.stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(printed.stderr).toMatch(/^natgrad: [^\n]+\n$/);
    return printed.stderr.slice("natgrad: ".length, -1);
  };
  const method = ["--natural_gradient_type", "exact"];

  it.each([
    [[""], 'command: wanted a known one (--help lists them), got ""'],
    [["data", ""], 'data: wanted list or fetch <name>, got ""'],
    [["data", "fetch", ""], 'dataset: wanted one of mnist, fashion_mnist, cifar10, got ""'],
    [["help", ""], 'help: wanted one of train, kernel, data, model, got ""'],
    [
      ["train", ...method, "--dataset", ""],
      'dataset: wanted one of mnist, cifar10, fashion_mnist, synthetic, got ""',
    ],
    [["train", ...method, "--dataset_path", ""], 'dataset_path: wanted a path, got ""'],
    [["train", ...method, "--format", ""], 'format: wanted one of table, jsonl, csv, got ""'],
  ] as const)("that is empty is shown as such: %j", async (args, message) => {
    expect(await words(...args)).toBe(message);
  });

  it.each([
    [["help", "foo"], "help: wanted one of train, kernel, data, model, got foo"],
    [["help", "help"], "help: wanted one of train, kernel, data, model, got help"],
    [["data", "help", "foo"], "help: wanted one of list, fetch, got foo"],
  ] as const)("without help is said to have none: %j", async (args, message) => {
    expect(await words(...args)).toBe(message);
  });

  it.each([
    [
      "an option's value",
      ["train", ...method, "--dataset", "a\u001b[31m\u009bb"],
      'got "a\\u001b[31m\\u009bb"',
    ],
    [
      "a path",
      ["train", ...method, "--dataset_path", "/no/\u001b[31m\nb"],
      "/no/\\u001b[31m\\nb: wanted a readable file",
    ],
    ["an option", ["train", "--wid\u0007th", "3"], "--wid\\u0007th: wanted a known option"],
    ["a command", ["tr\u202ein"], "got tr\\u202ein"],
  ] as const)("with characters that a terminal obeys is escaped: %s", async (_, args, message) => {
    const line = await words(...args);
    expect(line).toContain(message);
    expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});

describe("a Gram without an inverse", () => {
  it("at a width below the samples names its rank, condition and step, after the row where it starts", async () => {
    const flags = "--width 2 --train_size 50 --test_size 10";
    const { exitCode, stdout, stderr } = await natgrad("train", flags, EXACT);
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/^step .*\n0 .*\n$/m);
    expect(stderr).toMatch(
      /^natgrad: step 1: exact: .*got 50 x 50 of rank \d+ and condition \S+; try --damping.*\n$/,
    );
  });
});

describe("memory", () => {
  it("that the weights would not fit into is predicted", async () => {
    expect(await refusal(SMALL, EXACT, "--width 1e9")).toMatch(
      /^memory_limit: wanted a run within \S+ [MG]B, got one of 4\d+ GB \(weights 4\d+ GB\); try --kernel none, --batch_size, a smaller --train_size or a smaller --width$/,
    );
  });

  it("that the Grams would not fit into is predicted, before any data is drawn", async () => {
    expect(
      await refusal(SMALL, EXACT, "--dataset synthetic --train_size 1e7 --solver gram --kernel none"),
    ).toMatch(
      /^memory_limit: wanted a run within \S+ [MG]B, got one of 8\d+ GB \(training 8\d+ GB\); try --solver cg, --batch_size, a smaller --train_size or a smaller --width$/,
    );
  });

  it("may be limited by hand", async () => {
    expect(await refusal(SMALL, EXACT, "--memory_limit 50MB")).toMatch(
      /^memory_limit: wanted a run within 50 MB, got one of 1\d\d MB \(process 130 MB\); try /,
    );
    for (const size of ["lots", "-1GB", "1e3", "6PB"]) {
      expect(await refusal(SMALL, EXACT, `--memory_limit ${size}`)).toMatch(
        /^memory_limit: wanted a size as 6GB or 512MiB/,
      );
    }
  });
});

describe("a folder to write to", () => {
  it.each(["dataset", "kernel", "init_weights"])("for --save_%s may not lie under a file", async (what) => {
    const blocker = file("blocker", "a file");
    for (const place of [blocker, join(blocker, "deeper", "still")]) {
      expect(await refusal(SMALL, EXACT, `--save_${what} --save_${what}_dir`, place)).toMatch(
        new RegExp(`^save_${what}_dir: wanted a folder that can be written, got ".*" \\(ENOTDIR\\)$`),
      );
    }
  });

  it("is left as it was when the run is refused", async () => {
    const place = join(folder, "unmade");
    await refusal(SMALL, EXACT, "--save_kernel --save_kernel_dir", place, "--init_weights_dir", folder);
    expect(existsSync(place)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

describe("initial weights", () => {
  const shapes = [
    [784, 16],
    [16, 16],
    [16, 1],
  ] as const;
  const flags = `--width 16 --train_size 10 --test_size 5 ${EXACT} --init_weights_dir`;
  const save = (l: number, rows: number, cols: number, fill = 0.1) =>
    file(`W${l}.npy`, writeNpy({ shape: [rows, cols], data: new Float32Array(rows * cols).fill(fill) }));

  it("must be there, of the shape of the layer, and finite", async () => {
    expect(await refusal(flags, folder)).toMatch(/W1\.npy: wanted a readable file, got ENOENT$/);
    for (const [l, [rows, cols]] of shapes.entries()) save(l + 1, rows, cols);
    save(2, 16, 15);
    expect(await refusal(flags, folder)).toMatch(/W2\.npy: wanted shape \[16, 16\], got \[16, 15\]$/);
    save(2, 16, 16, NaN);
    expect(await refusal(flags, folder)).toMatch(/W2\.npy: wanted finite numbers, got NaN/);
    file("W2.npy", "not numpy");
    expect(await refusal(flags, folder)).toMatch(/W2\.npy.*: wanted a \.npy file/);
  });
});

describe("a kernel", () => {
  it("must be of this network and these samples", async () => {
    const place = join(folder, "kernels");
    const { exitCode } = await natgrad(
      "train",
      SMALL,
      EXACT,
      "--n_steps 0 --save_kernel --save_kernel_dir",
      place,
    );
    expect(exitCode).toBe(0);
    const path = join(place, readdirSync(place)[0]!);
    const reuse = (...args: string[]) => refusal(SMALL, EXACT, ...args, "--kernel_path", path);
    expect(await reuse("--train_size 21")).toMatch(/: wanted train_A1 of 21 x 21, got 20 x 20$/);
    expect(await reuse("--test_size 11")).toMatch(/: wanted test_A1 of 11 x 20, got 10 x 20$/);
    expect(await reuse("--n_layers 4")).toMatch(/: wanted an array train_A4, got none/);
    expect(await reuse("--n_classes 3")).toMatch(/: wanted a kernel of 3 outputs, got 1$/);
    expect(await refusal(SMALL, EXACT, "--kernel_path", dataset("data.npz"))).toMatch(
      /: wanted an array shape, got none/,
    );
  });
});
