/**
 * @file Outputs and Jacobians of every op on an engine: the same code in Node and, bundled, in the browser.
 */
import { createEngine, type EngineOptions } from "../../src/engine/engine.ts";
import { numbersOf, opNetworks } from "../support/op-networks.ts";

/** Numbers of each op by its name, or the error that there were. */
export async function opNumbers(
  options: EngineOptions,
  outputs: number,
): Promise<(readonly [string, number[] | string])[]> {
  const engine = await createEngine(options);
  const found: (readonly [string, number[] | string])[] = [];
  for (const [name, network] of opNetworks(outputs)) {
    try {
      found.push([name, await numbersOf(engine, network)]);
    } catch (error) {
      found.push([name, error instanceof Error ? error.message : String(error)]);
    }
  }
  await engine.release();
  return found;
}
