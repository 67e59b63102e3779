/** @file An engine for tests of what the host computes: large products take the way that they take in a run. */
import type { ComputeOptions } from "../../src/engine/compute.ts";
import { createEngine } from "../../src/engine/engine.ts";

export const computing: ComputeOptions = { engine: await createEngine({ precision: "float64" }) };
