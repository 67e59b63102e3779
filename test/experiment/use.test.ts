/**
 * @file A second experiment in one process tells its own seconds and its own memory.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import type { DoneEvent } from "../../src/experiment/events.ts";
import { run } from "../../src/experiment/run.ts";

const config = parseConfig({
  dataset: "synthetic",
  train_size: 10,
  test_size: 5,
  width: 16,
  natural_gradient_type: "exact",
});

/** How a run of `config` ends. */
async function end(): Promise<DoneEvent> {
  for await (const event of run(config)) if (event.event === "done") return event;
  throw new Error("the run has no end");
}

it("seconds are those of the run", async () => {
  await end();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const start = performance.now();
  const { seconds, timings } = await end();
  expect(seconds).toBeLessThanOrEqual((performance.now() - start) / 1000);
  expect(seconds).toBeGreaterThanOrEqual(timings["loop"]!);
});

it("memory is that of the run", async () => {
  const source = `
    import { watchMemory } from "./src/experiment/memory.ts";
    const first = watchMemory();
    let large = new Uint8Array(400e6).fill(1);
    const peak = first.peak();
    first.end();
    large = undefined;
    for (let i = 0; i < 3; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const second = watchMemory();
    console.log(peak, second.peak());
  `;
  const flags = ["--expose-gc", "--import", "tsx", "--input-type=module", "--eval", source];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  const [first, second] = stdout.split(" ").map(Number);
  expect(first).toBeGreaterThan(400e6);
  expect(second).toBeLessThan(first! - 300e6);
});
