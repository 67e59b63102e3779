/**
 * @file Training of a network that is no chain of dense layers on vectors, beside its prediction by the empirical kernel: every method, with
 * mini-batches, adaptive damping, conjugate gradients and either loss. Steps are short, so that the network stays near its linearisation.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { train, type TrainOptions } from "../../src/dynamics/train.ts";
import type { Engine } from "../../src/engine/engine.ts";
import {
  blockTriDiagonal,
  exact,
  existsFor,
  FISHERS,
  kfac,
  unitWise,
  type Fisher,
} from "../../src/fisher/index.ts";
import { zeros, type Matrix, matrix } from "../../src/linalg/matrix.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import { serial } from "../../src/network/layers.ts";
import { OPS } from "../../src/ops/index.ts";
import { randomState } from "../../src/random/random-state.ts";
import { float64Engine } from "../support/tiny.ts";

const { conv, dense, globalAveragePool, relu } = OPS;
const WIDTH = 32;
const [N, STEPS] = [6, 3];

/** Two convolutions and a dense layer. */
const network = (outputs: number) =>
  serial(
    [5, 5, 2],
    conv(WIDTH, 3, { padding: "same" }),
    relu(),
    conv(WIDTH, 3, { stride: 2 }),
    relu(),
    globalAveragePool(),
    dense(outputs),
  );

function dataFor(loss: Loss) {
  const { normalsInto } = randomState(8);
  const draw = (rows: number, cols: number): Matrix =>
    matrix(rows, cols, normalsInto(new Float64Array(rows * cols)));
  const C = loss === mse ? 1 : 3;
  const labels = (rows: number): Matrix => {
    if (loss === mse) return draw(rows, 1);
    const y = zeros(rows, C);
    for (let n = 0; n < rows; n++) y.data[n * C + (n % C)] = 1;
    return y;
  };
  return { xTrain: draw(N, 50), yTrain: labels(N), xTest: draw(3, 50), yTest: labels(3) };
}

const VARIANTS: Readonly<Record<string, Partial<TrainOptions>>> = {
  "all samples": {},
  "mini-batches": { batchSize: 4 },
  "adaptive damping": { dampingSchedule: "levenberg_marquardt" },
};

const DAMPING = 1e-2;
/** The tri-diagonal Fisher matrix is not definite: near to a negative eigenvalue steps are long, and the linearisation does not hold. */
const dampingOf = ({ name }: Fisher): number => (name === blockTriDiagonal.name ? 1 : DAMPING);
/** Learning rate of methods whose alpha is of order 1: a step takes about that share of the residual away. */
const SHARE = 0.05;

describe.each([mse, crossEntropy])("a convolutional network under $name", (loss) => {
  let engine: Engine;
  beforeAll(async () => void (engine = await float64Engine()));
  const data = dataFor(loss);
  const C = data.yTrain.cols;

  const methods = FISHERS.filter((fisher) => existsFor(fisher, loss));
  // The choice of samples and of the damping is the same code for all methods: three that need different parts of a kernel.
  const some: readonly Fisher[] = [exact, kfac, unitWise];
  const cases = methods.flatMap((method) =>
    Object.entries(VARIANTS)
      .filter(([name]) => name === "all samples" || some.includes(method))
      .map(([name, options]) => [method.name, name, method, options] as const),
  );

  it.each(cases)("by %s with %s trains as its kernel predicts", async (_, __, method, options) => {
    const problem = { network: network(C), data, loss, method };
    const settings: TrainOptions = {
      engine,
      steps: STEPS,
      damping: dampingOf(method),
      kernel: "empirical",
      ...options,
    };
    // K-FAC and unit-wise steps have an alpha of some hundreds here, and gradient descent none.
    const large = {
      gradient: 0.4,
      kfac: 1e-2,
      kfac_expand: 1e-2,
      kfac_tikhonov: 1e-2,
      unit_wise: 1e-2,
    };
    const learningRate = SHARE * (large[method.name as keyof typeof large] ?? 1);
    const rows = [];
    for await (const row of train(problem, { ...settings, learningRate })) rows.push(row);
    expect(rows).toHaveLength(STEPS + 1);
    const first = rows[0]!.network.trainLoss;
    const last = rows.at(-1)!;
    const moved = first - last.network.trainLoss;
    const predicted = first - last.predicted[0]!.trainLoss;
    expect(moved).toBeGreaterThan(0);
    expect(Math.abs(moved - predicted)).toBeLessThan(0.1 * moved);
  });

  it("by conjugate gradients takes the steps of stored Grams", async () => {
    const lossAfter = async (options: Partial<TrainOptions>) => {
      let last = Number.NaN;
      const problem = { network: network(C), data, loss, method: exact };
      const settings = { engine, steps: 2, damping: DAMPING, kernel: "none" as const, learningRate: 0.5 };
      for await (const row of train(problem, { ...settings, ...options })) last = row.network.trainLoss;
      return last;
    };
    const cg = await lossAfter({ solver: { solver: "cg", tolerance: 1e-10 } });
    expect(cg / (await lossAfter({}))).toBeCloseTo(1, 8);
  });
});
