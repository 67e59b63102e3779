import { describe, expect, it } from "vitest";
import { miniBatches, permutations, samplesOf } from "../../src/random/permutation.ts";

describe("permutations", () => {
  it("are those of np.random.RandomState(seed).permutation(n), one after the other", () => {
    const seven = permutations(7, 10);
    expect([...seven()]).toEqual([8, 5, 0, 2, 1, 9, 7, 3, 6, 4]);
    expect([...seven()]).toEqual([1, 3, 2, 5, 9, 0, 4, 6, 7, 8]);
    expect(Array.from(permutations(1, 1000)()).slice(0, 8)).toEqual([507, 818, 452, 368, 242, 929, 262, 810]);
    expect([...permutations(0xffffffff, 3)()]).toEqual([1, 0, 2]);
    expect([...permutations(1, 1)()]).toEqual([0]);
  });

  it("refuse a seed that NumPy does not take", () => {
    for (const seed of [-1, 1.5, 2 ** 32, Number.NaN]) {
      expect(() => permutations(seed, 3)).toThrow(`wanted an integer seed in 0..4294967295, got ${seed}`);
    }
  });
});

describe("samplesOf", () => {
  it("are np.sort(np.random.RandomState(seed).permutation(n)[:size]), one after the other", () => {
    const draw = samplesOf(7);
    expect([...draw(10, 4)]).toEqual([0, 2, 5, 8]);
    // The second permutation of the stream: 1 3 2 5 9 0 4 6 7 8.
    expect([...draw(10, 3)]).toEqual([1, 2, 3]);
    expect([...samplesOf(3)(5, Infinity)]).toEqual([0, 1, 2, 3, 4]);
  });

  it("refuse a seed that NumPy does not take", () => {
    expect(() => samplesOf(0.5)).toThrow("wanted an integer seed in 0..4294967295, got 0.5");
  });
});

describe("miniBatches", () => {
  it("show every sample once per epoch, in another order every time", () => {
    const next = miniBatches(3, 10, 4);
    const epochs = [0, 1].map(() => [next(), next(), next()]);
    for (const epoch of epochs) {
      expect(epoch.map(({ length }) => length)).toEqual([4, 4, 2]);
      expect(epoch.flatMap((batch) => [...batch]).toSorted((a, b) => a - b)).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
      ]);
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
  });
});
