import { describe, expect, it } from "vitest";
import { DIAGNOSIS_OPTIONS, diagnosisMethods } from "../../src/experiment/diagnosis.ts";
import { sparkline } from "../../src/report/diagnosis.ts";
import { natgrad } from "./terminal.ts";

const SMALL = "--dataset synthetic --width 64 --train_size 20 --test_size 10 --threads 1";
const lines = (text: string): string[] => text.trimEnd().split("\n");

/** The one line that `natgrad kernel ...args` ends in, having printed nothing else. */
const refusal = async (...args: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await natgrad("kernel", ...args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(/^natgrad: [^\n]+\n$/);
  return stderr.slice("natgrad: ".length, -1);
};

describe("natgrad kernel", () => {
  it("prints the configuration and a table for each kind of figure", async () => {
    const { exitCode, stdout, stderr } = await natgrad("kernel", SMALL, "--damping 1e-4");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const all = lines(stdout);
    expect(all[0]).toBe("==================");
    expect(all).toContain("width: 64");
    expect(all).toContain("widths: 32 - 64 - 64 - 1");
    expect(stdout).not.toMatch(/forster|undefined|NaN|nan/);
    const table = (heading: string): string[] => {
      const start = all.findIndex((line) => line.startsWith(heading));
      return all.slice(start, all.indexOf("", start));
    };
    const spectrum = table("spectrum of Theta / N");
    expect(spectrum[0]).toMatch(/analytic +empirical$/);
    expect(spectrum.find((line) => line.startsWith("rank"))).toMatch(/20 of 20 +20 of 20$/);
    expect(all.filter((line) => /^(analytic|empirical) +█[▁▂▃▄▅▆▇█]{19}$/.test(line))).not.toEqual([]);
    expect(
      table("layers:")
        .slice(2)
        .map((line) => line.split(" ")[0]),
    ).toEqual(["1", "2", "3", "all"]);
    const methods = table("methods: how far").slice(2);
    expect(methods).toHaveLength(2 * diagnosisMethods("mse").length);
    expect(methods[2]).toMatch(/^exact +analytic +0\.\d+ +1 +[\d.e-]+ +1 +\d/);
    // Four probes stand for all columns where a product is dear, and the row says so.
    const estimated = methods.filter((line) => line.endsWith(" from 4 random probes"));
    expect(estimated.map((line) => line.split(" ")[0])).toEqual(["unit_wise", "unit_wise"]);
    expect(
      table("test set over all")
        .slice(2)
        .map((line) => line.split(",")[0]),
    ).toEqual(["ntk", "nngp"]);
    expect(all.at(-1)).toMatch(/^done in \d+\.\d\d s, peak memory \d+ MiB$/);
  });

  it("says which parts are of the loss that was asked for, and which of a squared error", async () => {
    const flags = "--loss_type cross_entropy --natural_gradient_type exact_plus_mse";
    const { exitCode, stdout } = await natgrad("kernel", SMALL, flags);
    expect(exitCode).toBe(0);
    const all = lines(stdout);
    expect(all).toContain("loss_type: cross_entropy");
    expect(all).toContain("methods: exact_plus_mse");
    expect(all).toContain("gradient descent (mse)");
    expect(all).toContain("test set over all initialisations, at convergence (mse)");
    expect(stdout).toMatch(
      /^methods under cross_entropy, curvature S S\^T at the initial outputs: how far S\^T G is from alpha I/m,
    );
    expect(stdout).toMatch(/^exact_plus_mse +analytic +1 +1 +[\d.]+e-\d\d +1 +2$/m);
    const plain = await natgrad("kernel", SMALL, "--natural_gradient_type exact");
    expect(plain.stdout).not.toMatch(/\(mse\)|under/);
    const jsonl = await natgrad("kernel", SMALL, flags, "--format jsonl");
    const events = lines(jsonl.stdout).map((line) => JSON.parse(line) as Record<string, unknown>);
    const lossesOf = (name: string) =>
      new Set(events.filter((e) => e.event === name).map((e) => e.loss_type));
    expect([...lossesOf("spectrum"), ...lossesOf("posterior")]).toEqual(["mse", "mse"]);
    expect([...lossesOf("method"), ...lossesOf("config")]).toEqual(["cross_entropy", "cross_entropy"]);
    expect(await refusal(SMALL, "--natural_gradient_type exact_plus_mse")).toMatch(/for loss_type mse/);
  });

  it("prints one JSON object per line", async () => {
    const { exitCode, stdout } = await natgrad(
      "kernel",
      SMALL,
      "--natural-gradient-type=kfac --format jsonl",
    );
    expect(exitCode).toBe(0);
    const events = lines(stdout).map((line) => JSON.parse(line) as Record<string, unknown>);
    const names = events.map(({ event }) => event);
    expect([...new Set(names)]).toEqual(["config", "spectrum", "layer", "method", "posterior", "done"]);
    expect(events[0]).toMatchObject({
      dataset: "synthetic",
      train_size: 20,
      methods: ["kfac"],
      n_classes: 2,
    });
    expect(events[0]).not.toHaveProperty("natural_gradient_type");
    expect(events[0]).not.toHaveProperty("learning_rate");
    expect(events[1]!.eigenvalues).toHaveLength(20);
    expect(events.find(({ event }) => event === "method")).toMatchObject({
      method: "kfac",
      alpha_theory: 41,
    });
  });

  it("takes groups of classes, and all samples of a file", async () => {
    const flags =
      "--width 16 --train_size 10 --target_classes 0+2,1 --n_layers 2 --natural_gradient_type exact";
    const { exitCode, stdout } = await natgrad("kernel", flags, "--test_size 10");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("target_classes: [0+2, 1]\n");
    const file = "--dataset_path test/fixtures/golden/mnist01_100_50.npz --test_size all --format jsonl";
    const all = await natgrad("kernel --width 16 --train_size 10 --natural_gradient_type exact", file);
    expect(JSON.parse(lines(all.stdout)[0]!)).toMatchObject({ train_size: 10, test_size: 50 });
    expect(await refusal(SMALL.replace("--test_size 10", ""), "--test_size all")).toBe(
      "test_size: wanted a number for dataset synthetic (it is drawn), got all",
    );
  });

  it("writes what is not finite as a string, and reasons on one line", async () => {
    const linear = "--n_layers 1 --train_size 40 --natural_gradient_type exact";
    const { stdout } = await natgrad(
      "kernel",
      SMALL.replace("--train_size 20", ""),
      linear,
      "--format jsonl",
    );
    expect(JSON.parse(lines(stdout)[1]!)).toMatchObject({ condition: "Infinity", rank: 32 });
    const table = await natgrad("kernel", SMALL.replace("--train_size 20", ""), linear);
    expect(table.stdout).toMatch(
      /^exact +analytic +none: exact: NTK: wanted an invertible Gram, got 40 x 40 of .*; try --damping, /m,
    );
    expect(table.stdout).toMatch(/^analytic {3}[▁▂▃▄▅▆▇█]{32}$/m);
  });

  it("is described by its help", async () => {
    const { exitCode, stdout } = await natgrad("kernel --help");
    expect(exitCode).toBe(0);
    for (const name of [...DIAGNOSIS_OPTIONS, "format", "quiet"]) {
      expect(stdout).toMatch(new RegExp(`^  --${name}( \\S+)? {2,}\\S`, "m"));
    }
    expect(stdout).not.toContain("--n_steps");
    expect(stdout.match(/^ {2}natgrad kernel/gm)!.length).toBeGreaterThanOrEqual(3);
    const [options] = stdout.split("Examples:");
    for (const line of lines(options!)) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each([
    ["--width x", 'width: wanted a whole number >= 1, got "x"'],
    ["--format csv", 'format: wanted one of table, jsonl, got "csv"'],
    ["--n_steps 3", "--n_steps: wanted a known option (--help lists them), got an unknown one"],
    ["--damping --quiet", "damping: wanted a value, got the next option --quiet"],
    ["twice", 'kernel: wanted options alone, got "twice"'],
    ["--dataset_path /nowhere.npz", "/nowhere.npz: wanted a readable file, got ENOENT"],
  ])("refuses %s on one line", async (args, line) => {
    expect(await refusal(args)).toBe(line);
  });
});

describe("sparkline", () => {
  it("has a bar an order of magnitude, and none for what is rounding", () => {
    const orders = Array.from({ length: 8 }, (_, k) => 1.5 * 10 ** -k);
    expect(sparkline(orders, 8, 1e-7, 10)).toBe("█▇▆▅▄▃▂▁");
    expect(sparkline([1, 1e-7], 4, 1e-7, 1)).toBe("█▁");
    expect(sparkline([2], 1, 2, 2)).toBe("█");
    expect(
      sparkline(
        Array.from({ length: 500 }, () => 1),
        500,
        0.1,
        1,
      ),
    ).toBe("█".repeat(64));
  });
});
