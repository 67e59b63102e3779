/** @file `natgrad train --explain`: what a run would do and take, of each block and in total, without a run. */
import { describe, expect, it } from "vitest";
import { explain } from "../../src/experiment/explain.ts";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import { natgrad } from "./terminal.ts";

const EXACT = "train --natural_gradient_type exact --explain";

type Explained = {
  blocks: { form: string; positions: number; bytes: number; reason: string }[];
  plan: { bytes: number; parts: Record<string, number> };
  kernel: string;
};

const explained = async (...flags: string[]): Promise<Explained> => {
  const { exitCode, stdout, stderr } = await natgrad(EXACT, "--format jsonl", ...flags);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout) as Explained;
};

describe("--explain", () => {
  it("prints blocks and the plan of an mlp, and trains nothing", async () => {
    const { exitCode, stdout, stderr } = await natgrad(EXACT, "--width 64");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^widths: 784 - 64 - 64 - 1\n/);
    expect(stdout).toMatch(/^1 +dense\(64\) +\[784\] +64 x 784 +1 +outer .*acts once per sample/m);
    expect(stdout).toContain("solver: gram (its Gram fits into the memory limit)\n");
    expect(stdout).toMatch(/^memory: about \d+ MB at the peak\n {2}process: 130 MB\n/m);
    expect(stdout).not.toContain("train_loss");
  });

  it("says of every block how its Jacobian is kept, and why", async () => {
    // ResNet-18 has convolutions at 1024 positions, and wide ones at 16.
    const flags =
      "--architecture resnet --n_layers 18 --width 16 --n_classes 10 --dataset cifar10 --batch_size 50";
    const { blocks, kernel } = await explained(flags);
    expect(kernel).toBe("empirical");
    expect(blocks.length).toBe(21);
    expect(blocks[0]).toMatchObject({ form: "rows", positions: 1024, bytes: 4 * 50 * (1 + 10 * 16 * 27) });
    expect(blocks[0]!.reason).toMatch(/^\S+ operations per pair of samples, \S+ by pairs of positions$/);
    expect(blocks.some(({ form }) => form === "pairs")).toBe(true);
    expect(blocks.at(-1)).toMatchObject({ form: "outer", positions: 1 });
  });

  it("has the plan of the run, whose parts add up to it", async () => {
    const flags = "--dataset synthetic --train_size 20 --test_size 10 --width 32 --threads 1";
    const { plan } = await explained(flags);
    const parts = Object.values(plan.parts).reduce((sum, bytes) => sum + bytes, 0);
    expect(parts).toBeCloseTo(plan.bytes, 0);
    const { stdout } = await natgrad("train --natural_gradient_type exact --format jsonl", flags);
    expect(JSON.parse(stdout.split("\n")[0]!)).toMatchObject({ plan: { bytes: plan.bytes } });
  });

  it("loads data where its sizes depend on it", async () => {
    const config = parseConfig({
      natural_gradient_type: "exact",
      width: 8,
      train_size: "all",
      test_size: "all",
    });
    expect((await explain(config)).samples).toEqual({ train: 12_665, test: 2115 });
  });

  it.each([
    ["--memory_limit 1MB", /^natgrad: memory_limit: wanted a run within 1 MB, got one of \d+ MB/],
    ["--format csv", /^natgrad: format: wanted table or jsonl beside explain, got csv\n$/],
  ])("with %s is refused in one line", async (flag, message) => {
    const { exitCode, stderr } = await natgrad(EXACT, flag);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});
