/** @file `--architecture` on the command line: networks that train, files that they write and read, and what is refused. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { natgrad } from "./terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "natgrad-architecture-"));
afterAll(() => rmSync(folder, { recursive: true }));

const fileOf = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

/** Token-wise layers, a branch and an average, of the 32 features of synthetic data. */
const TOKENS = fileOf(
  "tokens.yaml",
  "- reshape: [8, 4]\n- dense: 16\n- residual: [erf, dense: 16]\n- global_average_pool\n- dense: 8\n- erf\n",
);
/** A residual network of dense layers on vectors. */
const VECTORS = fileOf("vectors.yaml", "- dense: 16\n- residual: [erf, dense: 16]\n- erf\n");

const DATA = "--dataset synthetic --train_size 12 --test_size 6 --threads 1";
const EXACT = "--natural_gradient_type exact --damping 1e-3 --n_steps 1";

type Event = Record<string, unknown>;

/** The events of `natgrad train`. */
async function events(...flags: string[]): Promise<Event[]> {
  const { exitCode, stdout, stderr } = await natgrad("train", DATA, "--format jsonl", ...flags);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
}

const refusal = async (...flags: string[]): Promise<string> => {
  const { exitCode, stderr } = await natgrad("train", DATA, ...flags);
  expect(exitCode).toBe(2);
  return stderr;
};

describe("--architecture", () => {
  it.each([
    ["layers of a file", `--architecture ${TOKENS}`],
    ["a cnn on images", "--architecture cnn --n_layers 3 --width 8 --dataset mnist --activation erf"],
  ])("%s train as their own kernel predicts", async (_, flags) => {
    const [config, , last] = await events(`${flags} ${EXACT} --learning_rate 0.1`);
    expect(config).toMatchObject({ event: "config", kernel: "empirical" });
    expect(config!.kernel_reason).toMatch(/^no analytic kernel is known for /);
    expect(config).not.toHaveProperty("widths");
    const { train_loss, predict } = last as { train_loss: number; predict: { train_loss: number } };
    expect(Math.abs(train_loss / predict.train_loss - 1)).toBeLessThan(0.05);
  });

  it("prints layers and the kernel that predicts, and no options that the file makes idle", async () => {
    const { stdout } = await natgrad("train", DATA, EXACT, `--architecture ${TOKENS}`);
    expect(stdout).toContain(`architecture: ${TOKENS}\n`);
    expect(stdout).toContain("kernel: empirical (no analytic kernel is known for dense(16))\n");
    expect(stdout).toContain(
      "layers: input [32] - reshape(8, 4) [8, 4] - dense(16) [8, 16] - erf - dense(16) - sum",
    );
    expect(stdout).toContain("\nparameters: 456\n");
    expect(stdout).not.toMatch(/^(widths|n_layers|width|activation):/m);
  });

  it.each(["kfac", "block_diagonal", "unit_wise"])("trains by %s", async (method) => {
    const flags = `--natural_gradient_type ${method} --damping 1e-3 --n_steps 1 --batch_size 8`;
    const [config, , last] = await events(flags, `--architecture ${TOKENS}`);
    expect(config!.learning_rate).toBeGreaterThan(0);
    expect(last!.train_loss).toBeGreaterThan(0);
  });

  it("saves initial weights block by block, and starts from them", async () => {
    const dir = join(folder, "weights");
    const flags = `${EXACT} --architecture ${TOKENS} --bias_variance 0.1`;
    const saved = await events(flags, `--save_init_weights --save_init_weights_dir ${dir}`);
    expect(readdirSync(dir).toSorted()).toEqual(
      [1, 2, 3, 4].flatMap((l) => `W${l}.npy`).concat([1, 2, 3, 4].map((l) => `b${l}.npy`)),
    );
    const loaded = await events(flags, `--init_weights_dir ${dir}`);
    expect(loaded[2]).toEqual(saved[2]);
  });

  it("saves and loads gains, shifts and positions as well", async () => {
    const dir = join(folder, "transformer-weights");
    const flags = ["--architecture transformer --width 8 --n_layers 1 --dataset mnist", EXACT];
    const { exitCode, stderr } = await natgrad(
      "train",
      DATA,
      ...flags,
      "--save_init_weights",
      "--save_init_weights_dir",
      dir,
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const saved = await events(...flags);
    expect(await events(...flags, `--init_weights_dir ${dir}`)).toMatchObject([{}, saved[1]!, saved[2]!, {}]);
  });

  it("takes images of your own as they are stored: with their axes, or by sample_shape, channels last or first", async () => {
    const dir = join(folder, "images");
    const flags = `${EXACT} --architecture cnn --n_layers 3 --width 8 --train_size 12 --test_size 6 --threads 1 --format jsonl`;
    const metrics = async (...more: string[]): Promise<unknown[]> => {
      const { exitCode, stdout, stderr } = await natgrad("train", flags, ...more);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      return stdout.split("\n").slice(1, 3);
    };
    const wanted = await metrics(`--save_dataset --save_dataset_dir ${dir}`);
    const [file = ""] = readdirSync(dir);
    const path = `--dataset_path ${join(dir, file)}`;
    // A file of natgrad's own says what its samples are.
    expect(await metrics(path)).toEqual(wanted);
    // One channel is the same first or last.
    expect(await metrics(path, "--sample_shape 1,28,28 --channels_first")).toEqual(wanted);
    expect(await metrics(path, "--sample_shape 28,28")).toEqual(wanted);
    expect(await metrics(path, "--sample_shape 14,56,1")).not.toEqual(wanted);
    const { exitCode, stderr } = await natgrad("train", flags, path, "--sample_shape 28,28,3");
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^natgrad: sample_shape: wanted axes of 784 numbers, got 28 x 28 x 3 = 2352 \(/);
  });

  it("saves and loads kernels of layers that act once per sample, and tells networks apart by their layers", async () => {
    const dir = join(folder, "kernels");
    const made = await events(`${EXACT} --architecture ${VECTORS} --save_kernel --save_kernel_dir ${dir}`);
    const [file = ""] = readdirSync(dir);
    expect(file).toMatch(/^empirical_synthetic_train12_test6_2classes_vectors-layers-[0-9a-f]{12}\.npz$/);
    const path = `--kernel_path ${join(dir, file)}`;
    const loaded = await events(`${EXACT} --architecture ${VECTORS} ${path}`);
    expect(loaded[2]).toEqual(made[2]);
    const other = fileOf("other.yaml", "- dense: 16\n- residual: [gelu, dense: 16]\n- erf\n");
    expect(await refusal(`${EXACT} --architecture ${other} ${path}`)).toMatch(
      /^natgrad: kernel_path: wanted a kernel of architecture other \(layers .*, got one of architecture vectors \(layers /,
    );
    expect(await refusal(`${EXACT} --width 16 --n_layers 3 ${path}`)).toMatch(
      /^natgrad: kernel_path: wanted a kernel of architecture none/,
    );
  });

  it.each([
    [
      "--kernel analytic",
      "kernel: wanted empirical or none (no analytic kernel is known for dense(16)), got analytic",
    ],
    [
      "--save_kernel",
      "save_kernel: wanted a network whose layers with weights act once per sample, got one with dense(16)",
    ],
    [
      "--kernel_path x.npz",
      "kernel_path: wanted a network whose layers with weights act once per sample, got one with dense(16)",
    ],
    ["--width 3", "width: wanted none beside layers of a file (they say it), got 3"],
  ])("with %s is refused in one line", async (flag, message) => {
    expect(await refusal(EXACT, `--architecture ${TOKENS}`, flag)).toBe(`natgrad: ${message}\n`);
  });

  it("names the layer that does not fit before any data is read", async () => {
    const path = fileOf("misfit.yaml", "- reshape: [8, 4]\n- conv: {channels: 4, size: 9}\n");
    expect(await refusal(EXACT, `--architecture ${path}`)).toBe(
      `natgrad: ${path}: layers[1].conv: wanted 9 positions or more on an axis, got 8\n`,
    );
  });
});

describe("natgrad kernel --architecture", () => {
  it("diagnoses the empirical kernel alone where no analytic one is known, and says so", async () => {
    const { exitCode, stdout, stderr } = await natgrad(
      "kernel",
      DATA,
      `--architecture ${TOKENS} --damping 1e-3`,
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("kernels: empirical (no analytic kernel is known for dense(16))\n");
    expect(stdout).toMatch(/^spectrum of Theta \/ N +empirical\n/m);
    expect(stdout).toMatch(/^all +- +1 +- +- +-$/m);
    for (const method of ["gradient", "exact", "block_diagonal", "kfac", "unit_wise"]) {
      expect(stdout).toMatch(new RegExp(`^${method} +empirical +[\\d.e-]+ `, "m"));
    }
    expect(stdout).toContain("none: no analytic kernel is known for dense(16)");
    expect(stdout).not.toMatch(/^\w+ +analytic /m);
  });

  it("looks at a method on all positions where it is asked for", async () => {
    const flags = `--architecture ${TOKENS} --damping 1e-3 --natural_gradient_type kfac_expand --format jsonl`;
    const { stdout } = await natgrad("kernel", DATA, flags);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Event);
    expect(events.filter(({ event }) => event === "method")).toMatchObject([{ kernel: "empirical" }]);
    expect(events.find(({ event }) => event === "method")!.alpha).toBeGreaterThan(0);
  });
});
