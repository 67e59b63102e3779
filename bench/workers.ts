/**
 * @file The empirical kernel by the engine of this thread and by engines of workers that have as many threads between them.
 * On two cores there is nothing to gain but what the host does meanwhile (placing and mirroring tiles); the workers are for
 * machines of many cores or several sockets, where the threads of one product wait for each other.
 */
import { availableParallelism } from "node:os";
import { createEngine, type Engine } from "../src/engine/engine.ts";
import { createWorkerEngine } from "../src/engine/node/worker-engine.ts";
import { createLinearizer } from "../src/jacobian/linearize.ts";
import { randomState } from "../src/entry/data.ts";
import { createWeights, empiricalKernel, initialise, matrix, mlp } from "../src/index.ts";
import { inFreshProcess, peakMemory, type Benchmark } from "./benchmark.ts";
import { mb, s, table, times } from "./markdown.ts";
import { seconds } from "./statistics.ts";

const [N, WIDTH, FEATURES] = [2000, 2048, 784];
const TILE = 256;
const RUNS = 3;

/** Seconds, the least of the runs; `peak` in bytes. */
type Measured = Record<"start" | "kernel" | "peak", number>;

/** The kernel in this process, by an engine of so many workers; 0: none. */
export async function workersTask(workers: number, threads: number, runs: number): Promise<Measured> {
  let engine: Engine | undefined;
  const start = await seconds(async () => {
    engine = workers === 0 ? await createEngine({ threads }) : await createWorkerEngine({ workers, threads });
  });
  const network = mlp(FEATURES, { depth: 3, width: WIDTH });
  const linearizer = await createLinearizer(engine!, network);
  const weights = createWeights(network, initialise(engine!, network, 1));
  const x = matrix(N, FEATURES, randomState(1).normalsInto(engine!.floats(N * FEATURES)));
  let kernel = Infinity;
  for (let i = 0; i < runs; i++) {
    kernel = Math.min(
      kernel,
      await seconds(() => empiricalKernel(linearizer, weights, x, [], { tile: TILE })),
    );
  }
  await engine!.release();
  return { start, kernel, peak: peakMemory() };
}

export const workersBenchmark: Benchmark = {
  name: "workers",
  title: `The empirical kernel by workers, N = ${N}, width ${WIDTH}, three layers`,
  async run({ runs = RUNS, progress }) {
    const cores = availableParallelism();
    // 1, 2, 4, ... with a thread at least for each.
    const counts = [0, 1];
    for (let workers = 2; workers <= cores; workers *= 2) counts.push(workers);
    const measured = [];
    for (const workers of counts) {
      progress(workers === 0 ? "in this thread" : `${workers} workers`);
      const threads = Math.max(1, Math.floor(cores / Math.max(1, workers)));
      measured.push({
        workers,
        threads,
        ...(await inFreshProcess<Measured>("workers", workers, threads, runs)),
      });
    }
    const alone = measured[0]!.kernel;
    const text = table(
      ["workers", "threads of each", "kernel, s", "to none", "start, s", "peak, MB"],
      measured.map(({ workers, threads, kernel, start, peak }) => [
        workers === 0 ? "none" : String(workers),
        String(threads),
        s(kernel),
        times(kernel / alone),
        s(start),
        mb(peak),
      ]),
    );
    return { text: `${text}\n`, raw: measured };
  },
};
