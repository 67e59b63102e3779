/** @file Synthetic datasets against the laws they are drawn from. */
import { describe, expect, it } from "vitest";
import { crossEntropy, mse } from "../../src/loss/index.ts";
import { synthetic, type SyntheticKind, type SyntheticOptions } from "../../src/data/synthetic.ts";
import { norm, rowRange } from "../../src/linalg/matrix.ts";
import { randomState } from "../../src/random/random-state.ts";

const draw = (options: Partial<SyntheticOptions> = {}, seed = 1) =>
  synthetic(randomState(seed).normalsInto, { trainSize: 40, testSize: 20, loss: mse, ...options });

describe("synthetic", () => {
  it.each<SyntheticKind>(["blobs", "parity", "teacher"])(
    "draws %s on the unit sphere, one dataset per seed",
    (kind) => {
      const data = draw({ kind, inputs: 5 });
      expect(data.xTrain).toMatchObject({ rows: 40, cols: 5 });
      expect(data.yTest).toMatchObject({ rows: 20, cols: 1 });
      for (let n = 0; n < 40; n++) expect(norm(rowRange(data.xTrain, n, n + 1))).toBeCloseTo(1, 6);
      expect(data.xTrain.data.every((value) => Math.fround(value) === value)).toBe(true);
      expect(draw({ kind, inputs: 5 })).toEqual(data);
      expect(draw({ kind, inputs: 5 }, 2).xTrain).not.toEqual(data.xTrain);
    },
  );

  it("blobs without spread are their centres", () => {
    const { xTrain, xTest, yTrain, targetClasses } = draw({ classes: 3, spread: 0 });
    expect(targetClasses).toEqual([0, 1, 2]);
    expect([...yTrain.data.subarray(0, 9)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    expect([...rowRange(xTrain, 0, 1).data]).toEqual([...rowRange(xTrain, 3, 4).data]);
    expect([...rowRange(xTrain, 1, 2).data]).toEqual([...rowRange(xTest, 0, 1).data]);
  });

  it("parity of degree 2 is XOR of two signs", () => {
    const { xTrain, yTrain, targetClasses } = draw({ kind: "parity", inputs: 3 });
    for (let n = 0; n < xTrain.rows; n++) {
      const [a, b] = xTrain.data.subarray(3 * n) as unknown as [number, number];
      expect(yTrain.data[n]).toBe(a * b > 0 ? 0.5 : -0.5);
    }
    expect(targetClasses).toEqual([0, 1]);
    expect(draw({ kind: "parity", loss: crossEntropy }).yTrain.cols).toBe(2);
  });

  it("a teacher without noise is linear, with labels of variance 1", () => {
    const { xTrain, yTrain, targetClasses } = draw({ kind: "teacher", inputs: 2, trainSize: 2000 });
    // Any three samples of two inputs are dependent, and so are their labels.
    const [a, b, c, d, e, f] = xTrain.data as unknown as [number, number, number, number, number, number];
    const det = a * d - b * c;
    const predicted = ((e * d - f * c) / det) * yTrain.data[0]! + ((a * f - b * e) / det) * yTrain.data[1]!;
    expect(predicted).toBeCloseTo(yTrain.data[2]!, 6);
    expect(norm(yTrain) ** 2 / 2000).toBeCloseTo(1, 1);
    expect(targetClasses).toEqual([]);
  });

  it("adds noise of the given standard deviation to the teacher's labels", () => {
    const noisy = draw({ kind: "teacher", trainSize: 2000, noise: 0.5 });
    const clean = draw({ kind: "teacher", trainSize: 2000 });
    const difference = noisy.yTrain.data.map((y, i) => y - clean.yTrain.data[i]!);
    expect(Math.hypot(...difference) / Math.sqrt(2000)).toBeCloseTo(0.5, 1);
  });

  it("refuses options out of range", () => {
    expect(() => draw({ kind: "spiral" as SyntheticKind })).toThrow(
      "synthetic kind: wanted blobs, parity or teacher, got spiral",
    );
    expect(() => draw({ kind: "parity", classes: 3 })).toThrow("synthetic parity: wanted 2 classes, got 3");
    expect(() => draw({ kind: "parity", degree: 33 })).toThrow("synthetic degree: wanted 1 to 32, got 33");
    expect(() => draw({ kind: "teacher", loss: crossEntropy })).toThrow(
      "synthetic teacher: wanted a loss of any numbers, as mse, got cross_entropy",
    );
    expect(() => draw({ spread: -1 })).toThrow("synthetic spread");
    expect(() => draw({ inputs: 1 })).toThrow("synthetic inputs");
    expect(() => draw({ trainSize: 0 })).toThrow("trainSize: wanted a whole number above 0, got 0");
    expect(() => draw({ testSize: Infinity })).toThrow(
      "synthetic size: wanted a number of samples to draw, got Infinity",
    );
    expect(() => draw({ classes: 1 })).toThrow("targetClasses: wanted two or more different classes, got 0");
  });
});
