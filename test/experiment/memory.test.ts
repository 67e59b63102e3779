/**
 * @file The memory limit is a promise: runs and diagnoses, each a process of its own, peak below the limit that their plan just
 * fits into, and the plan is no idle exaggeration. Sizes are the least at which matrices are most of what is taken.
 */
import { execFile } from "node:child_process";
import { rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import { planDiagnosis } from "../../src/experiment/diagnosis-plan.ts";
import { parseDiagnosis } from "../../src/experiment/diagnosis.ts";
import { planRun, type Plan } from "../../src/experiment/plan.ts";
import { expectedSizes } from "../../src/experiment/setup.ts";
import { FISHERS } from "../../src/fisher/index.ts";
import { LOSSES } from "../../src/loss/index.ts";
import { bundledCommandLine } from "../support/bundle.ts";

const main = bundledCommandLine();
const folder = mkdtempSync(join(tmpdir(), "natgrad-memory-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The plan may be so many times what was taken: it is a bound, for any loss, damping and state of the collector. */
const FACTOR = 1.75;

/** Flags as options by name; a flag without a value is true. */
function optionsOf(flags: string): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [, name, value] of flags.matchAll(/--(\w+)(?:\s+((?!--)\S+))?/g))
    options[name!] = value ?? "true";
  return options;
}

/** The plan of a command that needs no data to know its sizes. */
function planOf(command: string, flags: string, limit = 1e12): Pick<Plan, "bytes"> {
  if (command === "kernel") {
    const { config, methods } = parseDiagnosis(optionsOf(flags));
    return planDiagnosis({ ...expectedSizes(config)!, methods }, config, limit);
  }
  const config = parseConfig(optionsOf(flags));
  const fisher = FISHERS.find(({ name }) => name === (config.natural_gradient_type ?? "gradient"))!;
  const loss = LOSSES.find(({ name }) => name === config.loss_type)!;
  return planRun({ ...expectedSizes(config)!, fisher, loss }, config, limit);
}

const RUNS = [
  "train --train_size 20 --test_size 10 --natural_gradient_type exact",
  "train --train_size 800 --learning_rate 1",
  "train --train_size 800 --natural_gradient_type exact --save_kernel",
  "train --train_size 500 --natural_gradient_type block_diagonal --damping 1e-3 --kernel both",
  "train --train_size 400 --natural_gradient_type block_tri_diagonal --damping 1e-3",
  "train --train_size 500 --natural_gradient_type kfac --damping 1e-3",
  "train --train_size 500 --natural_gradient_type kfac --damping 1e-3 --workers 3 --threads 1",
  "train --train_size 300 --natural_gradient_type kfac_tikhonov --damping 1e-3 --kernel none",
  "train --train_size 120 --natural_gradient_type unit_wise --damping 1e-3",
  "train --train_size 120 --natural_gradient_type unit_wise --damping 1e-3 --n_classes 3 --kernel empirical",
  "train --train_size 150 --n_classes 4 --loss_type cross_entropy --natural_gradient_type exact --damping 1e-3",
  "train --train_size 150 --n_classes 4 --loss_type cross_entropy --natural_gradient_type kfac --damping 1e-3",
  "train --train_size 150 --n_classes 4 --loss_type cross_entropy --natural_gradient_type exact_plus_mse --damping 1e-3 --save_kernel",
  "train --train_size 400 --natural_gradient_type block_diagonal --damping 1e-3 --damping_schedule levenberg_marquardt",
  "train --train_size 700 --natural_gradient_type kfac --damping 1e-3 --batch_size 250 --n_steps 3",
  "train --train_size 900 --natural_gradient_type exact --damping 1e-3 --solver cg --kernel none --precision float64",
  "train --train_size 250 --width 1024 --natural_gradient_type exact --workers 2 --threads 1 --kernel empirical",
  "train --dataset mnist --width 512 --natural_gradient_type exact",
  "train --dataset mnist --width 1024 --train_size 1500 --natural_gradient_type exact --damping 1e-4 --solver cg --kernel none --n_steps 1",
  "train --dataset mnist --width 512 --train_size 800 --natural_gradient_type kfac --damping 1e-4 --n_steps 1",
  "train --dataset mnist --width 1024 --train_size 1000 --learning_rate 1 --n_steps 1",
  "train --dataset mnist --architecture cnn --width 32 --n_layers 4 --train_size 150 --natural_gradient_type exact --damping 1e-2 --n_steps 1",
  "train --dataset mnist --architecture cnn --width 16 --n_layers 3 --train_size 100 --n_classes 4 --natural_gradient_type block_diagonal --damping 1e-2 --n_steps 1",
  "train --dataset mnist --architecture cnn --width 16 --n_layers 3 --train_size 50 --test_size 20 --natural_gradient_type kfac_expand --damping 1e-2 --lr_factor 1e-4 --n_steps 1",
  "train --dataset mnist --architecture resnet --width 8 --train_size 100 --natural_gradient_type kfac --damping 1e-2 --n_steps 1 --lr_factor 1e-4",
  "train --dataset mnist --architecture transformer --width 32 --train_size 150 --natural_gradient_type exact --damping 1e-2 --n_steps 1",
  "train --architecture examples/architectures/token-mixer.json --train_size 500 --natural_gradient_type exact --damping 1e-2",
  "train --architecture examples/architectures/token-mixer.json --train_size 200 --natural_gradient_type unit_wise --damping 1e-2 --kernel none --lr_factor 1e-4",
  "kernel --train_size 600 --damping 1e-3 --natural_gradient_type block_tri_diagonal",
  "kernel --train_size 90 --n_classes 4 --damping 1e-3 --natural_gradient_type kfac_tikhonov",
  "kernel --train_size 80 --width 64 --damping 1e-3 --natural_gradient_type unit_wise",
];

describe("under a memory limit", () => {
  it.each(RUNS)("%s peaks below it", async (line) => {
    const [command = "", ...rest] = line.split(" ");
    const defaults = rest.includes("--architecture")
      ? "--dataset synthetic"
      : "--dataset synthetic --width 128";
    const flags = `${defaults} ${rest.join(" ")}`.replace("--save_kernel", `$& --save_kernel_dir ${folder}`);
    const { bytes } = planOf(command, flags);
    const limit = Math.ceil(bytes);
    const args = [
      main,
      command,
      ...flags.split(" "),
      "--quiet",
      "--format",
      "jsonl",
      "--memory_limit",
      `${limit}`,
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const events = stdout.trim().split("\n");
    expect(JSON.parse(events[0]!)).toMatchObject({ plan: { bytes } });
    const { peak_rss_bytes: peak } = JSON.parse(events.at(-1)!) as { peak_rss_bytes: number };
    expect(peak).toBeLessThan(limit);
    expect(limit / peak).toBeLessThan(FACTOR);
  });

  it("kernels that are saved count", () => {
    const flags = "--natural_gradient_type exact --damping 1e-6 --train_size 2000 --width 256";
    expect(planOf("train", flags, 400e6).bytes).toBeLessThan(400e6);
    expect(() => planOf("train", `${flags} --save_kernel`, 400e6)).toThrow(
      /^memory_limit: wanted a run within 400 MB, got one of \d+ MB \(.*prediction \d+ MB.*\)$/,
    );
  });

  it("a diagnosis is refused before any data is fetched", () => {
    expect(() => planOf("kernel", "--dataset cifar10 --train_size 10000", 4e9)).toThrow(
      /^memory_limit: wanted a run within 4 GB, got one of \d\d\.?\d* GB \(.*\)$/,
    );
  });
});

describe("methods", () => {
  const sizes = {
    samples: 100,
    outputs: 3,
    layers: [{ fanOut: 64 }, { fanOut: 64 }, { fanOut: 3 }],
    damped: true,
  };
  it.each(FISHERS.map((fisher) => [fisher.name, fisher] as const))(
    "%s takes more for more of everything",
    (_, { cost }) => {
      const total = (more: Partial<typeof sizes> & { leastNorm?: boolean }): number => {
        const { prepare, solve, onto } = cost({ ...sizes, ...more });
        for (const { kept, peak } of [prepare, solve, onto({ samples: 50, outputs: 3 })]) {
          expect(peak).toBeGreaterThanOrEqual(kept);
        }
        return prepare.peak + solve.peak + onto({ samples: 50, outputs: 3 }).peak;
      };
      const least = total({});
      expect(least).toBeGreaterThan(0);
      expect(total({ samples: 200 })).toBeGreaterThan(least);
      expect(total({ layers: [...sizes.layers, { fanOut: 3 }] })).toBeGreaterThan(least);
      expect(total({ outputs: 6 })).toBeGreaterThanOrEqual(least);
      expect(total({ leastNorm: true })).toBeGreaterThanOrEqual(least);
    },
  );
});
