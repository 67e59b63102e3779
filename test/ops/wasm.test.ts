/**
 * @file Every op on WebAssembly, as browsers without WebGPU and Node without the native build have it: the same numbers.
 */
import { expect, it, vi } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
import { numbersOf, opNetworks } from "../support/op-networks.ts";
import { relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

vi.mock("#ort", () => {
  throw new Error("hidden by this test");
});

it("every op computes in both precisions, and the same", async () => {
  const notice = (): void => {};
  const narrow = await createEngine({ precision: "float32", threads: 1, notice });
  const wide = await createEngine({ precision: "float64", threads: 1, notice });
  expect([narrow.runtime, wide.runtime]).toEqual(["wasm", "wasm"]);
  for (const [name, network] of opNetworks(2)) {
    const got = await numbersOf(narrow, network);
    const wanted = await numbersOf(wide, network);
    expect(relativeError(got, wanted), name).toBeLessThan(TOLERANCE.float32);
  }
  await narrow.release();
  await wide.release();
});
