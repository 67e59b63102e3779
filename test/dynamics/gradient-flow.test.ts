/**
 * @file Gradient descent in continuous time, against Neural Tangents and against small steps of the recursion.
 */
import { Matrix as MlMatrix, pseudoInverse } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { predictSteps } from "../../src/dynamics/function-space.ts";
import { gradientFlow, gradientFlowOf } from "../../src/dynamics/gradient-flow.ts";
import { gradient } from "../../src/fisher/index.ts";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { expandOutputs } from "../../src/kernel/parts.ts";
import { crossEntropy, mse } from "../../src/loss/index.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { initialise } from "../../src/network/initialise.ts";
import { mlp } from "../../src/network/mlp.ts";
import { randomState } from "../../src/random/random-state.ts";
import { peerFixture, variances } from "../support/fixtures.ts";
import { relativeError, toRows } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const gd = await peerFixture("gd");

/** The peer's problem of C outputs, and its name. */
async function problem(C: number) {
  const name = `relu_depth3_bias_out${C}`;
  const network = mlp(5, { depth: 3, width: 8, outputs: C, ...variances("bias") });
  const kernels = {
    train: await analyticKernel(network, gd.get("x_train")),
    test: await analyticKernel(network, gd.get("x_test"), gd.get("x_train")),
  };
  const start = { train: gd.get(`${name}_f_train`), test: gd.get(`${name}_f_test`) };
  const y = gd.get(`y_out${C}`);
  return { name, kernels, start, y };
}

describe.each([1, 3])("gradient flow with %i outputs", async (C) => {
  const { name, kernels, start, y } = await problem(C);

  it("is that of Neural Tangents, whose loss is a mean over outputs too", async () => {
    const times = gd.get("times").data;
    for (const [k, t] of times.entries()) {
      if (t === 0) continue;
      // Its time is eta t / (N C) against eta t / N here.
      const learningRate = (gd.get("learning_rate").data[0]! * t) / C;
      const flow = await gradientFlow(kernels, start, y, { learningRate });
      const f = await flow.step();
      const at = (key: string, n: number) =>
        gd.get(`${name}_analytic_gd_${key}`).data.slice(k * n * C, (k + 1) * n * C);
      expect(relativeError(f.train.data, at("train", 6))).toBeLessThan(TOLERANCE.peer);
      expect(relativeError(f.test.data, at("test", 4))).toBeLessThan(TOLERANCE.peer);
    }
  });

  it("is the limit of the recursion for small steps", async () => {
    const flow = await (await gradientFlow(kernels, start, y, { learningRate: 1 })).step();
    const errors: number[] = [];
    for (const steps of [100, 200]) {
      const recursion = await predictSteps(gradient, mse, kernels, start, y, { learningRate: 1 / steps });
      let f = start;
      for (let t = 0; t < steps; t++) f = await recursion.step();
      errors.push(relativeError(f.train.data, flow.train.data));
    }
    expect(errors[1]).toBeLessThan(0.01);
    expect(errors[0]! / errors[1]!).toBeCloseTo(2, 1);
  });

  it("looked at twice has gone twice as far", async () => {
    const twice = await gradientFlow(kernels, start, y, { learningRate: 1 });
    await twice.step();
    const far = await (await gradientFlow(kernels, start, y, { learningRate: 2 })).step();
    expect(relativeError((await twice.step()).test.data, far.test.data)).toBeLessThan(TOLERANCE.twin);
  });
});

describe.each([1, 3])("gradient flow of any loss, with %i outputs", async (C) => {
  const { kernels, start, y } = await problem(C);

  it("is the exact flow for a squared error", async () => {
    for (const learningRate of [0.3, 20]) {
      const exact = await (await gradientFlow(kernels, start, y, { learningRate })).step();
      const flow = await (await gradientFlowOf(mse, kernels, start, y, { learningRate })).step();
      expect(relativeError(flow.train.data, exact.train.data)).toBeLessThan(1e-4);
      expect(relativeError(flow.test.data, exact.test.data)).toBeLessThan(1e-4);
    }
  });

  if (C > 1) {
    it("is the limit of small gradient steps for cross-entropy, with a kernel of one or of all outputs", async () => {
      const flow = await (await gradientFlowOf(crossEntropy, kernels, start, y, { learningRate: 2 })).step();
      const expanded = { train: expandOutputs(kernels.train), test: expandOutputs(kernels.test) };
      const whole = await (
        await gradientFlowOf(crossEntropy, expanded, start, y, { learningRate: 2 })
      ).step();
      expect(relativeError(whole.test.data, flow.test.data)).toBeLessThan(TOLERANCE.twin);
      const steps = 400;
      const recursion = await predictSteps(gradient, crossEntropy, kernels, start, y, {
        learningRate: 2 / steps,
      });
      let f = start;
      for (let t = 0; t < steps; t++) f = await recursion.step();
      expect(relativeError(f.test.data, flow.test.data)).toBeLessThan(0.005);
    });
  }
});

describe("gradient flow on a kernel without an inverse", () => {
  const TIMES = [1e9, 1e12, 1e15, 1e16, 1e17, 1e18, 1e30, 1e300, Infinity];
  const { normalsInto } = randomState(4);
  const draw = (rows: number, cols: number): Matrix =>
    matrix(rows, cols, normalsInto(new Float64Array(rows * cols)));
  /** Some samples twice. */
  const twice = ({ cols, data }: Matrix): Matrix =>
    matrix((data.length / cols) * 2, cols, Float64Array.of(...data, ...data));

  const cases = [
    { what: "fewer features than samples", depth: 1, inputs: 4, train: draw(12, 4) },
    { what: "fewer features than samples, many of them", depth: 1, inputs: 9, train: draw(100, 9) },
    { what: "every sample twice", depth: 3, inputs: 6, train: twice(draw(5, 6)) },
  ].flatMap((c) =>
    [1, 2].flatMap((C) =>
      (["analytic", "float64", "float32"] as const).map((of) => [c.what, C, of, c] as const),
    ),
  );

  it.each(cases)(
    "%s, %i outputs, %s: ends where its range ends",
    async (_, C, of, { depth, inputs, train }) => {
      const network = mlp(inputs, { depth, width: 40, outputs: C });
      const test = draw(3, inputs);
      const kernels = await (async () => {
        if (of === "analytic") {
          return {
            train: await analyticKernel(network, train),
            test: await analyticKernel(network, test, train),
          };
        }
        const engine = await createEngine({ precision: of, threads: 1 });
        const linearizer = await createLinearizer(engine, network);
        const weights = createWeights(network, initialise(engine, network, 1));
        const all = await empiricalKernel(linearizer, weights, train, [test]);
        return { train: all.train, test: all.others[0]! };
      })();
      const start = { train: draw(train.rows, C), test: draw(3, C) };
      const y = draw(train.rows, C);

      // The limit: Theta Theta^+ and Theta' Theta^+ on f_0 - y, output by output or all in one column.
      const theta = toRows(await kernels.train.matrix());
      const inverse = pseudoInverse(
        new MlMatrix(theta),
        1e-5 * Math.max(...theta.map((row) => Math.hypot(...row))),
      );
      const away = start.train.data.map((f, i) => f - y.data[i]!);
      const columns = kernels.train.outputs === C ? 1 : C;
      const r = new MlMatrix(away.length / columns, columns);
      for (const [i, x] of away.entries()) r.set(Math.floor(i / columns), i % columns, x);
      const v = inverse.mmul(r);
      const thetaTest = toRows(await kernels.test.matrix());
      const moved = (rows: number[][]) => new MlMatrix(rows).mmul(v).to1DArray();
      const limit = {
        train: start.train.data.map((f, i) => f - moved(theta)[i]!),
        test: start.test.data.map((f, i) => f - moved(thetaTest)[i]!),
      };
      // The null space of a kernel in float32 is known as well as its numbers are.
      const tolerance = of === "float32" ? 1e-3 : 1e-8;
      for (const learningRate of TIMES) {
        const f = await (await gradientFlow(kernels, start, y, { learningRate })).step();
        expect(relativeError(f.train.data, limit.train), `training, at ${learningRate}`).toBeLessThan(
          tolerance,
        );
        expect(relativeError(f.test.data, limit.test), `test, at ${learningRate}`).toBeLessThan(tolerance);
      }
    },
  );
});
