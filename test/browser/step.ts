/**
 * @file One exact step on a fixed tiny problem, one kernel of a convolutional network, and one eigendecomposition: the same code in Node and, bundled, in the
 * browser.
 */
import { randomState } from "../../src/entry/data.ts";
import { isotropy } from "../../src/entry/dynamics.ts";
import { averagePool, conv, flatten, maxPool, transpose } from "../../src/entry/network.ts";
import {
  analyticKernel,
  createEngine,
  createLinearizer,
  createTrainer,
  createWeights,
  dense,
  exact,
  initialise,
  matrix,
  mlp,
  mse,
  ntk,
  relu,
  serial,
  type EngineOptions,
} from "../../src/index.ts";
import { eigen, spectrum } from "../../src/linalg/eigen.ts";

/** Losses before and after the step, and the isotropy of exact NGD on the analytic kernel. */
export async function exactStep(options: EngineOptions): Promise<{ losses: number[]; deviation: number }> {
  const engine = await createEngine(options);
  const network = mlp(12, { depth: 3, width: 256, biasVariance: 0.1 });
  const { normalsInto } = randomState(11);
  const x = matrix(10, 12, normalsInto(new Float32Array(120)));
  const y = matrix(
    8,
    1,
    Float64Array.from({ length: 8 }, (_, n) => (n % 2 ? 0.5 : -0.5)),
  );
  const weights = createWeights(network, initialise(engine, network, 1));
  const trainer = createTrainer(await createLinearizer(engine, network), weights, exact, mse, { x, y });
  const { before } = await trainer.step({ learningRate: 1 });
  const after = await trainer.evaluate();
  await engine.release();
  const train = matrix(8, 12, x.data.subarray(0, 96));
  return {
    losses: [mse.value(before.train, y), mse.value(after.train, y)],
    deviation: (await isotropy(exact, await analyticKernel(network, train))).deviation,
  };
}

/** The kernel of a network with every kind of convolution and pooling, and three outputs. */
export async function convolutionKernel(options: EngineOptions): Promise<number[]> {
  const engine = await createEngine(options);
  const same = { padding: "same", biasVariance: 0.1 } as const;
  const network = serial(
    [9, 8, 3],
    conv(4, 3, { ...same, stride: 2 }),
    relu(),
    conv(6, [2, 3], { ...same, groups: 2 }),
    maxPool(2, { stride: 1 }),
    conv(5, 3, { padding: "circular" }),
    relu(),
    averagePool(3, { stride: 2, padding: "same", countPadding: false }),
    transpose(2, 0, 1),
    flatten(),
    dense(3),
  );
  const x = matrix(4, network.inputs, randomState(12).normalsInto(new Float32Array(4 * network.inputs)));
  const weights = createWeights(network, initialise(engine, network, 1));
  const theta = await ntk(network, x, x, { kind: "empirical", engine, weights });
  await engine.release();
  return [...theta.data];
}

/** Eigenvalues of a symmetric matrix that is large enough for panels and cuts, by both entry points. */
export async function eigenvalues(options: EngineOptions): Promise<{ values: number[]; alone: number[] }> {
  const n = 150;
  const x = randomState(3).normalsInto(new Float64Array(n * n));
  const k = matrix(
    n,
    n,
    x.map((_, at) => x[at]! + x[(at % n) * n + Math.floor(at / n)]!),
  );
  const engine = await createEngine({ ...options, precision: "float64" });
  const found = {
    values: [...(await eigen(k, { engine })).values],
    alone: [...(await spectrum(k, { engine }))],
  };
  await engine.release();
  return found;
}
