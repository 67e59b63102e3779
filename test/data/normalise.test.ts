/** @file Normalisation by hand-worked numbers, its invariance, and the samples it refuses. */
import { array, assert, double, integer, pre, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { normalise } from "../../src/data/normalise.ts";
import { matrix, norm, rowRange } from "../../src/linalg/matrix.ts";

describe("normalise", () => {
  it("takes the scalar mean and standard deviation of the whole split, then each sample's norm", () => {
    // mean 3, so the rows are proportional to (-2, 0) and (1, 1); the deviation cancels in the norm.
    const x = normalise(matrix(2, 2, Float64Array.of(1, 3, 4, 4)), "x");
    const half = Math.fround(Math.SQRT1_2);
    expect([...x.data]).toEqual([-1, 0, half, half]);
  });

  it("gives unit norms of float32 values, whatever the units of the input", () => {
    const entries = array(integer({ min: 0, max: 255 }), { minLength: 12, maxLength: 12 });
    assert(
      property(entries, double({ min: 0.01, max: 100, noNaN: true }), (values, unit) => {
        pre(new Set(values.slice(0, 4)).size > 1 && new Set(values.slice(4, 8)).size > 1);
        pre(new Set(values.slice(8)).size > 1);
        const x = normalise(matrix(3, 4, Uint8Array.from(values) as never), "x");
        const scaled = normalise(
          matrix(
            3,
            4,
            Float64Array.from(values, (v) => unit * v),
          ),
          "x",
        );
        for (let n = 0; n < 3; n++) expect(norm(rowRange(x, n, n + 1))).toBeCloseTo(1, 6);
        for (const [i, value] of x.data.entries()) {
          expect(Math.fround(value)).toBe(value);
          expect(Math.abs(value - scaled.data[i]!)).toBeLessThan(2e-7);
        }
      }),
    );
  });

  it("names the sample that is not finite", () => {
    const x = matrix(2, 2, Float64Array.of(1, 2, 3, NaN));
    expect(() => normalise(x, "training images")).toThrow(
      "training images: wanted finite numbers, got NaN at sample 1, entry 1",
    );
    x.data[1] = -Infinity;
    expect(() => normalise(x, "x")).toThrow("x: wanted finite numbers, got -Infinity at sample 0, entry 1");
  });

  it("refuses a split whose entries are all equal", () => {
    const x = matrix(2, 2, Float64Array.of(3, 3, 3, 3));
    expect(() => normalise(x, "x")).toThrow("x: wanted a standard deviation above 0, got 0");
  });

  it("names the sample that has no norm", () => {
    const x = matrix(3, 2, Float64Array.of(0, 4, 2, 2, 4, 0));
    expect(() => normalise(x, "test images")).toThrow(
      "test images: wanted samples with a finite norm above 0, got 0 for sample 1",
    );
  });
});
