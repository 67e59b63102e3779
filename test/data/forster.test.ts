/** @file The Forster transform: isotropy of the training samples, and the same map for all others. */
import { describe, expect, it } from "vitest";
import { mse } from "../../src/loss/index.ts";
import { applyForster, fitForster, forsterTransform } from "../../src/data/forster.ts";
import { synthetic } from "../../src/data/synthetic.ts";
import {
  identity,
  type Matrix,
  multiply,
  norm,
  rowRange,
  scale,
  subtract,
  transpose,
} from "../../src/linalg/matrix.ts";
import { randomState } from "../../src/random/random-state.ts";

const draw = (trainSize: number, inputs: number) =>
  synthetic(randomState(3).normalsInto, { trainSize, testSize: 10, loss: mse, inputs, spread: 0.5 });

/** ‖K − I‖_F / √n */
const distance = (k: Matrix) => norm(subtract(k, identity(k.rows))) / Math.sqrt(k.rows);

const expectUnitRows = (x: Matrix) => {
  for (let n = 0; n < x.rows; n++) expect(norm(rowRange(x, n, n + 1))).toBeCloseTo(1, 6);
};

describe("forsterTransform", () => {
  it("makes the Gram of at most M samples the identity", async () => {
    for (const [n, m] of [
      [12, 30],
      [20, 20],
    ] as const) {
      const { xTrain, xTest } = await forsterTransform(draw(n, m));
      expect(distance(multiply(xTrain, transpose(xTrain)))).toBeLessThan(1e-6);
      expectUnitRows(xTrain);
      expectUnitRows(xTest);
    }
  });

  it("makes the second moment of more than M samples N/M times the identity, to the tolerance", async () => {
    for (const tolerance of [1e-2, 1e-3, 1e-5]) {
      const { xTrain, xTest } = await forsterTransform(draw(60, 8), { tolerance });
      const moment = scale(multiply(transpose(xTrain), xTrain), 8 / 60);
      expect(distance(moment)).toBeLessThan(tolerance * 1.001);
      expectUnitRows(xTrain);
      expectUnitRows(xTest);
    }
  });

  it("moves every sample by one linear map", async () => {
    const data = draw(12, 30);
    const map = await fitForster(data.xTrain);
    const a = multiply(multiply(map.basis, map.core), transpose(map.basis));
    const { xTest } = await forsterTransform(data);
    for (let n = 0; n < xTest.rows; n++) {
      const moved = multiply(rowRange(data.xTest, n, n + 1), transpose(a));
      expect(norm(subtract(scale(moved, 1 / norm(moved)), rowRange(xTest, n, n + 1)))).toBeLessThan(1e-6);
    }
    expect(norm(subtract(a, transpose(a)))).toBeLessThan(1e-12);
  });

  it("gives the same to a training sample that comes back as a test sample, in any scale", async () => {
    const { xTrain } = draw(12, 30);
    const map = await fitForster(xTrain);
    const [once, again] = [
      await applyForster(map, xTrain, "x"),
      await applyForster(map, scale(xTrain, 7), "x"),
    ];
    expect(norm(subtract(once, again))).toBeLessThan(1e-6);
  });

  it("leaves samples alone that are isotropic already", async () => {
    const { xTrain } = await forsterTransform(draw(12, 30));
    const map = await fitForster(xTrain);
    expect(map.iterations).toBe(0);
    expect(norm(subtract(await applyForster(map, xTrain, "x"), xTrain))).toBeLessThan(1e-6);
  });

  it("reports dependent samples with their rank", async () => {
    const { xTrain } = draw(12, 30);
    xTrain.data.copyWithin(0, 30, 60);
    await expect(fitForster(xTrain)).rejects.toThrow(
      "forsterTransform: wanted 12 linearly independent training samples, got rank 11",
    );
  });

  it("names a sample that stands alone in a direction, for which no transform exists", async () => {
    const { xTrain } = draw(60, 8);
    for (let n = 0; n < 60; n++) xTrain.data[8 * n + 7] = n === 41 ? 1 : 0;
    await expect(fitForster(xTrain)).rejects.toThrow(
      /^forsterTransform: wanted .* got one that only sample 41 has/,
    );
  });

  it("reports the deviation when it runs out of iterations", async () => {
    await expect(fitForster(draw(60, 8).xTrain, { iterations: 1, tolerance: 1e-9 })).rejects.toThrow(
      /^forsterTransform: wanted a deviation from isotropy of at most 1e-9 within 1 iterations, got [\d.e-]+ \(raise/,
    );
  });

  it("works within the span of samples that do not fill the space", async () => {
    const { xTrain } = draw(60, 8);
    for (let n = 0; n < 60; n++) xTrain.data[8 * n + 7] = 0;
    const map = await fitForster(xTrain, { tolerance: 1e-6 });
    expect(map.basis.cols).toBe(7);
    const x = await applyForster(map, xTrain, "x");
    expect(Math.abs(norm(multiply(transpose(x), x)) - 60 / Math.sqrt(7))).toBeLessThan(1e-4);
  });

  it("names a sample that is orthogonal to the training samples", async () => {
    const { xTrain, xTest } = draw(3, 8);
    for (const x of [xTrain, xTest]) for (let n = 0; n < x.rows; n++) x.data[8 * n] = 0;
    xTest.data.fill(0, 16, 24).fill(1, 16, 17);
    await expect(applyForster(await fitForster(xTrain), xTest, "test samples")).rejects.toThrow(
      "test samples: wanted samples with a finite norm above 0, got 0 for sample 2",
    );
  });
});
