import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkPlaces, leastBytes, preflight } from "../../src/cli/preflight.ts";
import { parseConfig } from "../../src/experiment/config.ts";

const config = (options: Record<string, unknown>) =>
  parseConfig({ natural_gradient_type: "exact", ...options });

describe("leastBytes", () => {
  it("counts the weights of every layer", () => {
    expect(leastBytes(config({ width: 64 })).weights).toBe(4 * (784 * 64 + 64 * 64 + 64));
    expect(leastBytes(config({ width: 64, n_layers: 1 })).weights).toBe(4 * 784);
    expect(leastBytes(config({ width: 64, n_layers: 2, bias_variance: 1, n_classes: 3 })).weights).toBe(
      4 * (785 * 64 + 65 * 3),
    );
    expect(leastBytes(config({ width: 64, dataset: "synthetic", precision: "float64" })).weights).toBe(
      8 * (32 * 64 + 64 * 64 + 64),
    );
  });

  it("counts Grams of samples, and of samples and outputs", () => {
    expect(leastBytes(config({ train_size: 10 })).grams).toBe(8 * 3 * 4 * 100);
    expect(leastBytes(config({ train_size: 10, n_classes: 3 })).grams).toBe(8 * 3 * (3 + 9) * 100);
  });
});

describe("preflight", () => {
  it("lets pass what fits, and says how much would not", async () => {
    const gibibyte = 2 ** 30;
    await expect(preflight(config({}), gibibyte)).resolves.toBeUndefined();
    await expect(preflight(config({ width: 40000 }), gibibyte)).rejects.toThrow(
      "width: wanted weights that fit into 1 GiB of free memory, got 6.08 GiB at width 40000",
    );
    await expect(preflight(config({ train_size: 10000 }), gibibyte)).rejects.toThrow(
      "train_size: wanted Grams that fit into 1 GiB of free memory, got 8.94 GiB at train_size 10000",
    );
  });
});

describe("checkPlaces", () => {
  it.skipIf(!existsSync("/proc/self"))("refuses a folder that nobody can make", async () => {
    for (const name of ["dataset", "kernel", "init_weights"]) {
      const options = { [`save_${name}`]: true, [`save_${name}_dir`]: "/proc/x" };
      await expect(checkPlaces(config(options))).rejects.toThrow(
        new RegExp(`^save_${name}_dir: wanted a folder that can be written, got "/proc/x" \\([A-Z]+\\)$`),
      );
    }
  });

  it("looks at no folder where nothing is saved", async () => {
    await expect(checkPlaces(config({}))).resolves.toBeUndefined();
  });
});
