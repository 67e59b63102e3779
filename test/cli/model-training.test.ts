/** @file `natgrad train --model`: models that others exported, trained from their own weights. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readOnnx } from "../../src/network/onnx/read.ts";
import { float64Engine } from "../support/tiny.ts";
import { modelFile, writeSamples } from "../support/model-data.ts";
import { natgrad } from "./terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "natgrad-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

const mlp = `--model ${modelFile("mlp_dynamo18")} ${writeSamples(folder, [6])}`;
const cnn = `--model ${modelFile("cnn_dynamo18")}`;
const first = writeSamples(folder, [3, 8, 8]);
const last = writeSamples(folder, [3, 8, 8], { last: true });

/** Lines of the table. */
const rowsOf = (stdout: string): string[] => stdout.split("\n").filter((line) => /^\s*\d/.test(line));

describe("natgrad train --model", () => {
  it.each(["exact", "block_diagonal", "kfac", "kfac_tikhonov", "unit_wise"])(
    "lowers the loss of a model by %s, predicted by its own kernel",
    async (method) => {
      const { exitCode, stdout, stderr } = await natgrad(
        `train ${mlp} --natural_gradient_type ${method} --damping 0.1 --learning_rate 0.3 --n_steps 2 --format jsonl`,
      );
      expect([exitCode, stderr]).toEqual([0, ""]);
      const events = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      const losses = events.filter(({ event }) => event === "step").map((row) => row["train_loss"] as number);
      expect(losses.length).toBe(3);
      expect(losses[2]!).toBeLessThan(losses[0]!);
      expect(events[0]).toMatchObject({
        model: modelFile("mlp_dynamo18"),
        kernel_reason: "the weights of a model are not drawn",
        parameters: 143,
      });
      for (const idle of ["architecture", "width", "weight_variance", "prng"])
        expect(events[0]).not.toHaveProperty(idle);
    },
  );

  it("prints the model and its layers, and no option that has no effect", async () => {
    const { exitCode, stdout } = await natgrad(`train ${mlp} --natural_gradient_type exact --damping 0.1`);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`model: ${modelFile("mlp_dynamo18")}\n`);
    expect(stdout).toContain("kernel: empirical (the weights of a model are not drawn)\n");
    expect(stdout).not.toMatch(/^(architecture|n_layers|width|activation|weight_variance|prng):/m);
  });

  it("takes images with channels last as those with channels first, and says so", async () => {
    const train = `train ${cnn} --learning_rate 0.1 --n_steps 1 --loss_type cross_entropy`;
    const a = await natgrad(`${train} ${first} --channels_first`);
    const b = await natgrad(`${train} ${last}`);
    expect([a.exitCode, a.stderr]).toEqual([0, ""]);
    expect(b.stderr).toBe("natgrad: samples [8, 8, 3] are transposed to the model's input [3, 8, 8]\n");
    expect(rowsOf(b.stdout)).toEqual(rowsOf(a.stdout));
  });

  it("takes flat samples in their order, and says so", async () => {
    const { exitCode, stderr } = await natgrad(
      `train ${cnn} ${writeSamples(folder, [192])} --learning_rate 0.1 --n_steps 1`,
    );
    expect([exitCode, stderr]).toEqual([
      0,
      "natgrad: samples [192] are read in their order as the model's input [3, 8, 8]\n",
    ]);
  });

  it("explains what it would do", async () => {
    const { exitCode, stdout } = await natgrad(
      `train ${cnn} ${last} --natural_gradient_type exact --damping 0.1 --explain`,
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain("conv");
  });

  it("saves a kernel that belongs to the model's content", async () => {
    const other = join(folder, "other.onnx");
    copyFileSync(modelFile("mlp_legacy13"), other);
    const dir = join(folder, "kernels");
    const train = "train --natural_gradient_type exact --damping 0.1 --n_steps 1";
    const saved = await natgrad(`${train} ${mlp} --save_kernel --save_kernel_dir ${dir}`);
    expect(saved.exitCode).toBe(0);
    const kernel = join(dir, readdirSync(dir)[0]!);
    const again = await natgrad(`${train} ${mlp} --kernel_path ${kernel}`);
    expect(rowsOf(again.stdout)).toEqual(rowsOf(saved.stdout));
    const refused = await natgrad(`${train} ${mlp} --model ${other} --kernel_path ${kernel}`);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toMatch(
      /^natgrad: kernel_path: wanted a kernel of architecture other \(model [0-9a-f]{12}\), got one of architecture mlp_dynamo18 \(model [0-9a-f]{12}\) \(.*\)\n$/,
    );
  });

  it.each([
    ["a model", mlp],
    ["convolutions of a model", `${cnn} ${last}`],
    ["an mlp", "--width 64 --train_size 12 --test_size 6 --n_classes 3"],
    ["a cnn", `--architecture cnn --n_layers 3 --width 4 ${last}`],
  ])("saves %s that goes on where it ended", async (_, options) => {
    const saved = join(folder, "saved", "trained.onnx");
    const train = "train --kernel none --learning_rate 0.1 --format csv";
    const run = await natgrad(`${train} ${options} --n_steps 3 --save_model ${saved}`);
    expect(run.exitCode).toBe(0);
    expect(readdirSync(join(folder, "saved"))).toEqual(["trained.onnx"]);
    const data = options.replace(/--(model|width|architecture|n_layers) \S+/g, "");
    const on = await natgrad(`${train} ${data} --model ${saved} --n_steps 1`);
    expect(on.exitCode).toBe(0);
    const figures = (stdout: string, step: number) =>
      stdout
        .split("\n")
        .find((line) => line.startsWith(`${step},`))!
        .split(",")
        .slice(1)
        .map(Number);
    const [ended, began] = [figures(run.stdout, 3), figures(on.stdout, 0)];
    for (const [i, value] of began.entries()) expect(value).toBeCloseTo(ended[i]!, 5);
  });

  it("keeps the names of a model's weights, the first of a block", async () => {
    const saved = join(folder, "named.onnx");
    const run = await natgrad(`train ${mlp} --learning_rate 0.1 --n_steps 1 --save_model ${saved}`);
    expect(run.exitCode).toBe(0);
    const { names } = await readOnnx(readFileSync(saved));
    expect(names.map(([first]) => first)).toEqual(["0.weight", "2.weight", "4.weight"]);
  });

  it.each(["auto", "4"])("replaces the last layer with --head %s, and moves from there", async (head) => {
    const saved = join(folder, `head-${head}.onnx`);
    const data = writeSamples(folder, [6], { classes: 4 });
    const train = `train --model ${modelFile("mlp_dynamo18")} ${data} --head ${head} --format csv`;
    const options = "--natural_gradient_type exact --damping 0.1 --learning_rate 0.3 --n_steps 2";
    const run = await natgrad(`${train} ${options} --save_model ${saved}`);
    expect([run.exitCode, run.stderr]).toEqual([0, ""]);
    const losses = run.stdout
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => Number(line.split(",")[2]));
    expect(losses[2]!).toBeLessThan(losses[0]!);
    expect((await natgrad(`${train} ${options}`)).stdout).toBe(run.stdout);
    expect((await natgrad(`${train} ${options} --random_seed 2`)).stdout).not.toBe(run.stdout);
    const { names, network } = await readOnnx(readFileSync(saved));
    expect([names.map(([first]) => first), network.outputs]).toEqual([["0.weight", "2.weight", "head"], 4]);
  });

  it.each([
    [`${mlp} --head 4`, "head: wanted 3 (the outputs of this loss and these classes), got 4"],
    ["--head 4", "head: wanted model beside it, got 4 alone"],
    [`${mlp} --head 0`, 'head: wanted a whole number >= 1, or auto, got "0"'],
    [
      `--model ${modelFile("gpt_legacy14")} ${writeSamples(folder, [6])} --head auto`,
      /^natgrad: head: wanted a dense layer .*, got .*\n$/,
    ],
  ])("refuses a head in one line: %s", async (options, message) => {
    const { exitCode, stdout, stderr } = await natgrad(`train ${options} --learning_rate 0.1`);
    expect([exitCode, stdout]).toEqual([2, ""]);
    if (typeof message === "string") expect(stderr).toContain(message);
    else expect(stderr).toMatch(message);
    expect(stderr.split("\n").length).toBe(2);
  });

  it.each([
    ["a model's first block", mlp, "0.*", [true, false, false]],
    ["two blocks by two globs", mlp, "?.bias,none", [true, true, true]],
    [
      "a new head",
      `--model ${modelFile("mlp_dynamo18")} ${writeSamples(folder, [6])} --head auto`,
      "head",
      [false, false, true],
    ],
    ["the last layer of an mlp", `--width 16 ${writeSamples(folder, [6])}`, "layer3", [false, false, true]],
  ])("moves %s alone, and saves all", async (_, options, globs, moved) => {
    const weightsAt = async (steps: number) => {
      const saved = join(folder, `blocks${steps}.onnx`);
      const run = await natgrad(
        `train ${options} --blocks ${globs} --natural_gradient_type exact --damping 0.1 --n_steps ${steps} --save_model ${saved} --format csv`,
      );
      expect([run.exitCode, run.stderr]).toEqual([0, ""]);
      const model = await readOnnx(readFileSync(saved));
      return { thetas: model.weights(await float64Engine()), rows: run.stdout.trim().split("\n") };
    };
    const [before, after] = [await weightsAt(0), await weightsAt(2)];
    expect(after.thetas.map((theta, l) => theta.some((x, i) => x !== before.thetas[l]![i]))).toEqual(moved);
    const [first, last] = [1, 3].map((row) => Number(after.rows[row]!.split(",")[2]));
    expect(last!).toBeLessThan(first!);
  });

  it.each([
    [
      `${mlp} --blocks 7.*`,
      "blocks: wanted names of 0.weight, 0.bias, 2.weight, 2.bias, 4.weight, 4.bias, or globs of them, got 7.*",
    ],
    [
      "--blocks layer9 --width 8",
      "blocks: wanted names of layer1, layer2, layer3, or globs of them, got layer9",
    ],
    [
      "--blocks layer1 --kernel analytic",
      "kernel: wanted empirical or none beside blocks (the others do not move), got analytic",
    ],
    ["--blocks layer1 --save_kernel", "save_kernel: wanted none beside blocks, got true"],
    [
      "--blocks layer1, --width 8",
      'blocks: wanted names of blocks, or globs of them, as head.*,layer3, got "layer1,"',
    ],
  ])("refuses %s in one line", async (options, message) => {
    const { exitCode, stdout, stderr } = await natgrad(`train ${options} --learning_rate 0.1`);
    expect([exitCode, stdout, stderr]).toEqual([2, "", `natgrad: ${message}\n`]);
  });

  it("saves no model that diverged, and says so", async () => {
    const saved = join(folder, "diverged.onnx");
    const run = await natgrad(`train ${mlp} --learning_rate 1e6 --n_steps 5 --save_model ${saved}`);
    expect(run.exitCode).toBe(3);
    expect(run.stderr).toContain(`natgrad: save_model: not written, as training diverged (${saved})\n`);
    expect(existsSync(saved)).toBe(false);
  });

  it("refuses a place where no file can be written, before any work", async () => {
    const run = await natgrad(`train ${mlp} --learning_rate 0.1 --save_model ${folder}`);
    expect([run.exitCode, run.stdout]).toEqual([2, ""]);
    expect(run.stderr).toBe(`natgrad: save_model: wanted a file, got the folder "${folder}"\n`);
    const below = await natgrad(`train ${mlp} --learning_rate 0.1 --save_model ${folder}/named.onnx/a.onnx`);
    expect(below.exitCode).toBe(2);
    expect(below.stderr).toMatch(/^natgrad: save_model: wanted a folder that can be written, got .*\n$/);
  });

  it.each([
    ["--architecture cnn", /architecture: wanted none beside model \(the file .*\), got cnn/],
    ["--architecture mlp", /architecture: wanted none beside model \(the file .*\), got mlp/],
    ["--width 8", /width: wanted none beside model .* got 8/],
    ["--n_layers 2", /n_layers: wanted none beside model .* got 2/],
    ["--activation relu", /activation: wanted none beside model .* got relu/],
    ["--weight_variance 1", /weight_variance: wanted none beside model .* got 1/],
    ["--bias_variance 1", /bias_variance: wanted none beside model .* got 1/],
    ["--parameterization ntk", /parameterization: wanted none beside model .* got ntk/],
    ["--prng jax", /prng: wanted none beside model .* got jax/],
    ["--init_weights_dir w", /init_weights_dir: wanted none beside model .* got w/],
    ["--save_init_weights", /save_init_weights: wanted none beside model .* got true/],
    ["--kernel analytic", /kernel: wanted empirical or none beside model .* got analytic/],
  ])("refuses %s beside it in one line", async (option, message) => {
    const { exitCode, stdout, stderr } = await natgrad(
      `train ${mlp} --natural_gradient_type exact --damping 0.1 ${option}`,
    );
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.split("\n").length).toBe(2);
  });

  it("refuses files that are no models, and models that do not fit, in one line", async () => {
    const torn = join(folder, "torn.onnx");
    writeFileSync(torn, readFileSync(modelFile("mlp_dynamo18")).subarray(0, 300));
    const away = join(folder, "external.onnx");
    copyFileSync(modelFile("mlp_external_dynamo20"), away);
    const data = writeSamples(folder, [6]);
    const cases: readonly [string, string | RegExp][] = [
      [`--model ${folder}/none.onnx ${data}`, /none\.onnx: wanted a readable file, got ENOENT/],
      [`--model ${folder} ${data}`, /: wanted a readable file, got EISDIR/],
      [`--model ${torn} ${data}`, /torn\.onnx: .*wanted/],
      [`--model ${away} ${data}`, /external\.onnx: external data: wanted a readable file .*, got ENOENT/],
      [
        `--model ${modelFile("mlp_dynamo18")} ${first}`,
        /model: wanted one that takes samples \[3, 8, 8\], got one that takes \[6\] \(/,
      ],
      [
        `--model ${modelFile("mlp_dynamo18")} ${writeSamples(folder, [6], { classes: 4 })}`,
        /model: wanted one of 4 outputs \(of this loss and these classes\), got one of 3 \(.*\); try --head auto\n/,
      ],
      [
        `--model ${modelFile("mlp_dynamo18")}`,
        /model: wanted one that takes 784 numbers \(the samples\), got one that takes \[6\] \(/,
      ],
    ];
    for (const [options, message] of cases) {
      const { exitCode, stdout, stderr } = await natgrad(`train ${options} --learning_rate 0.1`);
      expect([exitCode, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(message);
      expect(stderr.split("\n").length).toBe(2);
    }
  });
});
