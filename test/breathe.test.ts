/**
 * @file Long work gives the event loop its turn, and ends where it is asked to: whatever takes a signal ends with its reason,
 * and what is under way hears of it before it is done.
 */
import { describe, expect, it } from "vitest";
import { breathe, createTurn } from "../src/breathe.ts";
import { forsterTransform } from "../src/data/forster.ts";
import { synthetic } from "../src/data/synthetic.ts";
import { gradientFlow, gradientFlowOf } from "../src/dynamics/gradient-flow.ts";
import { isotropy } from "../src/dynamics/isotropy.ts";
import { createPosterior } from "../src/dynamics/posterior.ts";
import { kernelSpectrum } from "../src/dynamics/spectrum.ts";
import { stableLearningRate } from "../src/dynamics/stability.ts";
import { createTrainer } from "../src/dynamics/trainer.ts";
import { parseConfig } from "../src/experiment/parse-config.ts";
import { diagnose } from "../src/experiment/diagnose.ts";
import { parseDiagnosis } from "../src/experiment/diagnosis.ts";
import { run } from "../src/experiment/run.ts";
import { exact, FISHERS, unitWise } from "../src/fisher/index.ts";
import { createEngine } from "../src/engine/engine.ts";
import { analyticKernel, analyticNtk } from "../src/kernel/analytic.ts";
import { empiricalKernel } from "../src/kernel/empirical.ts";
import { blocksKernel, type Kernel } from "../src/kernel/kernel.ts";
import { withUnits } from "../src/kernel/units.ts";
import { whitenColumns, whitenKernel } from "../src/kernel/whiten.ts";
import { createLinearizer } from "../src/jacobian/linearize.ts";
import { createWeights } from "../src/jacobian/weights.ts";
import { crossEntropy, mse } from "../src/loss/index.ts";
import { factorize } from "../src/linalg/cholesky.ts";
import { conjugateGradients } from "../src/linalg/conjugate-gradients.ts";
import { eigen, spectrum } from "../src/linalg/eigen.ts";
import { factorizeGeneral } from "../src/linalg/lu.ts";
import { addDiagonal, matrix, multiply, transpose, zeros, type Matrix } from "../src/linalg/matrix.ts";
import { partialCholesky, pivotedCholesky } from "../src/linalg/pivoted-cholesky.ts";
import { drawWeights, initialise } from "../src/network/initialise.ts";
import { mlp } from "../src/network/mlp.ts";
import { randomState } from "../src/random/random-state.ts";

const random = (rows: number, cols: number, seed = 1): Matrix =>
  matrix(rows, cols, randomState(seed).normalsInto(new Float64Array(rows * cols)));

/** A positive definite matrix. */
const gram = (n: number): Matrix => addDiagonal(multiply(random(n, n), transpose(random(n, n))), n / 10);

/** A kernel of L layers of M units on N samples. */
const HEAD = { source: "empirical", outputs: 1, copies: 1, epsilon: 2 ** -52 } as const;

function kernelOf(N: number, M: number, L = 3): Kernel {
  const [A, B] = [gram(N), gram(N)];
  const parts = Array.from({ length: L }, (_, l) => {
    const train = random(N, M, l + 1);
    for (let i = 0; i < train.data.length; i++) train.data[i] = Math.max(0, train.data[i]!);
    return {
      fanIn: M,
      fanOut: M,
      columns: M,
      inputRank: M,
      signalRank: M,
      A,
      B,
      units: { rows: train, train },
    };
  });
  return blocksKernel({ ...HEAD, rows: N, cols: N }, parts);
}

/** A kernel of one layer of one input and output, with these Grams. */
const oneLayer = (A: Matrix, B: Matrix): Kernel =>
  blocksKernel({ ...HEAD, rows: A.rows, cols: A.cols, outputs: B.cols / A.cols }, [
    { fanIn: 1, fanOut: 1, columns: 1, inputRank: 1, signalRank: 1, A, B },
  ]);

/** Whether the event loop has turned since. */
function watch(): { turned: () => boolean } {
  let turned = false;
  setTimeout(() => (turned = true), 0);
  return { turned: () => turned };
}

describe("breathe", () => {
  it("lets timers come first when work goes on for long", async () => {
    const { turned } = watch();
    // Without its turn the loop below would never end.
    while (!turned()) await breathe();
  });

  it("returns nothing to wait for when the last turn was a moment ago", async () => {
    while (breathe() === undefined);
    await breathe();
    expect(breathe()).toBeUndefined();
  });

  it("throws the reason of its signal, before it waits and after", async () => {
    expect(() => breathe(AbortSignal.abort("enough"))).toThrow("enough");
    const controller = new AbortController();
    setTimeout(() => controller.abort("enough"), 0);
    await expect(
      (async () => {
        for (;;) await breathe(controller.signal);
      })(),
    ).rejects.toBe("enough");
  });

  it.each([
    ["setImmediate", { setImmediate }],
    ["a message", {}],
  ])("turns by %s where a platform has that", async (_, platform) => {
    const order: string[] = [];
    const turn = createTurn(platform)().then(() => order.push("turn"));
    for (let i = 0; i < 10; i++) await Promise.resolve();
    order.push("microtasks");
    await turn;
    expect(order).toEqual(["microtasks", "turn"]);
  });
});

describe("an aborted signal", () => {
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const kernel = kernelOf(12, 6);
  const cross = { train: kernel, test: kernel };
  const y = random(12, 1);
  const start = { train: random(12, 1), test: random(12, 1) };
  const network = mlp(8, { depth: 2, width: 16 });
  const x = random(12, 8);
  const linearized = async () => {
    const linearizer = await createLinearizer(await createEngine(), network);
    return { linearizer, weights: createWeights(network, initialise(linearizer.engine, network, 1)) };
  };
  const fourOutputs = oneLayer(gram(3), gram(12));
  const { factor } = crossEntropy.curvature!(random(3, 4), matrix(3, 4, new Float64Array(12).fill(0.25)));
  const small = { width: 16, train_size: 20, test_size: 10, dataset: "synthetic" } as const;
  const drain = async (events: AsyncIterable<unknown>) => {
    for await (const _ of events);
  };

  const works: Record<string, () => unknown> = {
    factorize: () => factorize(gram(9), { what: "K", signal }),
    factorizeGeneral: async () => (await factorizeGeneral(random(300, 300), "K", { signal })).solveMatrix(y),
    eigen: () => eigen(gram(70), { signal }),
    spectrum: () => spectrum(gram(9), { signal }),
    pivotedCholesky: () => pivotedCholesky(gram(9), 9, 0, { signal }),
    partialCholesky: () =>
      partialCholesky(
        { diagonal: new Float64Array(9).fill(1), rows: (which) => random(which.length, 9) },
        { maxRank: 9, signal },
      ),
    conjugateGradients: () => conjugateGradients((v) => v, y.data, { signal }),
    analyticKernel: () => analyticKernel(network, x, x, { signal }),
    analyticNtk: () => analyticNtk(network, x, x, { signal }),
    withUnits: async () => {
      const train = await analyticKernel(network, x);
      return withUnits(network, { train, test: train }, x, x, randomState(1), { signal });
    },
    drawWeights: async () => drawWeights(await createEngine(), network, 1, { signal }),
    forward: async () => {
      const { linearizer, weights } = await linearized();
      return linearizer.forward(weights, x, { signal });
    },
    linearize: async () => {
      const { linearizer, weights } = await linearized();
      return linearizer.linearize(weights, x, 12, { signal });
    },
    empiricalKernel: async () => {
      const { linearizer, weights } = await linearized();
      return empiricalKernel(linearizer, weights, x, [], { signal });
    },
    "an empirical kernel of the network alone": async () => {
      const { linearizer, weights } = await linearized();
      return empiricalKernel(linearizer, weights, x, [], { needs: "ntk", signal });
    },
    whitenKernel: () => whitenKernel(fourOutputs, factor, { signal }).matrix(),
    whitenColumns: () => whitenColumns(fourOutputs, factor, { signal }).matrix(),
    "a step": async () => {
      const { linearizer, weights } = await linearized();
      return createTrainer(linearizer, weights, exact, mse, { x, y }).step({ learningRate: 1, signal });
    },
    "conjugate gradients of exact NGD": async () =>
      (await exact.prepare(kernel, 1, { solver: "cg", rank: 0, signal })).solve(y.data),
    isotropy: () => isotropy(exact, kernel, { damping: 1, signal }),
    stableLearningRate: () => stableLearningRate((v) => v, 12, { signal }),
    kernelSpectrum: () => kernelSpectrum(kernel, { signal }),
    posterior: async () =>
      (await createPosterior({ ...cross, testTest: kernel }, y, { regularisation: 1, signal })).at(Infinity),
    gradientFlow: () => gradientFlow(cross, start, y, { learningRate: 1, signal }),
    gradientFlowOf: async () =>
      (await gradientFlowOf(mse, cross, start, y, { learningRate: 1, signal })).step(),
    forsterTransform: () => {
      const { normalsInto } = randomState(1);
      const data = synthetic(normalsInto, { trainSize: 20, testSize: 5, loss: mse, inputs: 6 });
      return forsterTransform(data, { signal });
    },
    run: () => drain(run(parseConfig({ ...small, natural_gradient_type: "exact" }), { signal })),
    diagnose: () => drain(diagnose(parseDiagnosis(small), { signal })),
  };
  for (const fisher of FISHERS.filter(({ name }) => name !== "gradient")) {
    works[`${fisher.name} with all of its work`] = async () => {
      const prepared = await fisher.prepare(kernel, 1, { signal });
      return prepared.solve(y.data);
    };
  }
  it.each(Object.entries(works))("ends %s with its reason", async (_, work) => {
    await expect((async () => work())()).rejects.toBe(reason);
  });
});

describe("what is under way", () => {
  // Sizes at which each is more than a second of work.
  const kernel = kernelOf(600, 120);
  const works: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
    "unit-wise coefficients": async (signal) =>
      (await unitWise.prepare(kernel, 1e-3, { signal })).solve(random(600, 1).data),
    "factors that unit-wise NGD keeps": async (signal) =>
      (await unitWise.prepare(kernel, 1e-3, { signal })).onto(kernel),
    "a pivoted Cholesky factor": async (signal) => {
      const k = addDiagonal(zeros(1500, 1500), 1);
      return pivotedCholesky(k, 1500, 0, { signal });
    },
    eigenvalues: (signal) => spectrum(gram(600), { signal }),
    eigenvectors: (signal) => eigen(gram(400), { signal }),
    "draws of weights": async (signal) =>
      drawWeights(await createEngine(), mlp(2000, { depth: 2, width: 3000 }), 1, { prng: "jax", signal }),
    "a gradient flow in many steps": async (signal) => {
      const side = { train: kernel, test: kernel };
      const zero = { train: zeros(600, 1), test: zeros(600, 1) };
      const flow = await gradientFlowOf(mse, side, zero, random(600, 1), { learningRate: 10, signal });
      return flow.step();
    },
    "a curvature that is folded in": async (signal) => {
      const [N, C] = [700, 6];
      const { factor } = crossEntropy.curvature!(
        zeros(N, C),
        matrix(N, C, new Float64Array(N * C).fill(1 / C)),
      );
      const B = matrix(N * C, N * C, new Float64Array((N * C) ** 2).fill(1));
      return whitenKernel(oneLayer(zeros(N, N), B), factor, { signal }).matrix();
    },
  };
  it.each(Object.entries(works))("hears that it is to end: %s", async (_, work) => {
    const controller = new AbortController();
    // Some turns of the event loop after it has begun: in a thread that is not let go again and again, that never comes.
    const after = (turns: number): unknown =>
      turns === 0 ? controller.abort("enough") : setTimeout(() => after(turns - 1), 0);
    after(4);
    await expect(work(controller.signal)).rejects.toBe("enough");
  });
});
