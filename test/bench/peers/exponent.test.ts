import fc from "fast-check";
import { expect, test } from "vitest";
import { fitExponent } from "../../../bench/peers/exponent.ts";

const law = (scale: number, exponent: number, sizes: readonly number[]) =>
  sizes.map((size) => ({ size, cost: scale * size ** exponent }));

test("fitExponent recovers the exponent of a power law, whatever its scale and sizes", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      fc.double({ min: -3, max: 3, noNaN: true }),
      fc.uniqueArray(fc.integer({ min: 1, max: 5000 }), { minLength: 2, maxLength: 6 }),
      (scale, exponent, sizes) => {
        expect(fitExponent(law(scale, exponent, sizes))).toBeCloseTo(exponent, 6);
      },
    ),
  );
});

test("fitExponent lies between the exponents of a sum of two powers", () => {
  const points = [50, 100, 200, 400].map((size) => ({ size, cost: 100 * size + size ** 2 }));
  const fitted = fitExponent(points)!;
  expect(fitted).toBeGreaterThan(1);
  expect(fitted).toBeLessThan(2);
});

test("fitExponent of fewer than two sizes is undefined", () => {
  expect(fitExponent([])).toBeUndefined();
  expect(fitExponent(law(1, 2, [100]))).toBeUndefined();
  expect(fitExponent(law(1, 2, [100, 100]))).toBeUndefined();
});
