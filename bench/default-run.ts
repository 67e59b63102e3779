/**
 * @file The training loop of the default run (exact NGD, digits 0 and 1, width 4096, three layers, 100 + 50 samples):
 * two steps and an evaluation, beside the matrix products that they cannot do without.
 *
 * Cold: `run()` in a fresh process, as the command line does it, then the floor in that process. Warm: fresh weights
 * in one process, the floor before every repetition.
 */
import { createTrainer } from "../src/dynamics/trainer.ts";
import { parseConfig } from "../src/experiment/parse-config.ts";
import { run } from "../src/experiment/run.ts";
import { exact } from "../src/fisher/exact.ts";
import { createWeights } from "../src/jacobian/weights.ts";
import { mse } from "../src/loss/mse.ts";
import { inFreshProcess, type Benchmark, type Settings } from "./benchmark.ts";
import { createFloor, forwardProducts, linearizeProducts } from "./gemm.ts";
import { ms, table, times, verdict } from "./markdown.ts";
import { given, setup, type Setup } from "./setup.ts";
import { columns, median, seconds } from "./statistics.ts";

/** The loop within this many times its floor. */
const TARGET = 1.3;
const STEPS = 2;
const COLD_RUNS = 5;
const WARM_RUNS = 15;
/** The floor is repeated in a cold process until it is warm itself. */
const FLOOR_RUNS = 7;

/** Seconds of one loop and of its parts, and of the floors of the parts that have one. */
type Loop = Record<(typeof PARTS)[number] | "loop" | "linearizeFloor" | "evaluateFloor", number>;
const PARTS = ["linearize", "precondition", "update", "evaluate"] as const;

/** The floors of a linearisation and of an evaluation, each run once when called. */
async function floors(s: Setup): Promise<() => Promise<Pick<Loop, "linearizeFloor" | "evaluateFloor">>> {
  const N = s.batch.y.rows;
  const linearize = await createFloor(s.engine, linearizeProducts(s.network, s.samples, N), given(s));
  const evaluate = await createFloor(s.engine, forwardProducts(s.network, s.samples), given(s));
  return async () => {
    let linearizeFloor = 0;
    for (let step = 0; step < STEPS; step++) linearizeFloor += await seconds(linearize.run);
    return { linearizeFloor, evaluateFloor: await seconds(evaluate.run) };
  };
}

/** The default run in this process, the floor after it. */
export async function coldLoop(): Promise<Loop> {
  let timings: Record<string, number> = {};
  for await (const event of run(parseConfig({ natural_gradient_type: "exact" }))) {
    if (event.event === "done") timings = event.timings;
  }
  const { loop = NaN, linearize = NaN, gram = NaN, precondition = NaN, update = NaN } = timings;
  const measure = await floors(await setup());
  const floorRuns: Awaited<ReturnType<typeof measure>>[] = [];
  for (let i = 0; i < FLOOR_RUNS; i++) floorRuns.push(await measure());
  const floor = columns(floorRuns.slice(1));
  return {
    loop,
    linearize: linearize + gram,
    precondition,
    update,
    evaluate: loop - linearize - gram - precondition - update,
    linearizeFloor: median(floor.linearizeFloor),
    evaluateFloor: median(floor.evaluateFloor),
  };
}

/** The loop again and again in this process. */
export async function warmLoops(repetitions: number): Promise<Loop[]> {
  const s = await setup();
  const measure = await floors(s);
  const loops: Loop[] = [];
  for (let i = 0; i <= repetitions; i++) {
    const floor = await measure();
    const trainer = createTrainer(s.linearizer, createWeights(s.network, s.thetas), exact, mse, s.batch);
    const parts = { linearize: 0, precondition: 0, update: 0 };
    const start = performance.now();
    for (let step = 0; step < STEPS; step++) {
      const { seconds } = await trainer.step({ learningRate: 1 });
      for (const part of Object.keys(parts) as (keyof typeof parts)[]) parts[part] += seconds[part];
      parts.linearize += seconds.gram;
    }
    const evaluate = await seconds(() => trainer.evaluate());
    const loop = (performance.now() - start) / 1000;
    // The first repetition compiles.
    if (i > 0) loops.push({ ...floor, ...parts, evaluate, loop });
  }
  return loops;
}

export const defaultRun: Benchmark = {
  name: "default-run",
  title: `Training loop of the default run (target: within ${TARGET} of the floor)`,
  async run({ runs, progress }: Settings) {
    const cold: Loop[] = [];
    for (let i = 0; i < (runs ?? COLD_RUNS); i++) {
      progress(`cold ${i + 1}/${runs ?? COLD_RUNS}`);
      cold.push(await inFreshProcess<Loop>("coldLoop"));
    }
    progress("warm");
    const warm = await inFreshProcess<Loop[]>("warmLoops", runs ?? WARM_RUNS);
    return { text: [...lines("cold", cold), ...lines("warm", warm)].join("\n"), raw: { cold, warm } };
  },
};

function lines(name: string, loops: readonly Loop[]): string[] {
  const all = columns(loops);
  const floor = loops.map((loop) => loop.linearizeFloor + loop.evaluateFloor);
  const rows = [
    row("loop", all.loop, floor, TARGET),
    row("linearize and Grams, 2 times", all.linearize, all.linearizeFloor),
    row("precondition, 2 times", all.precondition),
    row("update, 2 times", all.update),
    row("evaluate", all.evaluate, all.evaluateFloor),
  ];
  return [
    table([`${name}, ${loops.length} runs`, "median ms", "min ms", "floor ms", "ratio", "target"], rows),
    "",
  ];
}

function row(what: string, time: readonly number[], floor?: readonly number[], target?: number): string[] {
  const cells = [what, ms(median(time)), ms(Math.min(...time))];
  if (floor === undefined) return cells;
  const ratio = median(time.map((t, i) => t / floor[i]!));
  const verdicts = target === undefined ? [] : [verdict(ratio, target)];
  return [...cells, ms(median(floor)), times(ratio), ...verdicts];
}
