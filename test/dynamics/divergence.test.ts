import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { watchDivergence } from "../../src/dynamics/divergence.ts";
import { crossEntropy, mse } from "../../src/loss/index.ts";
import { matrix } from "../../src/linalg/matrix.ts";

/** Four samples with |y|^2 = 1/4: zero outputs have a squared error of 1/8. */
const signs = matrix(4, 1, Float64Array.of(0.5, -0.5, 0.5, -0.5));
const oneHot = matrix(2, 3, Float64Array.of(1, 0, 0, 0, 0, 1));

/** The step from which losses count as diverged. */
const sinceOf = (losses: readonly number[], loss = mse, y = signs): number | undefined => {
  const watch = watchDivergence(loss, y);
  for (const [step, value] of losses.entries()) watch.note(step, value);
  return watch.since();
};

describe("a run", () => {
  it("has diverged from the first step from which its loss stays above ten times the start or that of zero outputs", () => {
    expect(sinceOf([0.13, 1.3, 5527])).toBe(2);
    expect(sinceOf([0.13, 1.31, 5527])).toBe(1);
    expect(sinceOf([2, 20, 19])).toBeUndefined();
    expect(sinceOf([2, 20, 21])).toBe(2);
  });

  it("has not when it came back", () => {
    expect(sinceOf([0.13, 1e50, 1.2])).toBeUndefined();
    expect(sinceOf([0.13, 1e50, 1.2, 1e50, 1e51])).toBe(3);
  });

  it("has not when it began near perfection and ends no worse than without learning", () => {
    expect(sinceOf([1e-9, 1e-3, 1.2])).toBeUndefined();
    expect(sinceOf([1e-9, 1e-3, 1.3])).toBe(2);
  });

  it("has when its loss is no number", () => {
    expect(sinceOf([0.13, Number.NaN])).toBe(1);
    expect(sinceOf([0.13, 1e50, Infinity, Number.NaN])).toBe(1);
  });

  it("asks the loss what zero outputs cost", () => {
    const limit = (loss: typeof mse, y = oneHot): number => {
      const watch = watchDivergence(loss, y);
      watch.note(0, 0);
      return watch.limit();
    };
    expect(limit(mse, signs)).toBeCloseTo(10 / 8, 12);
    expect(limit(crossEntropy)).toBeCloseTo(10 * Math.log(3), 12);
  });

  it("is judged by its end alone: since is unset exactly where the last loss is within the limit", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1 }), (losses) => {
        const limit = 10 * Math.max(losses[0]!, 1 / 8);
        const since = sinceOf(losses);
        expect(since === undefined).toBe(losses.at(-1)! <= limit);
        if (since !== undefined) {
          expect(losses.slice(since).every((value) => value > limit)).toBe(true);
          expect(losses[since - 1]! <= limit).toBe(true);
        }
      }),
    );
  });
});
