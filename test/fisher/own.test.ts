/**
 * @file A method and a loss of one's own, made of what the package exports alone: they train, predict, are measured, planned and
 * diagnosed like those of natgrad.
 */
import { afterAll, describe, expect, it } from "vitest";
import { isotropy } from "../../src/entry/dynamics.ts";
import type { Loss } from "../../src/entry/loss.ts";
import {
  accuracy,
  createEngine,
  createLinearizer,
  createTrainer,
  createWeights,
  empiricalKernel,
  exact,
  gradient,
  initialise,
  matrix,
  mlp,
  predictSteps,
  train,
  type Fisher,
  type Matrix,
} from "../../src/index.ts";
import type { Activation } from "../../src/entry/network.ts";
import { diagnose, parseConfig, parseDiagnosis, run, WRITERS } from "../../src/node.ts";

/** Gradient descent whose step is divided by the mean of the diagonal of Theta / N. */
const normalised: Fisher = {
  name: "normalised",
  title: "gradient descent over the mean eigenvalue",
  needs: "ntk",
  curvature: "folded",
  alpha: () => 1,
  async prepare(kernel, damping) {
    const { data } = await kernel.diagonal();
    const [N, C] = [kernel.cols, kernel.outputs];
    let trace = 0;
    for (let i = 0; i < N * C; i++) trace += data[i * C + (i % C)]! / N;
    const scale = 1 / (trace / (N * C) + damping);
    return {
      solve: async (residual) => ({ kind: "per-sample", values: residual.map((r) => (scale * r) / N) }),
      async onto(cross) {
        const theta = await cross.matrix({ shared: true });
        return (residual) => {
          const out = new Float64Array(theta.rows);
          for (let i = 0; i < theta.rows; i++) {
            for (let j = 0; j < theta.cols; j++) out[i]! += theta.data[i * theta.cols + j]! * residual[j]!;
          }
          return out.map((x) => (scale * x) / N);
        };
      },
    };
  },
  cost({ samples, outputs }) {
    const vector = 8 * samples * outputs;
    const none = { kept: vector, peak: vector };
    return { prepare: none, solve: none, onto: () => none, operations: samples * outputs };
  },
};

/** log cosh(f - y): quadratic near the labels and linear far from them. */
const logCosh: Loss = {
  name: "log_cosh",
  title: "log cosh of the difference",
  outputs: () => 1,
  encode: (labels) => matrix(labels.length, 1, Float64Array.from(labels)),
  value: (f, y) => f.data.reduce((sum, x, i) => sum + Math.log(Math.cosh(x - y.data[i]!)), 0) / f.rows,
  residual: (f, y) => ({ ...f, data: f.data.map((x, i) => Math.tanh(x - y.data[i]!)) }),
  curvature(f, y) {
    const slopes = f.data.map((x, i) => 1 / Math.cosh(x - y.data[i]!));
    return {
      factor: { samples: f.rows, outputs: 1, columns: 1, values: slopes, rank: 1 },
      residual: f.data.map((x, i) => Math.tanh(x - y.data[i]!) / slopes[i]!),
    };
  },
};

const engine = await createEngine({ precision: "float64", threads: 1 });
afterAll(() => engine.release());
const network = mlp(3, { depth: 3, width: 200 });
const [N, test] = [6, 2];
const random = (rows: number): Matrix =>
  matrix(
    rows,
    3,
    Float64Array.from({ length: 3 * rows }, (_, i) => Math.sin(1 + i * i)),
  );
const x = random(N + test);
const y = matrix(
  N,
  1,
  Float64Array.from({ length: N }, (_, i) => (i % 2 ? 1 : -1)),
);

describe.each([
  ["a method of one's own with a loss of one's own", normalised, logCosh],
  ["exact NGD with a loss of one's own", exact, logCosh],
])("%s", (_, method, loss) => {
  it("trains as it is predicted, and learns", async () => {
    const linearizer = await createLinearizer(engine, network);
    const weights = createWeights(network, initialise(engine, network, 2));
    const rows = (from: number, to: number) => matrix(to - from, 3, x.data.subarray(3 * from, 3 * to));
    const { train, others } = await empiricalKernel(linearizer, weights, rows(0, N), [rows(N, N + test)]);
    const trainer = createTrainer(linearizer, weights, method, loss, { x, y });
    const small = { learningRate: 1e-3, damping: 1e-3 };
    const start = await trainer.evaluate();
    const predictor = await predictSteps(method, loss, { train, test: others[0]! }, start, y, small);
    await trainer.step(small);
    const [stepped, predicted] = [await trainer.evaluate(), await predictor.step()];
    for (const side of ["train", "test"] as const) {
      for (const [i, f] of start[side].data.entries()) {
        const moved = stepped[side].data[i]! - f;
        expect(Math.abs(moved - (predicted[side].data[i]! - f))).toBeLessThan(0.01 * Math.abs(moved));
      }
    }

    for (let step = 0; step < 12; step++) await trainer.step({ learningRate: 0.3, damping: 1e-3 });
    const trained = await trainer.evaluate();
    expect(loss.value(trained.train, y)).toBeLessThan(loss.value(start.train, y) / 2);
    expect(accuracy(trained.train, y)).toBeGreaterThan(0.8);

    const { alpha, size } = await isotropy(method, train, { damping: 1e-3, at: { loss, f: start.train, y } });
    expect(size).toBe(N);
    expect(alpha).toBeGreaterThan(0.3);
  });
});

describe("train", () => {
  it.each(["analytic", "empirical"] as const)(
    "takes both, beside the prediction of the %s kernel",
    async (kernel) => {
      const rows = (from: number, to: number) => matrix(to - from, 3, x.data.subarray(3 * from, 3 * to));
      const data = {
        xTrain: rows(0, N),
        yTrain: y,
        xTest: rows(N, N + test),
        yTest: matrix(test, 1, Float64Array.of(1, -1)),
      };
      const losses: number[] = [];
      const predictions: number[] = [];
      const options = { engine, kernel, steps: 8, learningRate: 0.3, damping: 1e-3 };
      for await (const row of train({ network, data, loss: logCosh, method: normalised }, options)) {
        losses.push(row.network.trainLoss);
        predictions.push(row.predicted[0]!.trainLoss);
      }
      expect(losses).toHaveLength(9);
      expect(losses[8]).toBeLessThan(losses[0]! / 1.5);
      expect(predictions[0]).toBe(losses[0]);
      expect(predictions[8]! / losses[8]!).toBeGreaterThan(0.5);
      expect(predictions[8]! / losses[8]!).toBeLessThan(2);
    },
  );
});

describe("a method of one's own", () => {
  const options = { dataset: "synthetic", width: 32, train_size: 12, test_size: 4, threads: 1 } as const;

  it("is diagnosed beside the others, on both kernels", async () => {
    const { config } = parseDiagnosis(options);
    const seen: Record<string, number> = {};
    for await (const event of diagnose({ config, methods: [gradient, normalised] })) {
      if (event.event !== "method" || "reason" in event) continue;
      seen[`${event.method} on ${event.kernel}`] = event.alpha;
    }
    expect(Object.keys(seen)).toHaveLength(4);
    // Its mean eigenvalue is what it divides by.
    expect(seen["normalised on analytic"]).toBeCloseTo(1, 8);
    expect(seen["normalised on empirical"]).toBeCloseTo(1, 5);
  });

  it("is planned with what it says that it takes", async () => {
    const { config } = parseDiagnosis({ ...options, memory_limit: 1e9 });
    const greedy: Fisher = {
      ...normalised,
      cost: (sizes) => ({ ...normalised.cost(sizes), prepare: { kept: 2e9, peak: 3e9 } }),
    };
    const events = diagnose({ config, methods: [greedy] });
    await expect(events.next()).rejects.toThrow(
      /^memory_limit: wanted a run within 1 GB, got one of 3\.\d* GB/,
    );
  });
});

describe("run", () => {
  const bend: Activation = {
    name: "bend",
    value: (g, u) => g.node("Add", [u, g.node("Mul", [g.node("Mul", [u, u]), g.constant([0.25])])]),
    derivative: (g, u) => g.node("Add", [g.node("Mul", [u, g.constant([0.5])]), g.constant([1])]),
    slope: (u) => 1 + 0.5 * u,
    dual: (k, p, q) => k + (p * q + 2 * k * k) / 16,
    dualDerivative: (k) => 1 + k / 4,
  };
  const options = { dataset: "synthetic", width: 64, train_size: 12, test_size: 4, threads: 1 } as const;

  it("takes objects in place of names, and names them in what it reports", async () => {
    const config = parseConfig({
      ...options,
      natural_gradient_type: normalised,
      loss_type: logCosh,
      activation: bend,
      weight_variance: 1,
      damping: 1e-3,
      n_steps: 2,
    });
    const names = { natural_gradient_type: "normalised", loss_type: "log_cosh", activation: "bend" };
    expect(config).toMatchObject(names);
    const steps: number[] = [];
    for await (const event of run(config)) {
      if (event.event === "step") steps.push(event.train_loss);
      if (event.event !== "config") continue;
      const line = JSON.parse(WRITERS.jsonl(event)) as object;
      expect(line).toMatchObject(names);
      expect(line).not.toHaveProperty("own");
      expect(line).not.toHaveProperty("modules");
      expect(WRITERS.table(event)).toContain("activation: bend\n");
    }
    expect(steps).toHaveLength(3);
    expect(steps.every(Number.isFinite)).toBe(true);
  });

  it("takes natgrad's own as objects too, as if they were named", () => {
    expect(parseConfig({ ...options, natural_gradient_type: exact })).toEqual(
      parseConfig({ ...options, natural_gradient_type: "exact" }),
    );
    const descent = parseConfig({ ...options, natural_gradient_type: gradient, learning_rate: 1 });
    expect(descent).toEqual(parseConfig({ ...options, learning_rate: 1 }));
    expect(parseDiagnosis({ ...options, natural_gradient_type: exact }).methods).toEqual([exact]);
    expect(parseDiagnosis({ ...options, natural_gradient_type: gradient }).methods).toEqual([gradient]);
    expect(parseDiagnosis({ ...options, natural_gradient_type: normalised }).methods[0]?.name).toBe(
      "normalised",
    );
  });

  it("refuses what a method does not exist for", () => {
    const newton: Fisher = { ...normalised, curvature: "newton" };
    expect(() => parseConfig({ ...options, natural_gradient_type: newton, loss_type: logCosh })).toThrow(
      /^natural_gradient_type: wanted another for loss_type log_cosh/,
    );
    expect(() => parseConfig({ ...options, natural_gradient_type: normalised, solver: "cg" })).toThrow(
      /^solver: wanted natural_gradient_type .* beside it, got normalised$/,
    );
  });

  it("refuses an object that lacks a field, in one line", () => {
    const { cost: _, ...rest } = normalised;
    expect(() => parseConfig({ ...options, natural_gradient_type: rest as Fisher })).toThrow(
      /^natural_gradient_type: wanted a function as cost, got nothing$/,
    );
    expect(() => parseConfig({ ...options, loss_type: { ...logCosh, title: 3 } as never })).toThrow(
      /^loss_type: wanted text as title, got 3$/,
    );
  });
});
