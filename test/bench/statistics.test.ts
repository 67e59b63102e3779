import { expect, test } from "vitest";
import { columns, median, spread } from "../../bench/statistics.ts";

test("median of an odd number of values is the middle one, of an even number the mean of the middle two", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
});

test("median leaves its argument as it was", () => {
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
});

test("median refuses an empty list", () => {
  expect(() => median([])).toThrow("median: wanted at least one number, got none");
});

test("spread gives least, median and greatest", () => {
  expect(spread([5, 1, 3])).toEqual({ min: 1, median: 3, max: 5 });
});

test("columns turns records into arrays", () => {
  expect(
    columns([
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ]),
  ).toEqual({ a: [1, 3], b: [2, 4] });
});
