/**
 * @file A thousand steps of gradient descent at width 4096, N = 100: whether the last steps cost what the first do,
 * in time and in memory. Every step adds N to the rank of the update, and every second folds it into the weights.
 */
import { createTrainer } from "../src/dynamics/trainer.ts";
import { gradient } from "../src/fisher/gradient.ts";
import { createWeights, MAX_RANK } from "../src/jacobian/weights.ts";
import { mse } from "../src/loss/mse.ts";
import { inFreshProcess, type Benchmark } from "./benchmark.ts";
import { createFloor, foldProducts, linearizeProducts } from "./gemm.ts";
import { mb, ms, table, times, verdict } from "./markdown.ts";
import { given, setup } from "./setup.ts";
import { median, seconds } from "./statistics.ts";

const STEPS = 1000;
/** Steps of N = 100 whose updates fit below the rank that is folded. */
const FOLD_EVERY = MAX_RANK / 100;
const FLOOR_RUNS = 5;
/** The last hundred steps within this many times the first. */
const TARGET = 1.5;
/** Steps of one row of the table: a hundred, or a tenth of a shorter run. */
const groupOf = (steps: number): number => Math.min(100, Math.max(1, Math.floor(steps / 10)));

/** A group of steps. */
export type Group = {
  /** The last step of the group. */
  readonly step: number;
  /** Seconds of each step. */
  readonly steps: readonly number[];
  /** Seconds of the matrix products of a step, folding included as often as it is due, before and after the group. */
  readonly floor: number;
  /** Resident memory at the end of the group, in bytes. */
  readonly memory: number;
  readonly trainLoss: number;
};

/** Trains for `steps` steps in this process. */
export async function longRun(steps: number): Promise<Group[]> {
  const s = await setup();
  const N = s.batch.y.rows;
  const linearize = await createFloor(s.engine, linearizeProducts(s.network, s.samples, N), given(s));
  const fold = await createFloor(s.engine, foldProducts(s.network, FOLD_EVERY * N));
  const measureFloor = async (): Promise<number> => {
    const repeated: number[] = [];
    for (let i = 0; i < FLOOR_RUNS; i++) {
      repeated.push((await seconds(linearize.run)) + (await seconds(fold.run)) / FOLD_EVERY);
    }
    return median(repeated);
  };
  const trainer = createTrainer(s.linearizer, createWeights(s.network, s.thetas), gradient, mse, s.batch);
  const size = groupOf(steps);
  const groups: Group[] = [];
  let before = await measureFloor();
  for (let step = 0; step < steps; step += size) {
    const times: number[] = [];
    let trainLoss = NaN;
    for (let i = step; i < Math.min(step + size, steps); i++) {
      times.push(
        await seconds(async () => {
          const step = await trainer.step({ learningRate: 1 });
          trainLoss = mse.value(step.before.train, s.batch.y);
        }),
      );
    }
    const memory = process.memoryUsage.rss();
    const after = await measureFloor();
    const last = step + times.length;
    groups.push({ step: last, steps: times, floor: (before + after) / 2, memory, trainLoss });
    before = after;
  }
  return groups;
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

export const longRunBenchmark: Benchmark = {
  name: "long-run",
  title: `Gradient descent, many steps (target: last steps within ${TARGET} of the first, memory flat)`,
  async run({ steps = STEPS, progress }) {
    progress(`${steps} steps`);
    const groups = await inFreshProcess<Group[]>("longRun", steps);
    const first = groups[0]!;
    const last = groups[groups.length - 1]!;
    const rows = groups.map(({ step, steps, floor, memory, trainLoss }) => [
      String(step),
      ms(mean(steps)),
      ms(median(steps)),
      ms(Math.max(...steps)),
      ms(floor),
      times(mean(steps) / floor),
      mb(memory),
      trainLoss.toExponential(2),
    ]);
    const ratio = mean(last.steps) / mean(first.steps);
    const growth = last.memory / first.memory;
    const text = [
      table(["up to step", "mean ms", "median", "max", "floor ms", "ratio", "memory MB", "train loss"], rows),
      "",
      `Last group / first group: time ${times(ratio)} (${verdict(ratio, TARGET)}), memory ${times(growth)}.`,
      "",
    ];
    return { text: text.join("\n"), raw: groups };
  },
};
