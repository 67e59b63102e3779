import { expect, test } from "vitest";
import type { Case, Way } from "../../../bench/peers/cases.ts";
import type { Launcher } from "../../../bench/peers/measure.ts";
import { measureInTurns, type Turns } from "../../../bench/peers/turns.ts";

const one: Case = { job: "images", N: 4, tests: 0, C: 1, width: 4, depth: 5, network: "cnn" };
const natgrad: Way = { peer: "natgrad", variant: "grams" };
const jax: Way = { peer: "jax", variant: "structured_derivatives" };

/** A worker that says `seconds` for each line, and fails after `most` of them. */
const worker = (seconds: number, most = Infinity): Launcher => ({
  command: process.execPath,
  args: [
    "-e",
    `let n = 0;
     const say = (event, rest) => console.log(JSON.stringify({ event, ...rest }));
     say("ready");
     require("node:readline").createInterface({ input: process.stdin })
       .on("line", () => ++n > ${most} ? process.exit(3) : say("sample", { seconds: ${seconds} }))
       .on("close", () => say("peak", { bytes: 1 }));`,
  ],
});

const turns = (launcher: (peer: string) => Launcher, excuse?: string): Turns => ({
  request: {} as Turns["request"],
  rounds: 3,
  launcher,
  limits: () => ({ seconds: 30, bytes: Infinity }),
  excuse: () => excuse,
  done: () => {},
});

test("measureInTurns gives each round its ratio to natgrad, and natgrad first", async () => {
  const results = await measureInTurns(
    one,
    [natgrad, jax],
    turns((peer) => worker(peer === "natgrad" ? 1 : 2)),
  );
  expect(results).toEqual([
    { case: one, way: natgrad, seconds: [1, 1, 1], peak: 1 },
    { case: one, way: jax, seconds: [2, 2, 2], peak: 1, ratios: [2, 2, 2] },
  ]);
});

test("a worker that ends early leaves the ratios of the rounds before, and says why", async () => {
  const [, result] = await measureInTurns(
    one,
    [natgrad, jax],
    turns((peer) => worker(2, peer === "natgrad" ? Infinity : 1)),
  );
  expect(result).toMatchObject({ seconds: [2], ratios: [1], note: "exit 3" });
});

test("what is not begun says why", async () => {
  const results = await measureInTurns(
    one,
    [natgrad, jax],
    turns(() => worker(1), "needs 80 GB"),
  );
  expect(results[1]).toEqual({ case: one, way: jax, seconds: [], note: "needs 80 GB" });
});
