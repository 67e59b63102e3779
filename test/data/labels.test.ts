/** @file Labels for both losses. */
import { describe, expect, it } from "vitest";
import { adaptLabels, encodeLabels } from "../../src/data/labels.ts";
import { crossEntropy, mse } from "../../src/loss/index.ts";
import { matrix } from "../../src/linalg/matrix.ts";

describe("encodeLabels", () => {
  it("gives two classes one output of +1/2 and -1/2 for the squared error, in the order of the classes", () => {
    expect(encodeLabels([0, 1, 1], [0, 1], mse)).toEqual(matrix(3, 1, Float64Array.of(0.5, -0.5, -0.5)));
    expect(encodeLabels([3, 8], [8, 3], mse).data).toEqual(Float64Array.of(-0.5, 0.5));
  });

  it("gives two classes two outputs for cross-entropy", () => {
    expect(encodeLabels([7, 2], [2, 7], crossEntropy)).toEqual(matrix(2, 2, Float64Array.of(0, 1, 1, 0)));
  });

  it("is one-hot for more classes, whatever the loss", () => {
    const wanted = matrix(2, 3, Float64Array.of(0, 0, 1, 0, 1, 0));
    expect(encodeLabels([9, 4], [1, 4, 9], mse)).toEqual(wanted);
    expect(encodeLabels([9, 4], [1, 4, 9], crossEntropy)).toEqual(wanted);
  });

  it("gives every class of a group the output of the group", () => {
    const signs = encodeLabels([4, 1, 0], [[0, 4], 1], mse);
    expect(signs).toEqual(matrix(3, 1, Float64Array.of(0.5, -0.5, 0.5)));
    const oneHot = encodeLabels([9, 4, 2], [1, [4, 9], 2], mse);
    expect(oneHot).toEqual(matrix(3, 3, Float64Array.of(0, 1, 0, 0, 1, 0, 0, 0, 1)));
    expect(() => encodeLabels([3], [[0, 2], 1], mse)).toThrow("labels: wanted one of 0+2, 1, got 3");
  });

  it("refuses a label outside the classes", () => {
    expect(() => encodeLabels([3], [0, 1], mse)).toThrow("labels: wanted one of 0, 1, got 3");
  });
});

describe("adaptLabels", () => {
  it("leaves labels alone for the squared error", () => {
    const y = matrix(1, 1, Float64Array.of(0.25));
    expect(adaptLabels(y, mse, "x")).toBe(y);
  });

  it("turns signs into two one-hot columns for cross-entropy", () => {
    const y = matrix(2, 1, Float64Array.of(0.5, -0.5));
    expect(adaptLabels(y, crossEntropy, "x")).toEqual(matrix(2, 2, Float64Array.of(1, 0, 0, 1)));
  });

  it("refuses what is no probability for cross-entropy", () => {
    expect(() => adaptLabels(matrix(1, 2, Float64Array.of(0.5, 0.2)), crossEntropy, "x")).toThrow(
      "x: wanted probabilities that sum to 1 for cross_entropy, got sample 0 with sum 0.7",
    );
    expect(() => adaptLabels(matrix(1, 2, Float64Array.of(1.5, -0.5)), crossEntropy, "x")).toThrow(
      "sample 0",
    );
    expect(() => adaptLabels(matrix(1, 1, Float64Array.of(0)), crossEntropy, "x")).toThrow("wanted a sign");
  });
});
