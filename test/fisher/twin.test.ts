/**
 * @file Every method on every loss against brute force: the plain twin forms Jacobians and solves with the P x P Fisher
 * matrix, for 1 to 4 outputs, damped and undamped, in parameter space and in function space.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { predictSteps } from "../../src/dynamics/function-space.ts";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { SingularGramError } from "../../src/error.ts";
import {
  blockTriDiagonal,
  FISHERS,
  kfacTikhonov,
  trainingKernel,
  viewOf,
  type Coefficients,
  type Fisher,
  type Singular,
} from "../../src/fisher/index.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createFolder } from "../../src/jacobian/weights.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import { spectrum } from "../../src/linalg/eigen.ts";
import { matrix, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { partsOf } from "../support/kernels.ts";
import { relativeError, tiny, tinyCase, toRows, type TinyCase } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";
import { apply, jacobians, outputsOf } from "../support/twin.ts";
import {
  parameterStep,
  smallestCurvature,
  twinCrossEntropy,
  twinMse,
  undampedSpectra,
} from "../support/twin-steps.ts";

const LEARNING_RATE = 0.5;

const exists = (fisher: Fisher, loss: Loss, { depth, outputs }: TinyCase, singular: Singular = "refuse") =>
  (singular === "least_norm" || fisher.name !== "block_tri_diagonal" || depth % 3 !== 2) &&
  (loss === mse ? fisher.curvature !== "newton" : outputs > 1);

/** Labels that fit the loss: anything for a squared error, one-hot for cross-entropy. */
function labelsFor(loss: Loss, random: Matrix): Matrix {
  if (loss === mse) return random;
  const y = zeros(random.rows, random.cols);
  for (let n = 0; n < y.rows; n++)
    y.data[n * y.cols + (Math.floor(Math.abs(random.data[n]!) * 97) % y.cols)] = 1;
  return y;
}

/** Compares both spaces of one case with the twin; whether anything was inverted on its range alone. */
async function compare(
  fisher: Fisher,
  loss: Loss,
  sizes: TinyCase,
  rho: number,
  wanted: number,
  singular: Singular = "refuse",
): Promise<boolean> {
  const { engine, linearizer, weights, twin, train, test, labels } = await tiny(sizes);
  const y = labelsFor(loss, labels);
  const [xs, others] = [toRows(train), toRows(test)];
  const twinLoss = (loss === mse ? twinMse : twinCrossEntropy)(outputsOf(twin, xs), toRows(y));

  // Function space first: the step moves the weights.
  const { train: kernel, others: crosses } = await empiricalKernel(linearizer, weights, train, [test]);
  const start = {
    train: await linearizer.forward(weights, train),
    test: await linearizer.forward(weights, test),
  };
  const options = { learningRate: LEARNING_RATE, damping: rho, singular };
  const kernels = { train: kernel, test: crosses[0]! };
  const next = await (await predictSteps(fisher, loss, kernels, start, y, options)).step();

  const before = weights.map(({ base }) => base.slice());
  const x = matrix(train.rows + test.rows, train.cols, Float64Array.of(...train.data, ...test.data));
  const { inversions } = await createTrainer(linearizer, weights, fisher, loss, { x, y }).step(options);
  const folder = createFolder(engine);
  for (const layer of weights) await folder.fold(layer);

  const step = parameterStep(fisher.name, twin, xs, twinLoss, rho, singular === "least_norm");
  // The tri-diagonal F is not definite, and F + rho I may come close to singular: both sides then lose the digits by
  // which its smallest eigenvalue falls short of rho, once for each of the two factors that a solve goes through. Its
  // layers are solved for together, so that a small step of one carries the rounding of a large step of another.
  const indefinite = fisher.name === "block_tri_diagonal" && (rho > 0 || singular === "least_norm");
  const shortfall = indefinite ? rho / smallestCurvature(fisher.name, twin, xs, twinLoss, rho) : 1;
  const tolerance = wanted * (shortfall > 1 ? 10 * shortfall ** 2 : 1);
  const together = indefinite ? Math.max(...step.flat().map(Math.abs)) : 0;
  for (const [l, { base }] of weights.entries()) {
    const moved = base.map((w, i) => (before[l]![i]! - w) / LEARNING_RATE);
    // A step is seen as a difference of weights, which are rounded.
    const floor = Math.max(together, 1e-5 * Math.max(...before[l]!.map(Math.abs)));
    expect(relativeError(moved, step[l]!, floor), `layer ${l + 1} of ${weights.length}`).toBeLessThan(
      tolerance,
    );
  }
  for (const side of ["train", "test"] as const) {
    const J = jacobians(twin, side === "train" ? xs : others);
    const whole = J[0]!.map((_, row) => J.flatMap((j) => j[row]!));
    const moved = next[side].data.map((f, i) => (start[side].data[i]! - f) / LEARNING_RATE);
    const floor = 1e-5 * Math.max(...start[side].data.map(Math.abs));
    expect(relativeError(moved, apply(whole, step.flat()), floor), side).toBeLessThan(tolerance);
  }
  return inversions.some(({ rank, size }) => rank < size);
}

/** Whether every eigenvalue of what a method inverts is plainly zero or plainly not, so that its range is no matter of opinion. */
async function hasClearRange(fisher: Fisher, loss: Loss, sizes: TinyCase): Promise<boolean> {
  const { twin, train, labels } = await tiny(sizes);
  const xs = toRows(train);
  const y = toRows(labelsFor(loss, labels));
  const twinLoss = (loss === mse ? twinMse : twinCrossEntropy)(outputsOf(twin, xs), y);
  return undampedSpectra(fisher.name, twin, xs, twinLoss).every((values) => {
    const sizes = values.map(Math.abs);
    const largest = Math.max(...sizes);
    return largest === 0 || (largest > 1e-3 && sizes.every((x) => x > 1e-4 * largest || x < 1e-13 * largest));
  });
}

/**
 * Whether what undamped methods invert is far from singular or plainly singular, so that natgrad and the twin cannot
 * disagree about which it is: the NTK, and the Grams of every layer and of its active units.
 */
async function wellConditioned(sizes: TinyCase): Promise<boolean> {
  const { linearizer, weights, train } = await tiny(sizes);
  const { train: kernel } = await empiricalKernel(linearizer, weights, train);
  const clear = async (k: Matrix): Promise<boolean> => {
    const values = await spectrum(k);
    const largest = values.at(-1)!;
    return largest > 1e-3 && values[0]! > 1e-3 * largest;
  };
  if (!(await clear(await kernel.matrix()))) return false;
  const parts = await partsOf(kernel);
  for (const [l, { A, B, units }] of parts.entries()) {
    if (!(await clear(A)) || (l < parts.length - 1 && !(await clear(B)))) return false;
    // Units that hardly see a sample: s_n is the square of a signal.
    const sizesOfSignals = [...units!.train.data].map(Math.abs).filter((d) => d > 0);
    if (Math.min(...sizesOfSignals) < 1e-3) return false;
  }
  return true;
}

const cells = FISHERS.flatMap((fisher) =>
  [mse, crossEntropy]
    .filter((loss) => loss === crossEntropy || fisher.curvature !== "newton")
    .map((loss) => [fisher.name, loss.name, fisher, loss] as const),
);

describe.each(cells)("%s with %s", (_, __, fisher, loss) => {
  it("is a parameter-space solve with explicit Jacobians, damped", async () => {
    // exact_plus_mse inverts the whole undamped NTK: it takes networks that can fit anything.
    const cases =
      fisher.curvature === "newton" ? tinyCase({ minWidth: 6, maxWidth: 8, maxSamples: 2 }) : tinyCase();
    await fc.assert(
      fc.asyncProperty(cases, fc.double({ min: 0.05, max: 2, noNaN: true }), async (sizes, rho) => {
        fc.pre(
          exists(fisher, loss, sizes) && (fisher.curvature !== "newton" || (await wellConditioned(sizes))),
        );
        await compare(fisher, loss, sizes, rho, fisher.curvature === "newton" ? 1e-7 : TOLERANCE.twin);
      }),
      { numRuns: 25 },
    );
  });

  it("is the least solution of the undamped problem, or says that there is none", async () => {
    let solved = 0;
    await fc.assert(
      fc.asyncProperty(tinyCase({ minWidth: 6, maxWidth: 8, maxSamples: 2 }), async (sizes) => {
        fc.pre(exists(fisher, loss, sizes) && (await wellConditioned(sizes)));
        try {
          await compare(fisher, loss, sizes, 0, 1e-5);
          solved++;
        } catch (error) {
          if (!(error instanceof SingularGramError)) throw error;
        }
      }),
      { numRuns: 15 },
    );
    expect(solved).toBeGreaterThan(2);
  });
});

const inverting = cells.filter(([name]) => name !== "gradient");

describe.each(inverting)("%s with %s, least_norm", (_, __, fisher, loss) => {
  it("takes the step of the pseudo-inverse where there is no inverse, at every depth", async () => {
    let deficient = 0;
    await fc.assert(
      fc.asyncProperty(tinyCase(), async (sizes) => {
        fc.pre(exists(fisher, loss, sizes, "least_norm") && (await hasClearRange(fisher, loss, sizes)));
        if (await compare(fisher, loss, sizes, 0, 1e-8, "least_norm")) deficient++;
      }),
      { numRuns: 25 },
    );
    expect(deficient).toBeGreaterThan(2);
  });

  it("takes the same step as ever where there is an inverse", async () => {
    let same = 0;
    await fc.assert(
      fc.asyncProperty(tinyCase({ minWidth: 6, maxWidth: 8, maxSamples: 2 }), async (sizes) => {
        fc.pre(exists(fisher, loss, sizes) && (await wellConditioned(sizes)));
        const { linearizer, weights, train, labels } = await tiny(sizes);
        const { train: kernel } = await empiricalKernel(linearizer, weights, train);
        const y = labelsFor(loss, labels);
        const f = await linearizer.forward(weights, train);
        const view = viewOf(fisher, loss, f, y, 0);
        const steps: (Coefficients | readonly Coefficients[])[] = [];
        try {
          for (const singular of ["refuse", "least_norm"] as const) {
            const { solve } = await fisher.prepare(trainingKernel(kernel, view), 0, { singular });
            steps.push(await solve(view.residual.data));
          }
        } catch (error) {
          if (error instanceof SingularGramError) return;
          throw error;
        }
        expect(steps[1]).toEqual(steps[0]);
        same++;
      }),
      { numRuns: 10 },
    );
    expect(same).toBeGreaterThan(2);
  });
});

describe.each([mse, crossEntropy])("kfac_tikhonov with $name", (loss) => {
  it.each([1e-10, 1e-12, 1e-14, 1e-16])("is the parameter-space solve at rho = %s", async (rho) => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), async (sizes) => {
        fc.pre(exists(kfacTikhonov, loss, sizes) && (await hasClearRange(kfacTikhonov, loss, sizes)));
        await compare(kfacTikhonov, loss, sizes, rho, 1e-7);
      }),
      { numRuns: 8 },
    );
  });
});

describe("the damped tri-diagonal step", () => {
  it.each([1e-6, 1e-8, 1e-10, 1e-12])(
    "loses no more than the P x P solve on singular Grams, at rho = %s",
    async (rho) => {
      const errors: number[] = [];
      await fc.assert(
        fc.asyncProperty(tinyCase({ maxWidth: 4 }), async (sizes) => {
          fc.pre(exists(blockTriDiagonal, mse, sizes) && sizes.depth > 1);
          const { linearizer, weights, twin, train, labels } = await tiny(sizes);
          const { train: kernel } = await empiricalKernel(linearizer, weights, train);
          const xs = toRows(train);
          const twinLoss = twinMse(outputsOf(twin, xs), toRows(labels));
          const spectrum = undampedSpectra("block_tri_diagonal", twin, xs, twinLoss)[0]!;
          const largest = Math.max(...spectrum.map(Math.abs));
          // What a backward stable solve at size P x P keeps.
          const kept = (2 ** -52 * largest) / Math.min(...spectrum.map((x) => Math.abs(x + rho)));
          fc.pre(largest > 1e-2 && kept < 1e-3 && spectrum.some((x) => Math.abs(x) < 1e-13 * largest));
          const f = await linearizer.forward(weights, train);
          const residual = f.data.map((x, i) => x - labels.data[i]!);
          const prepared = await blockTriDiagonal.prepare(kernel, rho);
          const moved = await (await prepared.onto(kernel))(residual);
          const J = jacobians(twin, xs);
          const whole = J[0]!.map((_, row) => J.flatMap((j) => j[row]!));
          const step = parameterStep("block_tri_diagonal", twin, xs, twinLoss, rho);
          errors.push(relativeError(moved, apply(whole, step.flat())) / kept);
        }),
        { numRuns: 20 },
      );
      expect(Math.max(...errors)).toBeLessThan(2);
    },
  );
});

describe("the twin", () => {
  it("has as undamped tri-diagonal step the limit of the damped ones", async () => {
    const errors: number[][] = [];
    for (const depth of [1, 3, 4]) {
      const sizes = { depth, inputs: 4, width: 8, outputs: 2, samples: 2, bias: true, seed: 12 };
      expect(await wellConditioned(sizes)).toBe(true);
      const { twin, train, labels } = await tiny(sizes);
      const xs = toRows(train);
      for (const loss of [mse, crossEntropy]) {
        const y = toRows(labelsFor(loss, labels));
        const twinLoss = (loss === mse ? twinMse : twinCrossEntropy)(outputsOf(twin, xs), y);
        const step = (rho: number) => parameterStep("block_tri_diagonal", twin, xs, twinLoss, rho).flat();
        errors.push([1e-5, 1e-6].map((rho) => relativeError(step(rho), step(0))));
      }
    }
    for (const [far, near] of errors) {
      expect(near).toBeLessThan(1e-3);
      // It closes in with rho.
      expect(near! / far!).toBeCloseTo(0.1, 1);
    }
  });

  it("has the Jacobian that finite differences of its outputs give", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), async (sizes) => {
        const { twin, train } = await tiny(sizes);
        const xs = toRows(train);
        const J = jacobians(twin, xs);
        const h = 1e-6;
        for (const [l, theta] of twin.theta.entries()) {
          let column = 0;
          for (const row of theta) {
            for (const [i, old] of row.entries()) {
              row[i] = old + h;
              const up = outputsOf(twin, xs).flat();
              row[i] = old - h;
              const down = outputsOf(twin, xs).flat();
              row[i] = old;
              const slope = up.map((u, k) => (u - down[k]!) / (2 * h));
              for (const [k, s] of slope.entries()) expect(J[l]![k]![column]).toBeCloseTo(s, 5);
              column++;
            }
          }
        }
      }),
      { numRuns: 10 },
    );
  });
});
