import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkPlaces } from "../../src/cli/preflight.ts";
import { parseFlags } from "../../src/experiment/parse-config.ts";

const config = (options: Record<string, unknown>) =>
  parseFlags({ natural_gradient_type: "exact", ...options });

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
