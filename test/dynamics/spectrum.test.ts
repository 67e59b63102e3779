/**
 * @file What a spectrum predicts, against gradient descent itself: when it has converged, and from which learning rate on
 * it diverges.
 */
import fc from "fast-check";
import { EigenvalueDecomposition, Matrix as MlMatrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { alignment } from "../../src/dynamics/alignment.ts";
import { predictSteps } from "../../src/dynamics/function-space.ts";
import { gradientFlow } from "../../src/dynamics/gradient-flow.ts";
import {
  convergenceSteps,
  convergenceTime,
  kernelSpectrum,
  labelEnergy,
  modeEnergies,
} from "../../src/dynamics/spectrum.ts";
import { stableLearningRate } from "../../src/dynamics/stability.ts";
import { blockDiagonal, blockTriDiagonal, exact, gradient, kfac } from "../../src/fisher/index.ts";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { blocksKernel } from "../../src/kernel/kernel.ts";
import { expandOutputs } from "../../src/kernel/parts.ts";
import { mse } from "../../src/loss/index.ts";
import {
  addDiagonal,
  identity,
  map,
  matrix,
  multiply,
  scale,
  trace,
  zeros,
  type Matrix,
} from "../../src/linalg/matrix.ts";
import { mlp } from "../../src/network/mlp.ts";
import { randomState } from "../../src/random/random-state.ts";
import { partsOf } from "../support/kernels.ts";
import { relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const normals = (seed: number, rows: number, cols: number): Matrix =>
  matrix(rows, cols, randomState(seed).normalsInto(new Float64Array(rows * cols)));

const N = 12;
const C = 3;
const kernel = await analyticKernel(
  mlp(5, { depth: 3, width: 8, outputs: C, biasVariance: 0.1 }),
  normals(1, N, 5),
);
const whole = expandOutputs(kernel);
const [firstLayer] = await partsOf(kernel);
const ones = map(zeros(N, N), () => 1);
const y = normals(2, N, C);
const negative = map(y, (x) => -x);
const spectrum = await kernelSpectrum(kernel);
const start = { train: zeros(N, C), test: zeros(N, C) };
const pair = { train: kernel, test: kernel };

describe("the spectrum of a kernel", () => {
  it("is that of Theta / N, largest first", async () => {
    const { values, vectors } = spectrum;
    const theta = scale(await kernel.matrix(), 1 / N);
    const scaled = map(vectors, (v, at) => v * values[at % N]!);
    expect(relativeError(multiply(theta, vectors).data, scaled.data)).toBeLessThan(TOLERANCE.twin);
    expect([...values]).toEqual([...values].sort((a, b) => b - a));
    expect(spectrum.trace).toBeCloseTo(trace(theta), 12);
    expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(spectrum.trace, 12);
    expect(spectrum.rank).toBe(N);
    expect(spectrum.condition).toBeCloseTo(values[0]! / values[N - 1]!, 6);
  });

  it("has the rank of the samples that differ, and no condition when some do not", async () => {
    const x = normals(1, N, 5);
    x.data.copyWithin(5, 0, 5);
    const { rank, condition } = await kernelSpectrum(await analyticKernel(mlp(5, { depth: 3, width: 8 }), x));
    expect(rank).toBe(N - 1);
    expect(condition).toBe(Infinity);
  });

  it("of all outputs is C times that of one", async () => {
    const all = await kernelSpectrum(whole);
    const repeated = [...spectrum.values].flatMap((x) => [x, x, x]);
    expect(relativeError(all.values, repeated)).toBeLessThan(TOLERANCE.twin);
    expect(all.rank).toBe(N * C);
  });

  it("shares the labels among its modes, once", async () => {
    const energies = await modeEnergies(spectrum, y);
    const square = y.data.reduce((sum, x) => sum + x * x, 0);
    expect(energies.reduce((a, b) => a + b, 0)).toBeCloseTo(square, 10);
    const cumulative = await labelEnergy(spectrum, y);
    expect(cumulative[N - 1]).toBeCloseTo(1, 12);
    expect([...cumulative]).toEqual([...cumulative].sort((a, b) => a - b));
    // Eigenvectors of equal eigenvalues are arbitrary, but not the space that C of them span.
    const all = await labelEnergy(await kernelSpectrum(whole), y);
    for (const k of [1, 5, 10]) expect(all[k * C - 1]).toBeCloseTo(cumulative[k - 1]!, 8);
  });
});

describe("alignment", () => {
  it("is 1 for the labels' own Gram, centred or not", async () => {
    const A = multiply(y, { rows: C, cols: N, data: transposed(y) });
    const own = blocksKernel(kernel, [{ ...firstLayer!, A, B: ones }]);
    expect(await alignment(own, y)).toBeCloseTo(1, 12);
    expect(await alignment(own, y, { centred: true })).toBeCloseTo(1, 12);
  });

  it("is that of the definition, with a kernel of one or of all outputs", async () => {
    const theta = await kernel.matrix();
    let [inner, sizeK, sizeY] = [0, 0, 0];
    for (let n = 0; n < N; n++) {
      for (let m = 0; m < N; m++) {
        let target = 0;
        for (let c = 0; c < C; c++) target += y.data[n * C + c]! * y.data[m * C + c]!;
        inner += theta.data[n * N + m]! * target;
        sizeK += theta.data[n * N + m]! ** 2;
        sizeY += target ** 2;
      }
    }
    expect(await alignment(kernel, y)).toBeCloseTo(inner / Math.sqrt(sizeK * sizeY), 12);
    expect(await alignment(whole, y)).toBeCloseTo(await alignment(kernel, y), 12);
  });

  it("does not see a constant when centred, nor a kernel of zeros", async () => {
    const shifted = map(y, (x) => x + 7);
    const centred = await alignment(kernel, y, { centred: true });
    expect(await alignment(kernel, shifted, { centred: true })).toBeCloseTo(centred, 10);
    expect(
      await alignment(
        kernel,
        map(y, () => 0),
      ),
    ).toBe(0);
  });
});

const transposed = (a: Matrix): Float64Array =>
  Float64Array.from(a.data, (_, at) => a.data[(at % a.rows) * a.cols + Math.floor(at / a.rows)]!);

describe("convergence", () => {
  it.each([0.3, 0.01, 1e-4])("to %f takes gradient flow the time that it is said to", async (fraction) => {
    for (const [k, s] of [
      [kernel, spectrum],
      [whole, await kernelSpectrum(whole)],
    ] as const) {
      const learningRate = await convergenceTime(s, negative, fraction);
      const flow = await gradientFlow({ train: k, test: k }, start, y, { learningRate });
      const left = mse.value((await flow.step()).train, y) / mse.value(start.train, y);
      expect(left / fraction).toBeCloseTo(1, 8);
    }
  });

  it("takes gradient descent the steps that it is said to", async () => {
    const learningRate = 0.8 * spectrum.maxLearningRate;
    const steps = await convergenceSteps(spectrum, negative, 0.01, learningRate);
    const recursion = await predictSteps(gradient, mse, pair, start, y, { learningRate });
    const losses = [mse.value(start.train, y)];
    for (let t = 1; t <= steps; t++) losses.push(mse.value((await recursion.step()).train, y));
    expect(losses[steps]! / losses[0]!).toBeLessThanOrEqual(0.01);
    expect(losses[steps - 1]! / losses[0]!).toBeGreaterThan(0.01);
  });

  it("takes one step where the learning rate is the inverse of the only eigenvalue", async () => {
    const one = { ...firstLayer!, A: identity(N), B: ones };
    const isotropic = await kernelSpectrum(blocksKernel(kernel, [one]));
    expect(await convergenceSteps(isotropic, negative, 1e-9, isotropic.maxLearningRate / 2)).toBe(1);
    expect(await convergenceSteps(isotropic, negative, 1, isotropic.maxLearningRate / 2)).toBe(0);
  });

  it("is at once from nowhere to go, and never at an unstable rate or outside of the kernel's range", async () => {
    expect(await convergenceTime(spectrum, negative, 1)).toBe(0);
    expect(await convergenceTime(spectrum, zeros(N, C), 0.5)).toBe(0);
    expect(await convergenceSteps(spectrum, negative, 0.01, 1.001 * spectrum.maxLearningRate)).toBe(Infinity);
    const linear = await kernelSpectrum(blocksKernel(kernel, [{ ...firstLayer!, B: ones }]));
    expect(linear.rank).toBe(6);
    expect(await convergenceTime(linear, negative, 1e-4)).toBe(Infinity);
  });
});

/** G [n, n] of a method, column by column. */
async function columnsOf(fisher: typeof exact, damping: number): Promise<Matrix> {
  const G = await (await fisher.prepare(kernel, damping)).onto(kernel);
  const out = zeros(N, N);
  for (let j = 0; j < N; j++) {
    const column = await G(Float64Array.from({ length: N }, (_, i) => Number(i === j)));
    for (let i = 0; i < N; i++) out.data[i * N + j] = column[i]!;
  }
  return out;
}

describe("the largest stable learning rate", () => {
  it("of gradient descent is 2 / lambda_max, on both sides of which it is what it says", async () => {
    const G = await (await gradient.prepare(kernel, 0)).onto(kernel);
    const rate = await stableLearningRate(G, N);
    expect(rate / spectrum.maxLearningRate).toBeCloseTo(1, 8);
    const lossAfter = async (learningRate: number): Promise<number> => {
      const recursion = await predictSteps(gradient, mse, pair, start, y, { learningRate });
      let f = start;
      for (let t = 0; t < 2000; t++) f = await recursion.step();
      return mse.value(f.train, y);
    };
    expect(await lossAfter(0.99 * rate)).toBeLessThan(mse.value(start.train, y));
    expect(await lossAfter(1.01 * rate)).toBeGreaterThan(1e3 * mse.value(start.train, y));
  });

  it.each([
    ["exact", exact, 0],
    ["exact, damped", exact, 1e-2],
    ["block-diagonal", blockDiagonal, 1e-3],
    ["block-tri-diagonal, not symmetric", blockTriDiagonal, 1e-2],
    ["K-FAC", kfac, 1e-3],
  ])("of %s is that of all its eigenvalues", async (_, fisher, damping) => {
    const G = await (await fisher.prepare(kernel, damping)).onto(kernel);
    const all = new EigenvalueDecomposition(
      MlMatrix.from1DArray(N, N, (await columnsOf(fisher, damping)).data),
    );
    const rates = all.realEigenvalues.map(
      (re, i) => (2 * re) / (re ** 2 + all.imaginaryEigenvalues[i]! ** 2),
    );
    const wanted = Math.max(0, Math.min(...rates));
    const got = await stableLearningRate(G, N);
    if (wanted === 0) expect(got).toBe(0);
    else expect(got / wanted).toBeCloseTo(1, 6);
  });

  it("is 2 for the identity, from one product", async () => {
    let products = 0;
    const identity = (r: Float64Array) => (products++, r);
    expect(await stableLearningRate(identity, 1000)).toBeCloseTo(2, 12);
    expect(products).toBe(1);
  });

  it("counts rotations: 2 Re(mu) / |mu|^2", async () => {
    const rotation = (r: Float64Array) => Float64Array.of(r[0]! - 2 * r[1]!, 2 * r[0]! + r[1]!);
    expect(await stableLearningRate(rotation, 2)).toBeCloseTo(2 / 5, 12);
  });

  it("is 0 where an eigenvalue is negative, Infinity for nothing", async () => {
    expect(await stableLearningRate((r) => r.map((x, i) => (i === 3 ? -x : x)), 10)).toBe(0);
    expect(await stableLearningRate((r) => r.map(() => 0), 10)).toBe(Infinity);
  });

  it("is found among many rows from few products", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), async (seed) => {
        const n = 60;
        const a = normals(seed, n, n);
        const psd = addDiagonal(scale(multiply(a, { ...a, data: transposed(a) }), 1 / n), 0.1);
        const { realEigenvalues } = new EigenvalueDecomposition(MlMatrix.from1DArray(n, n, psd.data));
        const apply = (r: Float64Array) => multiply(psd, matrix(n, 1, r)).data;
        const got = await stableLearningRate(apply, n, { iterations: 30 });
        expect(got / (2 / Math.max(...realEigenvalues))).toBeCloseTo(1, 3);
      }),
      { numRuns: 10 },
    );
  });
});
