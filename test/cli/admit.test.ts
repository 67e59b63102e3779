import { describe, expect, it } from "vitest";
import { admit } from "../../src/cli/admit.ts";
import { parseConfig } from "../../src/experiment/config.ts";

const config = (options: Record<string, unknown>) =>
  parseConfig({ natural_gradient_type: "exact", width: 16, ...options });

describe("admit", () => {
  it("has nothing to check later where the sizes are known", async () => {
    expect(await admit(config({}))).toEqual({});
  });

  it("refuses before the data what no size would help", async () => {
    await expect(admit(config({ width: 1e9, train_size: "all" }))).rejects.toThrow(/^width: wanted weights/);
  });

  it("refuses all samples once it is known how many they are", async () => {
    const { settled } = await admit(config({ train_size: "all" }));
    expect(await settled!(config({ train_size: 10 }))).toBeUndefined();
    await expect(async () => settled!(config({ train_size: 1e7 }))).rejects.toThrow(
      /^train_size: wanted Grams/,
    );
  });
});
