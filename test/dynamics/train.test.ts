/**
 * @file `train` gives the rows of a run of the command line with the same settings, ends when it is told to, and leaves no
 * trace for the next.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { Row } from "../../src/dynamics/step-report.ts";
import { train, type Problem, type TrainOptions } from "../../src/dynamics/train.ts";
import { metricsOf, type StepEvent } from "../../src/experiment/events.ts";
import { type ConfigOptions } from "../../src/experiment/config.ts";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import { run } from "../../src/experiment/run.ts";
import { synthetic } from "../../src/data/synthetic.ts";
import { exact, gradient, kfac, unitWise, type Fisher } from "../../src/fisher/index.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import { mlp } from "../../src/network/mlp.ts";
import { randomState } from "../../src/random/random-state.ts";

const engine = await createEngine({ threads: 1 });
afterAll(() => engine.release());

/** The problem of `natgrad train --dataset synthetic --train_size 24 --test_size 10 --width 32`. */
function problem(method: Fisher = exact, loss: Loss = mse): Problem {
  const data = synthetic(randomState(1).normalsInto, { trainSize: 24, testSize: 10, loss });
  return { network: mlp(32, { depth: 3, width: 32, outputs: data.yTrain.cols }), data, loss, method };
}

async function rowsOf(of: Problem, options: Partial<TrainOptions> = {}): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of train(of, { engine, steps: 3, damping: 1e-3, ...options })) rows.push(row);
  return rows;
}

const figures = (rows: readonly Row[]) => rows.map(({ step, network }) => ({ step, ...metricsOf(network) }));

const CASES: readonly (readonly [string, Fisher, Loss, Partial<TrainOptions>, Partial<ConfigOptions>])[] = [
  ["exact", exact, mse, {}, {}],
  ["K-FAC on mini-batches", kfac, mse, { batchSize: 10 }, { batch_size: 10 }],
  ["unit-wise", unitWise, mse, { kernel: "empirical" }, { kernel: "empirical" }],
  ["exact under cross-entropy", exact, crossEntropy, {}, { loss_type: "cross_entropy" }],
  [
    "K-FAC with a schedule",
    kfac,
    mse,
    { dampingSchedule: "levenberg_marquardt" },
    { damping_schedule: "levenberg_marquardt" },
  ],
  ["exact without a prediction", exact, mse, { kernel: "none", every: 2 }, { kernel: "none", log_every: 2 }],
];

describe("rows are those of a run:", () => {
  it.each(CASES)("%s", async (_, method, loss, options, flags) => {
    const config = parseConfig({
      dataset: "synthetic",
      train_size: 24,
      test_size: 10,
      width: 32,
      n_steps: 3,
      damping: 1e-3,
      threads: 1,
      natural_gradient_type: method.name,
      ...flags,
    });
    const events: StepEvent[] = [];
    for await (const event of run(config)) if (event.event === "step") events.push(event);
    const rows = await rowsOf(problem(method, loss), options);
    expect(rows.map(({ step }) => step)).toEqual(events.map(({ step }) => step));
    for (const [i, { network, predicted }] of rows.entries()) {
      expect(events[i]).toMatchObject(metricsOf(network));
      expect(predicted.map(metricsOf)).toEqual(events[i]!.predict ? [events[i]!.predict] : []);
    }
  });
});

describe("training", () => {
  it("ends with the reason of its signal, and the next is as if there had been none", async () => {
    const wanted = figures(await rowsOf(problem()));
    const controller = new AbortController();
    const cancelled = rowsOf(problem(kfac), {
      steps: 1000,
      signal: controller.signal,
      progress: (_, done) => void (done === 3 && controller.abort(new Error("enough"))),
    });
    await expect(cancelled).rejects.toThrow("enough");
    expect(figures(await rowsOf(problem()))).toEqual(wanted);
  });

  it("may be left at any row", async () => {
    for await (const { step } of train(problem(), { engine, steps: 1000 })) if (step === 2) break;
    expect(await rowsOf(problem())).toHaveLength(4);
  });

  it("goes on beside another", async () => {
    const [exactly, byFactors] = [problem(), problem(kfac)];
    const alone = [figures(await rowsOf(exactly)), figures(await rowsOf(byFactors))];
    expect(
      await Promise.all([rowsOf(exactly), rowsOf(byFactors)].map(async (rows) => figures(await rows))),
    ).toEqual(alone);
  });

  it("that diverges says since when in its last row", async () => {
    const rows = await rowsOf(problem(gradient), { learningRate: 1e6, damping: 0, steps: 20 });
    const { diverged, network } = rows.at(-1)!;
    expect(diverged).toMatchObject({ at: 1 });
    expect(network.trainLoss > diverged!.limit || !Number.isFinite(network.trainLoss)).toBe(true);
    expect(rows.slice(0, -1).every((row) => row.diverged === undefined)).toBe(true);
  });
});
