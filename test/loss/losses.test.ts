/**
 * @file Losses: residuals are gradients, S S^T is the curvature, S r~ = r, and extremes stay finite.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crossEntropy, mse, accuracy, type Loss } from "../../src/loss/index.ts";
import { softmax } from "../../src/loss/cross-entropy.ts";
import { applyFactor, transposeFactor } from "../../src/loss/curvature.ts";
import { matrix, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { randomState } from "../../src/random/random-state.ts";

const cases = fc.record({
  N: fc.integer({ min: 1, max: 4 }),
  C: fc.integer({ min: 2, max: 5 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
  size: fc.constantFrom(0.1, 1, 5),
});

function draw({ N, C, seed, size }: { N: number; C: number; seed: number; size: number }): {
  f: Matrix;
  y: Matrix;
} {
  const f = matrix(
    N,
    C,
    randomState(seed)
      .normalsInto(new Float64Array(N * C))
      .map((x) => size * x),
  );
  const y = zeros(N, C);
  for (let n = 0; n < N; n++) y.data[n * C + ((seed + n) % C)] = 1;
  return { f, y };
}

/** (d loss / d f) N by central differences. */
function slopes(loss: Loss, f: Matrix, y: Matrix): Float64Array {
  const h = 1e-5;
  return f.data.map((x, i) => {
    const at = (value: number) => loss.value({ ...f, data: f.data.with(i, value) }, y);
    return (f.rows * (at(x + h) - at(x - h))) / (2 * h);
  });
}

describe.each([mse, crossEntropy].map((loss) => [loss.name, loss] as const))("%s", (_, loss) => {
  it("has the residual that is the slope of its value", () => {
    fc.assert(
      fc.property(cases, (sizes) => {
        const { f, y } = draw(sizes);
        const wanted = slopes(loss, f, y);
        for (const [i, r] of loss.residual(f, y).data.entries()) expect(r).toBeCloseTo(wanted[i]!, 6);
      }),
    );
  });
});

describe("cross_entropy", () => {
  it("has S S^T = diag(p) - p p^T and S r~ = r, with one column less than outputs", () => {
    fc.assert(
      fc.property(cases, (sizes) => {
        const { f, y } = draw(sizes);
        const { factor, residual } = crossEntropy.curvature!(f, y);
        const { N, C } = sizes;
        expect(factor.columns).toBe(C - 1);
        const p = softmax(f).data;
        for (let i = 0; i < N * C; i++) {
          const unit = new Float64Array(N * C);
          unit[i] = 1;
          const column = applyFactor(factor, transposeFactor(factor, unit));
          for (let j = 0; j < N * C; j++) {
            const same = Math.floor(i / C) === Math.floor(j / C);
            const wanted = same ? (i === j ? p[i]! : 0) - p[i]! * p[j]! : 0;
            expect(column[j]).toBeCloseTo(wanted, 12);
          }
        }
        const r = crossEntropy.residual(f, y).data;
        for (const [i, x] of applyFactor(factor, residual).entries()) expect(x).toBeCloseTo(r[i]!, 10);
      }),
    );
  });

  it("has Newton's step in the outputs, damped and, as the least solution, undamped", () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(0, 0.01, 1), (sizes, rho) => {
        const { f, y } = draw(sizes);
        const z = crossEntropy.newton!(f, crossEntropy.residual(f, y), rho);
        const { factor } = crossEntropy.curvature!(f, y);
        const r = crossEntropy.residual(f, y).data;
        const back = applyFactor(factor, transposeFactor(factor, z.data));
        const scale = Math.max(1, ...z.data.map(Math.abs));
        for (const [i, x] of back.entries()) expect((x + rho * z.data[i]! - r[i]!) / scale).toBeCloseTo(0, 9);
        if (rho > 0) return;
        for (let n = 0; n < f.rows; n++) {
          const row = z.data.subarray(n * f.cols, (n + 1) * f.cols);
          expect(row.reduce((sum, x) => sum + x, 0) / scale).toBeCloseTo(0, 9);
        }
      }),
    );
  });

  it("stays finite for outputs that are far apart, and does not care about a shift", () => {
    const y = matrix(1, 3, Float64Array.of(0, 1, 0));
    for (const size of [100, 1e4, 1e8]) {
      const f = matrix(1, 3, Float64Array.of(size, -size, 0));
      expect(crossEntropy.value(f, y)).toBeCloseTo(2 * size, -3);
      const { factor, residual } = crossEntropy.curvature!(f, y);
      expect(
        [
          ...factor.values,
          ...residual,
          ...crossEntropy.newton!(f, crossEntropy.residual(f, y), 0).data,
        ].every(Number.isFinite),
      ).toBe(true);
      const shifted = { ...f, data: f.data.map((x) => x + 7) };
      expect(crossEntropy.value(shifted, y)).toBeCloseTo(crossEntropy.value(f, y), 6);
    }
  });
});

describe("accuracy", () => {
  it("goes by the sign for one output and by the greatest for more; zero and NaN are wrong", () => {
    const one = (f: number[], y: number[]) =>
      accuracy(matrix(f.length, 1, Float64Array.from(f)), matrix(y.length, 1, Float64Array.from(y)));
    expect(one([1, -2, 0, Number.NaN], [0.5, -0.5, 0.5, 0.5])).toBe(0.5);
    const f = matrix(3, 2, Float64Array.of(1, 2, 3, 1, Number.NaN, 1));
    const y = matrix(3, 2, Float64Array.of(0, 1, 0, 1, 0, 1));
    expect(accuracy(f, y)).toBeCloseTo(1 / 3);
  });
});
