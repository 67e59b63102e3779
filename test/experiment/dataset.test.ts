/** @file The data of an experiment: which seed draws it. */
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import { loadData } from "../../src/experiment/dataset.ts";
import { parseDiagnosisFlags } from "../../src/experiment/diagnosis.ts";

const config = (options: Record<string, unknown> = {}) =>
  parseConfig({ natural_gradient_type: "exact", train_size: 6, test_size: 3, ...options });

describe("loadData", () => {
  it("draws synthetic data by random_seed, or by data_seed where it is given", async () => {
    const data = (options: Record<string, unknown>) => loadData(config({ dataset: "synthetic", ...options }));
    const five = await data({ random_seed: 5 });
    expect(await data({ data_seed: 5 })).toEqual(five);
    expect(await data({ data_seed: 5, random_seed: 7 })).toEqual(five);
    expect(await data({})).not.toEqual(five);
  });

  it("takes the first digits by default, and others by a data_seed", async () => {
    const [first, again, other] = await Promise.all(
      [{}, { random_seed: 9 }, { data_seed: 9 }].map((options) => loadData(config(options))),
    );
    expect(again).toEqual(first);
    expect(other!.xTrain).not.toEqual(first!.xTrain);
    expect(other!.xTest).not.toEqual(first!.xTest);
  });
});

describe("data_seed", () => {
  it("is an option of a diagnosis too", () => {
    expect(parseDiagnosisFlags({ data_seed: "3" }).config.data_seed).toBe(3);
    expect(config().data_seed).toBeUndefined();
  });

  it("wants something to draw, and a seed", () => {
    expect(() => config({ data_seed: 3, train_size: "all", test_size: "all" })).toThrow(
      "data_seed: wanted a train_size or test_size to draw beside it, got all for both",
    );
    expect(config({ data_seed: 3, train_size: "all" }).data_seed).toBe(3);
    expect(() => config({ data_seed: 1.5 })).toThrow(
      "data_seed: wanted a whole number from 0 to 4294967295, got 1.5",
    );
  });
});
