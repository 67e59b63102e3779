/**
 * @file One step of exact NGD at width 4096 as N grows: where the time goes when Grams and solve are no longer small,
 * and what memory it takes. Steps and floors take turns in one process, so that both see the same machine.
 */
import { createTrainer } from "../src/dynamics/trainer.ts";
import { exact } from "../src/fisher/exact.ts";
import { createEngine } from "../src/engine/engine.ts";
import { createWeights, MAX_RANK, rankOf } from "../src/jacobian/weights.ts";
import { mse } from "../src/loss/mse.ts";
import { inFreshProcess, peakMemory, type Benchmark } from "./benchmark.ts";
import { createFloor, foldProducts, linearizeProducts } from "./gemm.ts";
import { mb, ms, table, times, verdict } from "./markdown.ts";
import { given, setup } from "./setup.ts";
import { columns, mean, median, seconds } from "./statistics.ts";

const SIZES = [100, 1000, 2000];
/** A whole number of times that small updates are folded: steps that fold cost more, so a step is a mean over all. */
const RUNS = 10;
/** Small steps scatter more, and cost less. */
const runsFor = (N: number, runs: number): number => (N <= 100 ? 4 * runs : runs);
/** The row of what is not folded. */
const FORWARD = "linearize and Grams";
/** Small, so that many steps stay near the start. */
const LEARNING_RATE = 0.01;
const TARGETS = { linearize: 1.1, step: 1.25 };

/** Seconds of a step and of its floors; `pending`: rows of earlier updates that are not folded into the weights yet. */
type Step = Record<
  | "step"
  | "pending"
  | "linearize"
  | "precondition"
  | "update"
  | "linearizeFloor"
  | "solveFloor"
  | "updateFloor",
  number
>;

/** What a process found; memory in bytes, `cold` in seconds: the first step. */
type Found = { steps: Step[]; cold: number; before: number; peak: number };

/** Steps on `N` samples in this process, a floor after each. */
export async function exactStep(N: number, runs: number): Promise<Found> {
  const s = await setup({ train: N });
  const weights = createWeights(s.network, s.thetas);
  const trainer = createTrainer(s.linearizer, weights, exact, mse, s.batch);
  const before = process.memoryUsage.rss();
  const cold = await seconds(() => trainer.step({ learningRate: LEARNING_RATE }));
  const peak = peakMemory();

  const double = await createEngine({ precision: "float64" });
  const floors = {
    linearizeFloor: await createFloor(s.engine, linearizeProducts(s.network, s.samples, N), given(s)),
    solveFloor: await createFloor(double, [factorProduct(N)]),
    updateFloor: await createFloor(s.engine, foldProducts(s.network, N)),
  };
  const steps: Step[] = [];
  for (let i = 0; i <= runs; i++) {
    const rank = rankOf(weights[0]!);
    const start = performance.now();
    const { linearize, gram, precondition, update } = (await trainer.step({ learningRate: LEARNING_RATE }))
      .seconds;
    const found: Step = {
      step: (performance.now() - start) / 1000,
      pending: rank + N > MAX_RANK ? 0 : rank,
      linearize: linearize + gram,
      precondition,
      update,
      linearizeFloor: await seconds(floors.linearizeFloor.run),
      solveFloor: await seconds(floors.solveFloor.run),
      updateFloor: await seconds(floors.updateFloor.run),
    };
    if (i > 0) steps.push(found);
  }
  return { steps, cold, before, peak };
}

/** A float64 product with as many operations as a Cholesky factor of [n, n], n^3 / 3. */
const factorProduct = (n: number) => ({
  name: "factor",
  left: { name: "a", rows: n, cols: Math.ceil(n / 6) },
  right: { name: "b", rows: Math.ceil(n / 6), cols: n },
});

export const exactStepBenchmark: Benchmark = {
  name: "exact-step",
  title: `One step of exact NGD (target: linearisation and Grams within ${TARGETS.linearize} of the floor, step within ${TARGETS.step})`,
  async run({ runs = RUNS, progress }) {
    const lines: string[] = [];
    const raw: Record<number, Found> = {};
    for (const N of SIZES) {
      progress(`N = ${N}`);
      const repeats = runsFor(N, runs);
      const found = (raw[N] = await inFreshProcess<Found>("exactStep", N, repeats));
      const all = columns(found.steps);
      const ranks = [...new Set(all.pending)].toSorted((a, b) => a - b);
      const floor = all.linearizeFloor.map((f, i) => f + all.solveFloor[i]! + all.updateFloor[i]!);
      const row = (what: string, time: readonly number[], by: readonly number[], target?: number) => {
        // Of each step by the floor after it; where steps differ by what they fold, of all by all.
        const ratio = what.startsWith(FORWARD)
          ? median(time.map((t, i) => t / by[i]!))
          : mean(time) / mean(by);
        return [
          what,
          ms(mean(time)),
          ms(Math.min(...time)),
          ms(mean(by)),
          times(ratio),
          target === undefined ? "" : `${times(target)} ${verdict(ratio, target)}`,
        ];
      };
      lines.push(
        table(
          [`N = ${N}, ${repeats} runs`, "mean ms", "min ms", "floor ms", "ratio", "target"],
          [
            row("step", all.step, floor, TARGETS.step),
            ...ranks.map((rank) => {
              const { linearize, linearizeFloor } = columns(
                found.steps.filter(({ pending }) => pending === rank),
              );
              if (rank === 0) return row(FORWARD, linearize, linearizeFloor, TARGETS.linearize);
              return row(`${FORWARD}, ${rank} rows pending`, linearize, linearizeFloor);
            }),
            row("solve", all.precondition, all.solveFloor),
            row("update", all.update, all.updateFloor),
          ],
        ),
        "",
        `The first step took ${ms(found.cold)} ms; peak memory ${mb(found.peak)} MB, of which ${mb(found.before)} MB before it.`,
        "",
      );
    }
    return { text: lines.join("\n"), raw };
  },
};
