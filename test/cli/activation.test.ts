/** @file Activations by name on the command line: training as predicted, learning rates, files, and errors. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ACTIVATION_NAMES } from "../../src/ops/activations/index.ts";
import { natgrad } from "./terminal.ts";

const DATA = "--dataset synthetic --train_size 12 --test_size 6 --threads 1";
const folder = mkdtempSync(join(tmpdir(), "natgrad-activation-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The events of `natgrad train` on synthetic data. */
async function events(...flags: string[]): Promise<Record<string, unknown>[]> {
  const { exitCode, stdout, stderr } = await natgrad("train", DATA, "--format jsonl", ...flags);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("--activation", () => {
  it.each(ACTIVATION_NAMES)("%s trains as its kernel predicts", async (name) => {
    const flags =
      "--natural_gradient_type exact --damping 1e-3 --weight_variance 1 --bias_variance 0.1 --width 512";
    const [config, , last] = await events(`--activation ${name} ${flags} --n_steps 1 --kernel empirical`);
    expect(config!.activation).toBe(name);
    const { train_loss, predict } = last as { train_loss: number; predict: { train_loss: number } };
    // A step of square or exp is far from its linearisation at such a width.
    const start = name === "square" || name === "exp" ? 0.2 : 0.05;
    expect(Math.abs(train_loss - predict.train_loss)).toBeLessThan(start);
  });

  it("decides on the default learning rate of unit-wise NGD", async () => {
    const rateOf = async (name: string): Promise<unknown> =>
      (
        await events(
          `--activation ${name} --natural_gradient_type unit_wise --damping 1e-6 --width 64 --n_steps 0`,
        )
      )[0]!.learning_rate;
    expect(await rateOf("relu")).toBe(1 / 65);
    expect(await rateOf("tanh")).toBe(1 / 129);
  });

  it("names a kernel that is saved, and is what a loaded one must be of", async () => {
    const flags = `--natural_gradient_type exact --damping 1e-3 --width 32 --n_steps 1`;
    await events(`--activation erf ${flags} --save_kernel --save_kernel_dir ${folder}`);
    const [file] = readdirSync(folder);
    expect(file).toBe("analytic_synthetic_train12_test6_2classes_erf.npz");
    const path = join(folder, file!);
    await events(`--activation erf ${flags} --kernel_path ${path}`);
    const { exitCode, stderr } = await natgrad("train", DATA, flags, "--kernel_path", path);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^natgrad: kernel_path: wanted a kernel of activation relu, got one of activation erf \(/,
    );
  });

  it("counts in a diagnosis", async () => {
    const { exitCode, stdout } = await natgrad(
      "kernel",
      DATA,
      "--activation gelu --width 64 --natural_gradient_type exact",
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain("activation: gelu");
  });

  it("refuses an unknown name in one line", async () => {
    const { exitCode, stderr } = await natgrad(
      "train",
      DATA,
      "--natural_gradient_type exact --activation reul",
    );
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^natgrad: activation: wanted one of relu, leaky_relu, .*, got "reul"\n$/);
  });
});
