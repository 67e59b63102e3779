import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { OPTIONS } from "../../src/experiment/config.ts";
import { natgrad, SMALL } from "./terminal.ts";

const METRICS = ["train_accuracy", "train_loss", "test_accuracy", "test_loss"];
const HEADER =
  "step         train_accuracy  predict      train_loss   predict      test_accuracy  predict      test_loss    predict";
const EXACT = "--natural_gradient_type exact";

const lines = (text: string): string[] => text.trimEnd().split("\n");

/** Events of `--format jsonl`. */
const events = async (...args: string[]): Promise<Record<string, unknown>[]> => {
  const { exitCode, stdout, stderr } = await natgrad("train", SMALL, "--format jsonl", ...args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return lines(stdout).map((line) => JSON.parse(line) as Record<string, unknown>);
};

/** Rows of a run, without what differs from run to run. */
const rows = async (...args: string[]) => (await events(...args)).filter(({ event }) => event === "step");

describe("natgrad train", () => {
  it("prints the configuration, the paper's table and the time", async () => {
    const { exitCode, stdout, stderr } = await natgrad("train", SMALL, EXACT, "--n_steps 3");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const all = lines(stdout);
    const rules = all.flatMap((line, i) => (/^=+$/.test(line) ? [i] : []));
    expect(rules).toHaveLength(2);
    const block = all.slice(rules[0]! + 1, rules[1]);
    for (const line of block) expect(line).toMatch(/^[a-z_]+: \S/);
    expect(block).toContain("width: 64");
    expect(block).toContain("natural_gradient_type: exact");
    expect(block).toContain("target_classes: [0, 1]");
    expect(block).toContain("learning_rate: 1");
    expect(block).toContain("widths: 784 - 64 - 64 - 1");

    const table = all.slice(rules[1]! + 1, -1);
    expect(table[0]).toBe(HEADER);
    const starts = (line: string) => [...line.matchAll(/\S+/g)].map(({ index }) => index);
    expect(table.slice(1).map((row) => row.split(/\s+/)[0])).toEqual(["0", "1", "2", "3"]);
    for (const row of table.slice(1)) {
      expect(starts(row)).toEqual(starts(HEADER));
      for (const cell of row.split(/\s+/)) expect(Number(cell)).toBeGreaterThanOrEqual(0);
    }
    expect(all.at(-1)).toMatch(/^done in \d+\.\d\d s \(.*\), peak memory \d+ MiB$/);
  });

  it("prints one JSON object per line: config, steps, done", async () => {
    const [config, ...rest] = await events(EXACT, "--n_steps 1");
    expect(config).toMatchObject({
      event: "config",
      dataset: "mnist",
      n_classes: 2,
      target_classes: [0, 1],
      train_size: 20,
      width: 64,
      natural_gradient_type: "exact",
      learning_rate: 1,
      damping: 0,
    });
    const metrics = Object.fromEntries(METRICS.map((name) => [name, expect.any(Number) as unknown]));
    expect(rest).toEqual([
      { event: "step", step: 0, ...metrics, predict: metrics },
      { event: "step", step: 1, ...metrics, predict: metrics },
      expect.objectContaining({
        event: "done",
        diverged: false,
        seconds: expect.any(Number) as unknown,
        peak_rss_bytes: expect.any(Number) as unknown,
      }),
    ]);
    const { timings } = rest.at(-1) as { timings: Record<string, number> };
    for (const seconds of Object.values(timings)) expect(seconds).toBeGreaterThanOrEqual(0);
  });

  it("prints CSV with a header and nothing else", async () => {
    const { stdout } = await natgrad("train", SMALL, EXACT, "--format csv");
    const [header, ...body] = lines(stdout).map((line) => line.split(","));
    expect(header).toEqual(["step", ...METRICS, ...METRICS.map((name) => `predict_${name}`)]);
    expect(body.map(([step]) => step)).toEqual(["0", "1", "2"]);
    for (const row of body) expect(row.map(Number).every(Number.isFinite)).toBe(true);
    for (const row of body) expect(row).toHaveLength(9);
  });

  it("says the same in every format", async () => {
    const last = async (format: string, at: number): Promise<string> =>
      lines((await natgrad("train", SMALL, EXACT, "--format", format)).stdout).at(at) ?? "";
    const csv = (await last("csv", -1)).split(",").map(Number);
    const json = JSON.parse(await last("jsonl", -2)) as Record<string, number>;
    const table = (await last("table", -2)).split(/\s+/).map(Number);
    expect(METRICS.map((name) => json[name])).toEqual(csv.slice(1, 5));
    for (const [i, x] of csv.slice(1, 5).entries()) expect(table[1 + 2 * i]).toBe(Number(x.toPrecision(6)));
    for (const [i, x] of csv.slice(5).entries()) expect(table[2 + 2 * i]).toBe(Number(x.toPrecision(6)));
  });

  it("takes kebab-case, --flag=value, and lists with commas or spaces", async () => {
    const plain = await rows(EXACT, "--n_steps 1", "--target_classes 3,8");
    expect(await rows("--natural-gradient-type=exact", "--n-steps=1", "--target-classes 3 8")).toEqual(plain);
    const [config] = await events(EXACT, "--target_classes=3,8,5");
    expect(config).toMatchObject({ target_classes: [3, 8, 5], n_classes: 3 });
  });

  it("takes groups of classes, as two classes with one output", async () => {
    const [config, ...rest] = await events(EXACT, "--n_steps 1", "--target_classes 0+2+4+6+8,1+3+5+7+9");
    const groups = [
      [0, 2, 4, 6, 8],
      [1, 3, 5, 7, 9],
    ];
    expect(config).toMatchObject({ target_classes: groups, n_classes: 2, widths: [784, 64, 64, 1] });
    const spaced = await rows(EXACT, "--n_steps 1", "--target_classes 0+2+4+6+8 1+3+5+7+9");
    expect(spaced).toEqual(rest.filter(({ event }) => event === "step"));
    const { stdout } = await natgrad("train", SMALL, EXACT, "--target_classes 0+2,9,3+4 --n_steps 0");
    expect(stdout).toContain("n_classes: 3\ntarget_classes: [0+2, 9, 3+4]\n");
  });

  it("takes all samples of the classes, and says how many they are", async () => {
    const flags = "--width 16 --train_size 20 --test_size all --learning_rate 1 --n_steps 0 --kernel none";
    const table = await natgrad("train", flags);
    expect(table.stdout).toContain("train_size: 20\ntest_size: 2115\n");
    const json = await natgrad("train", flags, "--format jsonl");
    expect(JSON.parse(lines(json.stdout)[0]!)).toMatchObject({ train_size: 20, test_size: 2115 });
  });

  it("trains alike without a prediction", async () => {
    const [config, ...rest] = await events(EXACT, "--n_steps 1", "--kernel none");
    expect(config).toMatchObject({ kernel: "none" });
    expect(config).not.toHaveProperty("isotropy");
    const steps = rest.filter(({ event }) => event === "step");
    const predicted = await rows(EXACT, "--n_steps 1");
    expect(predicted).toEqual(steps.map((step) => ({ ...step, predict: expect.any(Object) as unknown })));
    for (const flags of [`${EXACT} --loss_type cross_entropy --damping 1e-4`, "--learning_rate 1"]) {
      expect((await rows(flags, "--kernel none")).every((row) => !("predict" in row))).toBe(true);
    }
    const { stdout } = await natgrad("train", SMALL, "--learning_rate 1 --kernel none");
    expect(stdout).toMatch(/^step +train_accuracy +train_loss +test_accuracy +test_loss$/m);
    expect(stdout).not.toMatch(/predict|isotropy|alpha|kernel_batch_size/);
  });

  it.each([
    ["--store_on_device", true],
    ["--store_on_device true", true],
    ["--store_on_device false", false],
    ["--store-on-device=False", false],
  ])("reads the boolean %s as %s", async (flag, value) => {
    expect((await events(EXACT, "--n_steps 0", flag))[0]).toMatchObject({ store_on_device: value });
  });

  it("multiplies the learning rate by lr_factor", async () => {
    const [config] = await events("--natural_gradient_type kfac", "--lr_factor 0.5", "--n_steps 0");
    expect(config!.learning_rate).toBeCloseTo(0.5 / (20 * 2 + 1), 15);
  });

  it("takes none for gradient descent", async () => {
    const [config] = await events("--natural_gradient_type none", "--learning_rate 1", "--n_steps 0");
    expect(config).not.toHaveProperty("natural_gradient_type");
  });

  it("shows the options that count in a run, and no others", async () => {
    const { stdout } = await natgrad("train", SMALL, "--learning_rate 1 --n_steps 0 --dataset synthetic");
    expect(stdout).toContain("gd_prediction: continuous");
    expect(stdout).not.toMatch(/save_|forster|target_classes|isotropy|store_on_device/);
  });
});

describe("log_every", () => {
  it.each(["--batch_size 16", ""])(
    "shows fewer rows of the same run, to the last bit (%s)",
    async (batches) => {
      const flags = `--width 16 --train_size 40 --natural_gradient_type kfac --damping 1e-4 --n_steps 6 ${batches}`;
      const all = await rows(flags);
      expect(await rows(flags, "--log_every 2")).toEqual(all.filter((_, i) => i % 2 === 0));
      expect(await rows(flags, "--log_every 6")).toEqual([all[0], all[6]]);
    },
  );
});

describe("divergence", () => {
  it("ends with exit code 3 and one line, after the row that is not finite", async () => {
    const { exitCode, stdout, stderr } = await natgrad("train", SMALL, "--learning_rate 1e6 --n_steps 50");
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^natgrad: .*diverged.*\n$/);
    const table = lines(stdout).slice(lines(stdout).indexOf(HEADER) + 1, -1);
    expect(table.length).toBeGreaterThan(1);
    expect(table.length).toBeLessThan(50);
    for (const row of table.slice(0, -1)) expect(row).not.toMatch(/nan|inf/);
    expect(table.at(-1)).toMatch(/nan|inf/);
    expect(lines(stdout).at(-1)).toMatch(/^diverged in /);
  });

  it("is a string in JSON lines, which have no NaN", async () => {
    const { exitCode, stdout } = await natgrad(
      "train",
      SMALL,
      "--learning_rate 1e6 --n_steps 50 --format jsonl",
    );
    expect(exitCode).toBe(3);
    const [step, done] = lines(stdout)
      .slice(-2)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(["NaN", "Infinity"]).toContain(step!.train_loss);
    expect(done).toMatchObject({ event: "done", diverged: true });
  });

  it("to finite losses ends alike, with all rows and the first step of it", async () => {
    const flags = "--natural_gradient_type kfac --lr_factor 20 --n_steps 3";
    const { exitCode, stdout, stderr } = await natgrad("train", SMALL, flags);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(
      /^natgrad: training: wanted a train_loss of at most 1\.254, got \S+ after step 3, diverged from step 1 on; try .*\n$/,
    );
    const rows = lines(stdout).slice(lines(stdout).indexOf(HEADER) + 1, -1);
    expect(rows).toHaveLength(4);
    expect(rows.join("\n")).not.toMatch(/nan|inf/);
    expect(lines(stdout).at(-1)).toMatch(/^diverged in .* MiB, from step 1 on$/);

    const json = await natgrad("train", SMALL, flags, "--format jsonl");
    expect(json.exitCode).toBe(3);
    expect(JSON.parse(lines(json.stdout).at(-1)!)).toMatchObject({
      event: "done",
      diverged: true,
      diverged_at: 1,
      reason: expect.stringMatching(/^training: wanted a train_loss/) as unknown,
    });
  });

  it("of a prediction to finite losses is told at the end", async () => {
    const run = "--width 1 --learning_rate 1e4 --n_steps 60 --gd_prediction discrete";
    const { exitCode, stdout, stderr } = await natgrad("train", SMALL, run, "--format jsonl");
    expect(exitCode).toBe(0);
    const message = stderr.slice("natgrad: ".length, -1);
    expect(message).toMatch(
      /^the prediction diverged: wanted a train_loss of at most \S+, got \S+, from step \d+ on$/,
    );
    const notice = lines(stdout)
      .map((line) => JSON.parse(line) as object)
      .find((event) => "kind" in event);
    expect(notice).toEqual({ event: "notice", kind: "prediction", step: 60, message });
  });

  it("of the prediction alone is told once on stderr", async () => {
    // The first step kills the only unit: the network stays, its prediction does not.
    const run = "--width 1 --learning_rate 1e4 --n_steps 110 --gd_prediction discrete";
    const { exitCode, stderr } = await natgrad("train", SMALL, run);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^natgrad: the prediction is not finite from step \d+ on\n$/);
  });
});

describe("help", () => {
  it("describes every option, under a heading, with its values and default", async () => {
    const { exitCode, stdout, stderr } = await natgrad("train --help");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    for (const name of [...OPTIONS, "format", "quiet"]) {
      expect(stdout).toMatch(new RegExp(`^  --${name}( \\S+)? {2,}\\S`, "m"));
    }
    for (const heading of ["Data", "Network", "Training", "Prediction", "Engine", "Files", "Output"]) {
      expect(stdout).toContain(`\n${heading}:\n`);
    }
    expect(stdout).toMatch(/exact \|\s+block_diagonal/);
    expect(stdout).toMatch(/samples, N, or all of these\s+classes\s+\(default 100\)/);
    expect(stdout).toContain("natgrad train --natural_gradient_type exact");
    expect(stdout).toContain("Row t is the network after t steps");
  });

  it("fits 80 columns, but for the examples", async () => {
    const [options] = (await natgrad("train --help")).stdout.split("Examples:");
    for (const line of lines(options!)) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("of natgrad lists the commands", async () => {
    const help = await natgrad("--help");
    expect(help.exitCode).toBe(0);
    expect(help.stdout).toMatch(/^ {2}train /m);
    expect(help.stdout).toMatch(/^ {2}data /m);
    expect((await natgrad()).exitCode).toBe(2);
    expect((await natgrad()).stderr).toBe(help.stdout);
  });

  it("knows its version", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await natgrad("--version")).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: "" });
  });
});
