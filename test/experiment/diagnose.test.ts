/**
 * @file A diagnosis: its events, and that each of its figures is the one that it claims to be.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFlags } from "../../src/cli/advice.ts";
import { mse } from "../../src/loss/index.ts";
import { encodeDataset } from "../../src/data/npz-dataset.ts";
import { synthetic } from "../../src/data/synthetic.ts";
import { randomState } from "../../src/random/random-state.ts";
import { InputError } from "../../src/error.ts";
import { diagnose } from "../../src/experiment/diagnose.ts";
import {
  diagnosisMethods,
  parseDiagnosis,
  parseDiagnosisFlags,
  type DiagnosisEvent,
  type DiagnosisOptions,
  type MethodEvent,
  type MethodFigures,
  type SpectrumEvent,
} from "../../src/experiment/diagnosis.ts";
import { gradient, unitWise } from "../../src/fisher/index.ts";

const SMALL = { dataset: "synthetic", train_size: 24, test_size: 12, width: 128, threads: 1 } as const;

async function eventsOf(options: DiagnosisOptions): Promise<DiagnosisEvent[]> {
  const events: DiagnosisEvent[] = [];
  for await (const event of diagnose(parseDiagnosis({ ...SMALL, ...options }))) events.push(event);
  return events;
}

const only = <K extends DiagnosisEvent["event"]>(events: readonly DiagnosisEvent[], name: K) =>
  events.filter((event) => event.event === name) as Extract<DiagnosisEvent, { event: K }>[];

/** The figures of a method, which must exist. */
function figures(
  events: readonly DiagnosisEvent[],
  method: string,
  kernel: "analytic" | "empirical",
): MethodFigures {
  const event = only(events, "method").find((e) => e.method === method && e.kernel === kernel);
  if (event === undefined || "reason" in event)
    throw new Error(`no figures of ${method}: ${JSON.stringify(event)}`);
  return event;
}

const reasons = (events: readonly MethodEvent[]) =>
  events.map((event) => ("reason" in event ? event.reason : undefined));

/** Every number in a value. */
function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

describe("a diagnosis of a network that its precision cannot hold", () => {
  it.each([
    [
      { weight_variance: 1e14 },
      /^weight_variance: wanted an initial network whose kernel float32 can hold, /,
    ],
    [
      { weight_variance: 1e30, n_layers: 40, precision: "float64" },
      /^weight_variance: .* float64 can hold, /,
    ],
  ] satisfies [DiagnosisOptions, RegExp][])("is bad input: %j", async (options, message) => {
    await expect(eventsOf(options)).rejects.toThrow(message);
  });
});

describe("a diagnosis of nothing has no NaN:", () => {
  it("labels that are all zero", async () => {
    const zero = { rows: 24, cols: 1, data: new Float64Array(24) };
    const { normalsInto } = randomState(1);
    const drawn = synthetic(normalsInto, { trainSize: 24, testSize: 12, loss: mse });
    const folder = mkdtempSync(join(tmpdir(), "natgrad-diagnose-"));
    const path = join(folder, "zero.npz");
    const yTest = { ...zero, rows: 12, data: new Float64Array(12) };
    writeFileSync(path, encodeDataset({ ...drawn, yTrain: zero, yTest, targetClasses: [] }));
    const options = { dataset: undefined, dataset_path: path, natural_gradient_type: "exact" };
    const events = await eventsOf(options).finally(() => rmSync(folder, { recursive: true }));
    expect(numbersIn(events).filter(Number.isNaN)).toEqual([]);
    for (const { label_energy } of only(events, "spectrum"))
      expect(label_energy).toEqual({ 1: 0, 5: 0, 10: 0 });
  });

  it("a network whose only unit is silent", async () => {
    const events = await eventsOf({ width: 1, natural_gradient_type: "none" });
    const [, empirical] = only(events, "spectrum");
    expect(empirical!.lambda_max).toBe(0);
    expect(numbersIn(events).filter(Number.isNaN)).toEqual([]);
  });
});

describe("a diagnosis", async () => {
  const events = await eventsOf({ damping: 1e-4 });

  it("tells its events in order, each once", () => {
    const names = events.map(({ event }) => event);
    expect(names.slice(0, 3)).toEqual(["config", "spectrum", "spectrum"]);
    expect(names.slice(3, 7)).toEqual(["layer", "layer", "layer", "layer"]);
    expect(names.filter((name) => name === "method")).toHaveLength(2 * diagnosisMethods("mse").length);
    expect(names.slice(-3)).toEqual(["posterior", "posterior", "done"]);
    const [config] = only(events, "config");
    expect(config).toMatchObject({ widths: [32, 128, 128, 1], target_classes: [0, 1], n_classes: 2 });
    expect(config!.methods).toEqual(diagnosisMethods("mse").map(({ name }) => name));
    expect(config!.methods).not.toContain("exact_plus_mse");
  });

  it("gives the spectra of both kernels, which agree as far as the width allows", () => {
    const [analytic, empirical] = only(events, "spectrum") as [SpectrumEvent, SpectrumEvent];
    expect([analytic.kernel, empirical.kernel]).toEqual(["analytic", "empirical"]);
    for (const s of [analytic, empirical]) {
      expect(s).toMatchObject({ size: 24, rank: 24, outputs: 1 });
      expect(s.eigenvalues).toHaveLength(24);
      expect(s.lambda_max).toBe(s.eigenvalues[0]);
      expect(s.lambda_median).toBeCloseTo((s.eigenvalues[11]! + s.eigenvalues[12]!) / 2, 15);
      expect(s.condition).toBeCloseTo(s.lambda_max / s.lambda_min, 6);
      expect(s.max_learning_rate).toBeCloseTo(2 / s.lambda_max, 6);
      expect(s.label_energy[1]).toBeLessThanOrEqual(s.label_energy[5]);
      expect(s.label_energy[10]).toBeLessThanOrEqual(1);
      const [soon, late] = s.convergence;
      expect(soon!.fraction).toBe(0.01);
      expect(soon!.time).toBeLessThan(late!.time);
      expect(soon!.steps).toBeLessThan(soon!.steps_at_half);
    }
    expect(empirical.trace / analytic.trace).toBeCloseTo(1, 0);
    expect(empirical.alignment / analytic.alignment).toBeCloseTo(1, 0);
  });

  it("measures gradient descent as its spectrum does", () => {
    for (const { kernel, trace, max_learning_rate } of only(events, "spectrum")) {
      const gradient = figures(events, "gradient", kernel);
      expect(gradient.max_learning_rate / max_learning_rate).toBeCloseTo(1, 6);
      expect(gradient.alpha).toBeCloseTo(trace / 24, 10);
      expect(gradient).toMatchObject({ alpha_theory: null, learning_rate: null });
    }
  });

  it("measures methods damped: exact NGD has eigenvalues lambda / (lambda + rho)", () => {
    for (const { kernel, eigenvalues } of only(events, "spectrum")) {
      const shares = eigenvalues.map((x) => x / (x + 1e-4));
      const { alpha, max_learning_rate, alpha_theory, learning_rate, probes } = figures(
        events,
        "exact",
        kernel,
      );
      expect(alpha).toBeCloseTo(shares.reduce((a, b) => a + b, 0) / 24, 8);
      expect(max_learning_rate).toBeCloseTo(2 / shares[0]!, 6);
      expect({ alpha_theory, learning_rate, probes }).toEqual({
        alpha_theory: 1,
        learning_rate: 1,
        probes: 24,
      });
    }
    expect(figures(events, "kfac", "analytic").alpha_theory).toBe(49);
    expect(figures(events, "unit_wise", "empirical").probes).toBe(4);
  });

  it("compares layers: the shares of their traces, and the first inputs, which are the samples", () => {
    const layers = only(events, "layer");
    expect(layers.map(({ layer }) => layer)).toEqual([1, 2, 3, "all"]);
    for (const kernel of ["analytic", "empirical"] as const) {
      const shares = layers.slice(0, 3).map(({ trace_share }) => trace_share[kernel]!);
      expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 10);
    }
    expect(layers[0]!.distance.inputs).toBeLessThan(1e-5);
    expect(layers[2]!.distance.signals).toBe(0);
    for (const { distance } of layers) {
      expect(distance.ntk).toBeGreaterThan(0);
      expect(distance.ntk).toBeLessThan(1);
    }
  });

  it("predicts the test set over all initialisations", () => {
    const posteriors = only(events, "posterior");
    expect(posteriors.map(({ kind }) => kind)).toEqual(["ntk", "nngp"]);
    for (const event of posteriors) {
      if ("reason" in event) throw new Error(event.reason);
      expect(event.test_accuracy).toBeGreaterThan(0.7);
      expect(event.test_loss).toBeLessThan(0.125);
      expect(event.mean_deviation).toBeGreaterThan(0);
    }
  });
});

describe("a diagnosis tells why", () => {
  it("a method does not exist at a depth, or on a kernel", async () => {
    const deep = await eventsOf({ n_layers: 2, natural_gradient_type: "block_tri_diagonal" });
    for (const reason of reasons(only(deep, "method"))) {
      expect(reason).toMatch(
        /^depth: wanted a depth other than 2, 5, 8, \.\.\. for block_tri_diagonal, got 2/,
      );
    }
    const singular = await eventsOf({ n_layers: 1, train_size: 40, natural_gradient_type: "exact" });
    for (const reason of reasons(only(singular, "method"))) {
      expect(reason).toMatch(/^exact: NTK: wanted an invertible Gram, got 40 x 40 of rank 32/);
    }
    for (const event of only(singular, "posterior")) {
      expect("reason" in event && event.reason).toMatch(
        /^posterior: training kernel \(\w+\): wanted an invertible/,
      );
    }
    const [spectrum] = only(singular, "spectrum");
    expect(spectrum).toMatchObject({ rank: 32, condition: Infinity });
  });

  it("there is no posterior outside of the NTK parameterisation", async () => {
    const events = await eventsOf({ parameterization: "standard", natural_gradient_type: "none" });
    for (const event of only(events, "posterior")) {
      expect(event).toMatchObject({ reason: "parameterization: wanted ntk for a posterior, got standard" });
    }
  });

  it("a slow method was left out, unless it is the one asked for", async () => {
    const { config } = parseDiagnosis({ ...SMALL, train_size: 250, width: 1600, n_layers: 2 });
    const events: DiagnosisEvent[] = [];
    for await (const event of diagnose({ config, methods: [gradient, unitWise] }, { word: inFlags }))
      events.push(event);
    const reason = "left out beside other methods, it takes long; try --natural_gradient_type unit_wise";
    expect(reasons(only(events, "method"))).toEqual([undefined, undefined, reason, reason]);
    expect(parseDiagnosis({ natural_gradient_type: "unit_wise" }).methods).toHaveLength(1);
  });
});

describe("a diagnosis of several outputs", () => {
  it("has all of them in the empirical kernel, and one in the analytic", async () => {
    const events = await eventsOf({ n_classes: 3, width: 512, natural_gradient_type: "kfac", damping: 1e-3 });
    const [analytic, empirical] = only(events, "spectrum") as [SpectrumEvent, SpectrumEvent];
    expect(analytic).toMatchObject({ size: 24, outputs: 1 });
    expect(empirical).toMatchObject({ size: 72, outputs: 3 });
    expect(empirical.trace / 3 / analytic.trace).toBeCloseTo(1, 0);
    expect(Math.abs(empirical.label_energy[5] - analytic.label_energy[5])).toBeLessThan(0.1);
    expect(Math.abs(empirical.alignment - analytic.alignment)).toBeLessThan(0.1);
    for (const { distance } of only(events, "layer")) expect(distance.ntk).toBeLessThan(0.6);
    const [infinite, finite] = (["analytic", "empirical"] as const).map(
      (name) => figures(events, "kfac", name).alpha,
    );
    expect(finite! / infinite!).toBeCloseTo(1, 0);
  });
});

describe("a diagnosis under cross-entropy", async () => {
  const options = {
    loss_type: "cross_entropy",
    n_classes: 3,
    train_size: 12,
    width: 512,
    bias_variance: 0.1,
  } as const;
  const events = await eventsOf(options);
  const [N, C, K] = [12, 3, 2];

  it("looks at the methods of that loss; alpha is that of the theory, and twice the default learning rate is stable", () => {
    const measured = only(events, "method");
    expect(new Set(measured.map(({ method }) => method))).toContain("exact_plus_mse");
    expect(measured.map(({ loss_type }) => loss_type)).toEqual(measured.map(() => "cross_entropy"));
    const theory = { exact: 1, block_diagonal: 3, block_tri_diagonal: 1, kfac: 2 * N + 1, exact_plus_mse: 1 };
    for (const kernel of ["analytic", "empirical"] as const) {
      for (const [name, alpha] of Object.entries(theory)) {
        const found = figures(events, name, kernel);
        expect(found.alpha_theory, name).toBe(alpha);
        expect(found.alpha / alpha, name).toBeCloseTo(1, 6);
        // Outputs of a finite network differ, and S_n with them: the last layer of K-FAC feels it.
        expect(found.deviation, name).toBeLessThan(1e-2);
        expect(found.size, name).toBe(N * K);
        expect(found.max_learning_rate / (2 * found.learning_rate!), name).toBeCloseTo(1, 1);
      }
      const units = figures(events, "unit_wise", kernel);
      expect(units.alpha_theory).toBe((512 + C) / K);
      // The share of active units is only about a half.
      expect(Math.abs(units.alpha / units.alpha_theory! - 1)).toBeLessThan(0.1);
      expect(units.max_learning_rate / (2 * units.learning_rate!)).toBeGreaterThan(0.7);
    }
  });

  it("measures gradient descent on S^T Theta S, which is Theta / 3 where no class is preferred", () => {
    const [spectrum] = only(events, "spectrum");
    const descent = figures(events, "gradient", "analytic");
    expect(spectrum!.loss_type).toBe("mse");
    expect(descent.max_learning_rate / (C * spectrum!.max_learning_rate)).toBeCloseTo(1, 6);
    expect(descent.alpha * C).toBeCloseTo(spectrum!.trace / N, 10);
  });

  it("puts the damping of Newton's step in alpha", async () => {
    const damped = await eventsOf({ ...options, natural_gradient_type: "exact_plus_mse", damping: 0.1 });
    expect(figures(damped, "exact_plus_mse", "analytic").alpha).toBeCloseTo(1 / 3 / (1 / 3 + 0.1), 8);
  });
});

describe("the options of a diagnosis", () => {
  it("are checked as those of an experiment", () => {
    const refusal = (options: Record<string, unknown>) => () => parseDiagnosisFlags(options);
    expect(refusal({ width: 0 })).toThrow("width: wanted a whole number >= 1, got 0");
    expect(refusal({ n_steps: 3 })).toThrow(
      "n_steps: wanted one of the options of natgrad kernel, got another name",
    );
    expect(refusal({ natural_gradient_type: "foo" })).toThrow(
      /^natural_gradient_type: wanted one of exact, /,
    );
    expect(refusal({ natural_gradient_type: "exact_plus_mse" })).toThrow(/for loss_type mse/);
    expect(refusal({ target_classes: [3] })).toThrow(InputError);
    expect(parseDiagnosisFlags({ target_classes: "0+2,1+3" }).config.target_classes).toEqual([
      [0, 2],
      [1, 3],
    ]);
    expect(parseDiagnosisFlags({ target_classes: "3,8,5" }).config.n_classes).toBe(3);
  });

  it("let no misspelt one through the compiler", () => {
    // @ts-expect-error: `tsc` refuses this line, and says so when it no longer does.
    expect(() => parseDiagnosis({ n_step: 3 })).toThrow(/^n_step: wanted one of the options/);
  });

  it("let gradient descent stand alone, without a learning rate and beside a damping", () => {
    const { methods, config } = parseDiagnosis({ natural_gradient_type: "none", damping: 0.1 });
    expect(methods.map(({ name }) => name)).toEqual(["gradient"]);
    expect(config.damping).toBe(0.1);
  });
});
