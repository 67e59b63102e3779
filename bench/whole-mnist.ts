/**
 * @file One step of exact NGD at width 4096 on training sets of ten thousand samples and more: by a stored Gram while that
 * fits, beyond it by conjugate gradients that never form one. Takes minutes to an hour, so it runs only when it is
 * named, shows its progress, and goes on where it was stopped: every iteration of conjugate gradients is kept in a file.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../src/data/node/files.ts";
import { createTrainer } from "../src/dynamics/trainer.ts";
import { exact } from "../src/fisher/exact.ts";
import type { SolverOptions } from "../src/fisher/index.ts";
import { createWeights } from "../src/jacobian/weights.ts";
import { accuracy, mse } from "../src/loss/index.ts";
import { cgStateFromArrays, cgStateToArrays, type CgState } from "../src/linalg/conjugate-gradients.ts";
import { readNpz, writeNpz } from "../src/linalg/npz.ts";
import { inFreshProcess, peakMemory, ROOT, type Benchmark } from "./benchmark.ts";
import { mb, s as inSeconds, table, verdict } from "./markdown.ts";
import { setup } from "./setup.ts";
import { seconds } from "./statistics.ts";

const PARITY = [
  [0, 2, 4, 6, 8],
  [1, 3, 5, 7, 9],
] as const;

/** A training set and how it is solved for. */
type Case = {
  readonly name: string;
  readonly classes: readonly (number | readonly number[])[];
  readonly train: number;
  readonly test: number;
  /** rho. Without any, so many samples take the network far out of its linear regime. */
  readonly damping?: number;
  readonly solver: SolverOptions;
  /** Seconds of the step, where there is a target. */
  readonly within?: number;
  /** Bytes of the process. */
  readonly memory: number;
};

const GIGABYTE = 1e9;

const CASES: readonly Case[] = [
  {
    name: "digits 0 and 1",
    classes: [0, 1],
    train: 10_000,
    test: 2115,
    solver: {},
    within: 45,
    memory: 6 * GIGABYTE,
  },
  {
    name: "digits 0 and 1, all",
    classes: [0, 1],
    train: 12_665,
    test: 2115,
    solver: {},
    memory: 8 * GIGABYTE,
  },
  {
    name: "odd against even, all",
    classes: PARITY,
    train: 60_000,
    test: 10_000,
    damping: 1e-6,
    solver: { solver: "cg", tolerance: 1e-3, rank: 2000 },
    memory: 12 * GIGABYTE,
  },
];

/** What one process found: seconds, bytes, and the network before and after the step. */
type Found = {
  total: number;
  step: number;
  linearize: number;
  gram: number;
  precondition: number;
  update: number;
  evaluate: number;
  peak: number;
  before: Quality;
  after: Quality;
  iterations?: number;
  relativeResidual?: number;
  rank?: number;
  /** Iterations that an earlier, stopped run had done. */
  resumed?: number;
};

type Quality = { trainLoss: number; trainAccuracy: number; testLoss: number; testAccuracy: number };

const STATES = join(ROOT, "bench", ".state");
const stateFile = (index: number) => join(STATES, `whole-mnist-${CASES[index]!.train}.npz`);

async function savedState(path: string): Promise<CgState | undefined> {
  if (!existsSync(path)) return undefined;
  return cgStateFromArrays(await readNpz(readFileSync(path), path), path);
}

/** One step in this process. */
export async function wholeMnist(index: number): Promise<Found> {
  const start = performance.now();
  const { classes, train, test, damping = 0, solver } = CASES[index]!;
  const tell = (line: string) =>
    process.stderr.write(`  ${((performance.now() - start) / 1000).toFixed(0)} s: ${line}\n`);
  const s = await setup({ train, test, classes });
  const y = { train: s.batch.y, test: s.testLabels };
  const trainer = createTrainer(s.linearizer, createWeights(s.network, s.thetas), exact, mse, s.batch);

  const path = stateFile(index);
  const state = solver.solver === "cg" ? await savedState(path) : undefined;
  if (state) tell(`goes on after iteration ${state.iteration}`);
  mkdirSync(STATES, { recursive: true });
  let told = 0;
  const result = await trainer.step({
    learningRate: 1,
    damping,
    solver: {
      ...solver,
      ...(state ? { state } : {}),
      onRank: (rank, of) => tell(`preconditioner: rank ${rank} of ${of}`),
      async onIteration({ iteration, relativeResidual, state: now }) {
        tell(`iteration ${iteration}: relative residual ${relativeResidual.toExponential(2)}`);
        await writeWhole(path, writeNpz(cgStateToArrays(now())));
      },
    },
    progress(what, done, of) {
      if (performance.now() - told < 5000) return;
      told = performance.now();
      tell(`${what}: ${done} of ${of}`);
    },
  });
  rmSync(path, { force: true });
  tell("step done, evaluating");
  let after = result.before;
  const evaluate = await seconds(async () => {
    after = await trainer.evaluate();
  });
  const quality = (f: typeof after): Quality => ({
    trainLoss: mse.value(f.train, y.train),
    trainAccuracy: accuracy(f.train, y.train),
    testLoss: mse.value(f.test, y.test),
    testAccuracy: accuracy(f.test, y.test),
  });
  const { linearize, gram, precondition, update } = result.seconds;
  return {
    total: (performance.now() - start) / 1000,
    step: linearize + gram + precondition + update,
    linearize,
    gram,
    precondition,
    update,
    evaluate,
    peak: peakMemory(),
    before: quality(result.before),
    after: quality(after),
    ...result.solve,
    ...(state ? { resumed: state.iteration } : {}),
  };
}

const percent = (x: number): string => `${(100 * x).toFixed(2)} %`;

export const wholeMnistBenchmark: Benchmark = {
  name: "whole-mnist",
  title: "One step of exact NGD on all of MNIST, width 4096",
  long: true,
  async run({ progress }) {
    const raw: Found[] = [];
    const rows: string[][] = [];
    const quality: string[][] = [];
    for (const [index, { name, train, damping, within, memory }] of CASES.entries()) {
      progress(`${name}, N = ${train}`);
      const found = await inFreshProcess<Found>("wholeMnist", index);
      raw.push(found);
      const timed = within === undefined ? "" : ` < ${within} ${verdict(found.step, within)}`;
      const what = `${name}, N = ${train}${damping === undefined ? "" : `, damping ${damping}`}`;
      rows.push([
        what,
        `${inSeconds(found.step)}${timed}`,
        ...[found.linearize, found.gram, found.precondition, found.update].map(inSeconds),
        `${mb(found.peak)} < ${mb(memory)} ${verdict(found.peak, memory)}`,
        found.iterations === undefined
          ? "Cholesky"
          : `${found.iterations} iterations, rank ${found.rank}, residual ${found.relativeResidual!.toExponential(1)}`,
      ]);
      quality.push([
        what,
        found.before.trainLoss.toPrecision(3),
        found.after.trainLoss.toPrecision(3),
        percent(found.after.trainAccuracy),
        found.after.testLoss.toPrecision(3),
        percent(found.before.testAccuracy),
        percent(found.after.testAccuracy),
      ]);
    }
    const text = [
      table(
        ["samples", "step, s", "linearize", "Gram", "solve", "update", "peak memory, MB", "solved by"],
        rows,
      ),
      "",
      table(
        [
          "samples",
          "train loss before",
          "after",
          "train accuracy after",
          "test loss after",
          "test accuracy before",
          "after",
        ],
        quality,
      ),
      "",
    ];
    return { text: text.join("\n"), raw };
  },
};
