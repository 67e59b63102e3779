/** @file How many values an activation needs at a time, and that a plan counts them. */
import { describe, expect, it } from "vitest";
import { exact } from "../../src/fisher/index.ts";
import { planRun } from "../../src/experiment/plan.ts";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import { mlp } from "../../src/network/mlp.ts";
import { workingValues } from "../../src/network/working-values.ts";
import { activation } from "../../src/ops/activation.ts";
import { activationNamed } from "../../src/ops/activations/index.ts";
import { sum } from "../../src/ops/sum.ts";

const of = (name: string, precision: "float32" | "float64") =>
  workingValues(activation(activationNamed(name)), [[4]], precision);

describe("working values", () => {
  it("are those of the operations that an op is made of", () => {
    expect([of("identity", "float64"), of("relu", "float64")]).toEqual([2, 3]);
    expect([of("erf", "float32"), of("erf", "float64")]).toEqual([3, 8]);
    expect(workingValues(sum(), [[4], [4]], "float32")).toBeLessThanOrEqual(4);
  });

  it("count in the memory of a run", () => {
    const planOf = (name: string) => {
      const network = mlp(784, { width: 2048, activation: name });
      const config = parseConfig({ natural_gradient_type: "exact", precision: "float64" });
      return planRun({ network, fisher: exact, samples: { train: 1000, test: 50 } }, config, 1e12);
    };
    const relu = planOf("relu");
    expect(planOf("erf").bytes - relu.bytes).toBe(4 * 5 * 8 * relu.tile * 2048);
    expect(planOf("sin")).toEqual(relu);
  });
});
