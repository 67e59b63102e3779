/**
 * @file Every op in float32 beside float64: outputs and Jacobians agree to rounding.
 */
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
import { numbersOf, opNetworks } from "../support/op-networks.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const float32Engine = createEngine({ threads: 1 });

describe.each([1, 2])("with %i outputs", (C) => {
  it.each(opNetworks(C))("%s is the same in float32", async (_, network) => {
    const narrow = await numbersOf(await float32Engine, network);
    const wide = await numbersOf(await float64Engine(), network);
    expect(wide.some((value) => value !== 0)).toBe(true);
    expect(relativeError(narrow, wide)).toBeLessThan(TOLERANCE.float32);
  });
});
