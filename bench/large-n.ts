/**
 * @file One step of exact NGD on 2000 training samples at width 4096: where the time goes when the solve is no longer
 * small, and what memory it takes. Each part stands beside its own floor.
 */
import { createTrainer } from "../src/dynamics/trainer.ts";
import { exact } from "../src/fisher/exact.ts";
import { createEngine } from "../src/graph/engine.ts";
import { createWeights } from "../src/linearization/weights.ts";
import { mse } from "../src/loss/mse.ts";
import { inFreshProcess, peakMemory, type Benchmark } from "./benchmark.ts";
import { createFloor, foldProducts, linearizeProducts, type Floor } from "./gemm.ts";
import { mb, s as inSeconds, table, times } from "./markdown.ts";
import { given, setup } from "./setup.ts";
import { columns, median, seconds } from "./statistics.ts";

const N = 2000;
const RUNS = 3;
const FLOOR_RUNS = 3;
const PARTS = ["linearize", "precondition", "update"] as const;

/** Seconds of a step, its parts and their floors; `peak` and `before` in bytes. */
type Step = Record<
  "step" | "peak" | "before" | (typeof PARTS)[number] | `${(typeof PARTS)[number]}Floor`,
  number
>;

/** One step in this process, the floors after it. */
export async function largeN(): Promise<Step> {
  const s = await setup({ train: N });
  const trainer = createTrainer(s.linearizer, createWeights(s.network, s.thetas), exact, mse, s.batch);
  const before = process.memoryUsage.rss();
  const start = performance.now();
  const { linearize, precondition, update } = (await trainer.step({ learningRate: 1 })).seconds;
  const step = (performance.now() - start) / 1000;
  const peak = peakMemory();

  const double = await createEngine({ precision: "float64" });
  return {
    step,
    linearize,
    precondition,
    update,
    before,
    peak,
    linearizeFloor: await warm(
      await createFloor(s.engine, linearizeProducts(s.network, s.samples, N), given(s)),
    ),
    preconditionFloor: await warm(await createFloor(double, [factorProduct(N)])),
    updateFloor: await warm(await createFloor(s.engine, foldProducts(s.network, N))),
  };
}

/** Seconds of a floor that has run before. */
async function warm(floor: Floor): Promise<number> {
  const repeated: number[] = [];
  for (let i = 0; i <= FLOOR_RUNS; i++) repeated.push(await seconds(floor.run));
  return median(repeated.slice(1));
}

/** A float64 product with as many operations as a Cholesky factor of [n, n], n^3 / 3. */
const factorProduct = (n: number) => ({
  name: "factor",
  left: { name: "a", rows: n, cols: Math.round(n / 6) },
  right: { name: "b", rows: Math.round(n / 6), cols: n },
});

export const largeNBenchmark: Benchmark = {
  name: "large-n",
  title: `One step of exact NGD, ${N} training samples`,
  async run({ runs = RUNS, progress }) {
    const steps: Step[] = [];
    for (let i = 0; i < runs; i++) {
      progress(`run ${i + 1}/${runs}`);
      steps.push(await inFreshProcess<Step>("largeN"));
    }
    const all = columns(steps);
    const total = median(all.step);
    const row = (what: string, time: readonly number[], floor: readonly number[]): string[] => [
      what,
      inSeconds(median(time)),
      `${((100 * median(time)) / total).toFixed(0)} %`,
      inSeconds(median(floor)),
      times(median(time.map((t, i) => t / floor[i]!))),
    ];
    const sum = steps.map((x) => x.linearizeFloor + x.preconditionFloor + x.updateFloor);
    const text = [
      table(
        [`median of ${runs}`, "s", "share", "floor s", "ratio"],
        [row("step", all.step, sum), ...PARTS.map((part) => row(part, all[part], all[`${part}Floor`]))],
      ),
      "",
      `Peak memory ${mb(median(all.peak))} MB, of which ${mb(median(all.before))} MB before the step.`,
      "",
    ];
    return { text: text.join("\n"), raw: steps };
  },
};
