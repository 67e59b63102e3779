/**
 * @file The tables that the paper's NumPy program prints, for every case of golden.json that says what must match:
 * losses to a relative 1e-3 while above 1e-6 (float32 noise below), accuracies exactly.
 *
 * The ten-class cases come from a program whose Jacobian of the last layer has its rows in another order (outputs
 * outermost) than those of the other layers (samples outermost), so that its Fisher matrix is not that of the network.
 * natgrad's is (see test/fisher/twin.test.ts). To show that this order is the whole difference, those cases are run
 * with a method that puts it back, and then agree.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadDataset } from "../../src/data/node/npz.ts";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { parseConfig, parseFlags } from "../../src/experiment/parse-config.ts";
import type { Metrics, StepEvent } from "../../src/experiment/events.ts";
import { run } from "../../src/experiment/run.ts";
import type { Coefficients, Fisher } from "../../src/fisher/fisher.ts";
import { blockDiagonal, exact, gradient } from "../../src/fisher/index.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { blocksOf } from "../../src/kernel/kernel.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { accuracy } from "../../src/loss/loss.ts";
import { mse } from "../../src/loss/mse.ts";
import { factorize } from "../../src/linalg/cholesky.ts";
import { addScaled, matrix, scale, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { initialise } from "../../src/network/initialise.ts";
import { mlp } from "../../src/network/mlp.ts";
import { agree, agreeWithDefaultRun } from "../support/golden.ts";

type GoldenStep = Metrics & { step: number; predict: Metrics };
type GoldenCase = { name: string; dataset: string; args: string[]; steps: GoldenStep[]; match: string[] };

const folder = new URL("../fixtures/golden/", import.meta.url).pathname;
const { cases } = JSON.parse(readFileSync(`${folder}golden.json`, "utf8")) as { cases: GoldenCase[] };
const matching = cases.filter(({ match }) => match.length > 0);
const tenClasses = (c: GoldenCase) => c.args.includes("--n_classes");

/** `--name value --flag` as an object. */
function options(args: readonly string[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [i, arg] of args.entries()) {
    if (!arg.startsWith("--")) continue;
    const next = args[i + 1];
    out[arg.slice(2)] = next === undefined || next.startsWith("--") ? "true" : next;
  }
  return out;
}

async function rowsOf(c: GoldenCase): Promise<StepEvent[]> {
  const rows: StepEvent[] = [];
  const config = parseFlags({ ...options(c.args), dataset_path: `${folder}${c.dataset}` });
  for await (const event of run(config)) if (event.event === "step") rows.push(event);
  return rows;
}

describe("the golden tables", () => {
  it("hold eight or more cases to agree with", () => {
    expect(matching.length).toBeGreaterThanOrEqual(8);
  });

  const comparable = matching.filter((c) => c.match.includes("predict") || !tenClasses(c));
  it.each(comparable.map((c) => [c.name, c] as const))("%s agrees", async (name, c) => {
    const rows = await rowsOf(c);
    expect(rows.length).toBe(c.steps.length);
    for (const [t, wanted] of c.steps.entries()) {
      if (c.match.includes("network") && !tenClasses(c)) agree(rows[t]!, wanted, `${name}, step ${t}`);
      if (c.match.includes("predict"))
        agree(rows[t]!.predict!, wanted.predict, `${name}, step ${t}, predict`);
    }
  });

  it.each(matching.filter(tenClasses).map((c) => [c.name, c] as const))(
    "%s agrees in its network columns once the last layer's rows are put in the reference's order",
    async (name, c) => {
      const { width, n_steps, learning_rate } = options(c.args) as Record<string, string>;
      const data = await loadDataset(`${folder}${c.dataset}`, { loss: mse });
      const engine = await createEngine();
      const network = mlp(784, { width: Number(width), outputs: 10 });
      const weights = createWeights(network, initialise(engine, network, 1));
      const x = matrix(150, 784, Float32Array.of(...data.xTrain.data, ...data.xTest.data));
      const fisher = REFERENCES[options(c.args)["natural_gradient_type"] ?? "gradient"]!;
      const linearizer = await createLinearizer(engine, network);
      const trainer = createTrainer(linearizer, weights, fisher, mse, { x, y: data.yTrain });
      const shape = { samples: 100, layers: 3, width: 0, outputs: 10 };
      const learningRate = learning_rate === undefined ? 1 / fisher.alpha(shape)! : Number(learning_rate);
      for (const [t, wanted] of c.steps.entries()) {
        const f =
          t < Number(n_steps) ? (await trainer.step({ learningRate })).before : await trainer.evaluate();
        const got = {
          train_accuracy: accuracy(f.train, data.yTrain),
          train_loss: mse.value(f.train, data.yTrain),
          test_accuracy: accuracy(f.test, data.yTest),
          test_loss: mse.value(f.test, data.yTest),
        };
        agree(got, wanted, `${name}, step ${t}`);
      }
    },
  );
});

describe("undamped K-FAC", () => {
  // float64 losses of a corrected reference at the default learning rate 1 / (N (L - 1) + 1).
  it.each([
    [4096, [0.132521, 0.036052, 3.127e-3, 8.11e-5, 2.84e-7]],
    [1024, [0.131285, 0.060388, 8.061e-3, 3.775e-4, 4.13e-6]],
  ])("follows the float64 training losses at width %i", async (width, wanted) => {
    const config = parseConfig({
      dataset_path: `${folder}mnist01_100_50.npz`,
      natural_gradient_type: "kfac",
      precision: "float64",
      n_steps: wanted.length - 1,
      width,
    });
    const losses: number[] = [];
    for await (const event of run(config)) if (event.event === "step") losses.push(event.train_loss);
    // Half a unit of the last digit given.
    for (const [t, loss] of losses.entries()) expect(Math.abs(loss / wanted[t]! - 1)).toBeLessThan(2.5e-3);
  });
});

describe("the default run", () => {
  it("prints the known table for exact NGD on MNIST at width 4096", async () => {
    const rows: StepEvent[] = [];
    for await (const event of run(parseConfig({ natural_gradient_type: "exact" }))) {
      if (event.event === "step") rows.push(event);
    }
    agreeWithDefaultRun(rows);
  });
});

/** Index in (c, n) order of the row that stands at `row` in (n, c) order. */
const referenceRow = (row: number, N: number, C: number): number => (row % C) * N + Math.floor(row / C);

/** Theta of the last layer with rows and columns in the order (c, n). */
function reordered(theta: Matrix, N: number, C: number): Matrix {
  const out = zeros(theta.rows, theta.cols);
  for (let i = 0; i < theta.rows; i++) {
    for (let j = 0; j < theta.cols; j++) {
      out.data[referenceRow(i, N, C) * theta.cols + referenceRow(j, N, C)] = theta.data[i * theta.cols + j]!;
    }
  }
  return out;
}

/** A method whose last layer sees the solution in the order (c, n). */
function referenceMethod(
  base: Fisher,
  solveLayers: (thetas: Matrix[], r: Float64Array) => Promise<Float64Array[]>,
): Fisher {
  return {
    ...base,
    needs: "blocks",
    async prepare(kernel) {
      const { cols: N, outputs: C } = kernel;
      const blocks = blocksOf(kernel);
      const last = blocks.length - 1;
      const thetas: Matrix[] = [];
      for (const [l, block] of blocks.entries()) {
        const theta = scale(await block.ntk(), 1 / N);
        thetas.push(l === last ? reordered(theta, N, C) : theta);
      }
      return {
        solve: async (residual) =>
          (await solveLayers(thetas, residual)).map((v, l): Coefficients => {
            const values = l === last ? v.map((_, row) => v[referenceRow(row, N, C)]!) : v;
            return { kind: "per-sample", values: values.map((x) => x / N) };
          }),
        onto: async () => () => new Float64Array(),
      };
    },
  };
}

const referenceExact = referenceMethod(exact, async (thetas, residual) => {
  const sum = zeros(thetas[0]!.rows, thetas[0]!.cols);
  for (const theta of thetas) addScaled(sum, 1, theta);
  const { solve } = await factorize(sum, { what: "reference" });
  const v = solve(residual);
  return thetas.map(() => v);
});

const referenceBlockDiagonal = referenceMethod(blockDiagonal, (thetas, residual) =>
  Promise.all(thetas.map(async (theta) => (await factorize(theta, { what: "reference" })).solve(residual))),
);

const referenceGradient = referenceMethod(gradient, async (thetas, residual) => thetas.map(() => residual));

const REFERENCES: Readonly<Record<string, Fisher>> = {
  gradient: referenceGradient,
  exact: referenceExact,
  block_diagonal: referenceBlockDiagonal,
};
