/**
 * @file How runs end that do not go well: divergence with its step and its rows, initial networks that cannot be, predictions
 * that diverge, and options that change nothing.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { inFlags, withAdvice } from "../../src/cli/advice.ts";
import { encodeDataset } from "../../src/data/npz-dataset.ts";
import type { InputError } from "../../src/error.ts";
import { parseFlags } from "../../src/experiment/parse-config.ts";
import type { DoneEvent, NoticeEvent, RunEvent, StepEvent } from "../../src/experiment/events.ts";
import { run } from "../../src/experiment/run.ts";
import { matrix } from "../../src/linalg/matrix.ts";

const folder = mkdtempSync(join(tmpdir(), "natgrad-divergence-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL = { dataset: "synthetic", train_size: 20, test_size: 10, width: 32, kernel: "none" };

/** The events of a run, and the error that it ended in. */
async function eventsOf(options: Record<string, unknown>) {
  const events: RunEvent[] = [];
  try {
    for await (const event of run(parseFlags({ ...SMALL, ...options }))) events.push(event);
  } catch (error) {
    return { events, error: error as Error };
  }
  return { events, error: undefined };
}

const steps = (events: readonly RunEvent[]) =>
  events.filter((event): event is StepEvent => event.event === "step");
const notices = (events: readonly RunEvent[]) =>
  events.filter((event): event is NoticeEvent => event.event === "notice");
const end = (events: readonly RunEvent[]) =>
  events.find((event): event is DoneEvent => event.event === "done");

/** A dataset file with inputs and labels of some size. */
function dataset(name: string, { inputs = 1, labels = 0.5 }): Record<string, unknown> {
  const values = (rows: number, cols: number, value: (i: number) => number) =>
    matrix(
      rows,
      cols,
      Float64Array.from({ length: rows * cols }, (_, i) => Math.fround(value(i))),
    );
  const bytes = encodeDataset({
    xTrain: values(8, 5, (i) => inputs * Math.sin(1 + i * i)),
    yTrain: values(8, 1, (i) => (i % 2 === 0 ? labels : -labels)),
    xTest: values(4, 5, (i) => inputs * Math.cos(1 + i * i)),
    yTest: values(4, 1, (i) => (i % 2 === 0 ? labels : -labels)),
    targetClasses: [],
  });
  const path = join(folder, `${name}.npz`);
  writeFileSync(path, bytes);
  return { dataset: undefined, dataset_path: path, train_size: 8, test_size: 4 };
}

describe("a run diverges", () => {
  it("by ending far above where it began, with every row and the first step of it", async () => {
    const { events, error } = await eventsOf({ natural_gradient_type: "exact", lr_factor: 15, n_steps: 3 });
    expect(error).toBeUndefined();
    const losses = steps(events).map(({ train_loss }) => train_loss);
    expect(losses).toHaveLength(4);
    const limit = 10 * Math.max(losses[0]!, 1 / 8);
    const at = losses.findLastIndex((loss) => loss <= limit) + 1;
    expect(end(events)).toMatchObject({ diverged: true, diverged_at: at });
    expect(end(events)!.reason).toMatch(
      new RegExp(
        `^training: wanted a train_loss of at most \\S+, got \\S+ after step 3, diverged from step ${at} on$`,
      ),
    );
  });

  it("not by rising for a while", async () => {
    const { events } = await eventsOf({ natural_gradient_type: "exact", lr_factor: 6, n_steps: 4 });
    const losses = steps(events).map(({ train_loss }) => train_loss);
    expect(Math.max(...losses)).toBeGreaterThan(10 * losses[0]!);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    expect(end(events)).toMatchObject({ event: "done", diverged: false });
    expect(end(events)).not.toHaveProperty("diverged_at");
  });

  it.each([
    [
      "a Gram that overflows after a step",
      { learning_rate: 1e12 },
      /finite numbers in the Gram, got others in step 2/,
    ],
    ["outputs that overflow", { learning_rate: 1e25 }, /wanted a finite train_loss, got \S+ after step 1/],
    [
      "an update that overflows",
      { learning_rate: 1e30, lr_factor: 1e30 },
      /finite numbers in the update of layer 1, got others in step 1/,
    ],
    [
      "a Gram that is singular by then",
      { learning_rate: 1e10, precision: "float64" },
      /wanted a train_loss of at most \S+, got \S+e\+\d+, diverged from step 1 on; step \d: exact: NTK: wanted an invertible Gram/,
    ],
    [
      "a damping that is adapted after a huge step",
      { learning_rate: 1e12, damping: 1e-3, damping_schedule: "levenberg_marquardt" },
      /finite numbers in the Gram of layer 1, got others in step 2/,
    ],
    [
      "conjugate gradients on a Gram that overflowed",
      { learning_rate: 1e12, solver: "cg" },
      /in the Gram, got others in step 2/,
    ],
  ])("by %s, at once", async (_, options, reason) => {
    const { events, error } = await eventsOf({ natural_gradient_type: "exact", n_steps: 9, ...options });
    expect(error).toBeUndefined();
    expect(end(events)).toMatchObject({ diverged: true, diverged_at: 1 });
    expect(end(events)!.reason).toMatch(reason);
    const rows = steps(events);
    expect(rows.length).toBeLessThan(9);
    expect(rows.map(({ step }) => step)).toEqual(rows.map((_, i) => i));
  });

  it("between two rows that are shown, which shows one more", async () => {
    const { events } = await eventsOf({
      natural_gradient_type: "exact",
      learning_rate: 1e12,
      n_steps: 90,
      log_every: 50,
    });
    expect(steps(events).map(({ step }) => step)).toEqual([0, 1]);
    expect(end(events)).toMatchObject({ diverged: true, diverged_at: 1 });
  });
});

describe("a singular Gram without divergence is bad input, after the row where it starts", () => {
  it.each([
    ["gram", /^step 1: exact: NTK: wanted an invertible Gram/],
    [
      "cg",
      /^step 1: exact: NTK: wanted a solution by conjugate gradients, got a relative residual of \S+ after \d+ iterations/,
    ],
  ])("by %s", async (solver, message) => {
    const { events, error } = await eventsOf({ natural_gradient_type: "exact", width: 2, solver });
    expect(error?.name).toBe("InputError");
    expect(error?.message).toMatch(message);
    expect(steps(events).map(({ step }) => step)).toEqual([0]);
    expect(end(events)).toBeUndefined();
  });
});

describe("an initial network that its precision cannot hold is bad input, which names", () => {
  it.each([
    [
      "weight_variance",
      { weight_variance: 1e14 },
      /^weight_variance: wanted an initial network whose Gram float32 can hold, got 1\.0e\+14 in 3 layers; try a weight_variance near 2, fewer layers or --precision float64$/,
    ],
    [
      "weight_variance, in many layers",
      { weight_variance: 4, n_layers: 150 },
      /^weight_variance: .*, got 4 in 150 layers; /,
    ],
    ["bias_variance", { bias_variance: 1e30, weight_variance: 1e10 }, /^bias_variance: .*, got 1\.0e\+30; /],
    [
      "its kernel",
      { weight_variance: 1e14, kernel: "empirical" },
      /^weight_variance: .* whose kernel float32 can hold/,
    ],
    [
      "the analytic kernel",
      { weight_variance: 1e30, n_layers: 20, kernel: "analytic", precision: "float64" },
      /^weight_variance: .* whose kernel float64 can hold.*fewer layers$/,
    ],
  ])("%s", async (_, options, message) => {
    const { events, error } = await eventsOf({ natural_gradient_type: "exact", ...options });
    expect(error?.name).toBe("OptionError");
    expect(inFlags(error as InputError)).toMatch(message);
    expect(steps(events)).toEqual([]);
  });

  it("dataset_path, for inputs and for labels", async () => {
    const inputs = await eventsOf({ natural_gradient_type: "exact", ...dataset("inputs", { inputs: 1e20 }) });
    expect(inFlags(inputs.error as InputError)).toMatch(
      /^dataset_path: wanted an initial network whose Gram float32 can hold, got inputs of up to 1\.0e\+20 and labels of up to 0\.5; /,
    );
    const outputs = await eventsOf({ learning_rate: 1, n_steps: 0, ...dataset("outputs", { inputs: 1e38 }) });
    expect(inFlags(outputs.error as InputError)).toMatch(
      /^dataset_path: wanted an initial network whose outputs float32 can hold/,
    );
  });
});

describe("a prediction that diverges is a notice", () => {
  it("at the end, when its loss is far above its start and the network's is not", async () => {
    // A wide network follows its kernel: this narrow one saturates, its discrete prediction does not.
    const options = {
      learning_rate: 300,
      n_steps: 60,
      width: 1,
      kernel: "analytic",
      gd_prediction: "discrete",
    };
    const { events, error } = await eventsOf(options);
    expect(error).toBeUndefined();
    expect(end(events)!.diverged).toBe(false);
    expect(notices(events)).toHaveLength(1);
    expect(notices(events)[0]).toMatchObject({ kind: "prediction" });
    expect(notices(events)[0]!.message).toMatch(
      /^the prediction (diverged: wanted a train_loss of at most \S+, got \S+, from step \d+ on|is not finite from step \d+ on)$/,
    );
  });

  it("and no notice where it does not", async () => {
    const { events } = await eventsOf({ natural_gradient_type: "exact", kernel: "both" });
    expect(notices(events)).toEqual([]);
  });
});

describe("an option that changes nothing is a notice:", () => {
  it.each([
    [
      "width",
      { n_layers: 1, train_size: 8 },
      ["width: no effect with n_layers 1, which has no hidden layer"],
    ],
    [
      "cg_tolerance",
      { cg_tolerance: 0.01 },
      ["cg_tolerance: no effect here, as the Gram fits into memory and is factored; try --solver cg"],
    ],
    ["none", { cg_tolerance: 0.01, solver: "cg" }, []],
  ])("%s", async (_, options, wanted) => {
    const { events } = await eventsOf({ natural_gradient_type: "exact", n_steps: 1, ...options });
    expect(notices(events).map(({ kind, step }) => ({ kind, step }))).toEqual(
      wanted.map(() => ({ kind: "option", step: 0 })),
    );
    expect(notices(events).map(({ message, remedies }) => withAdvice(message, remedies))).toEqual(wanted);
  });
});
