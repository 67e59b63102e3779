/** @file Which samples a choice of classes takes, and what it says when there are too few. */
import { describe, expect, it } from "vitest";
import { selectClasses } from "../../src/data/classes.ts";

const labels = [5, 0, 4, 1, 9, 0, 1, 1];
const select = (targetClasses: number[], size: number) =>
  selectClasses(labels, { targetClasses, size, flag: "train_size", what: "training images" });

describe("selectClasses", () => {
  it("takes the first samples of the classes in the order of the source", () => {
    expect([...select([0, 1], 4)]).toEqual([1, 3, 5, 6]);
    expect([...select([1, 0], 4)]).toEqual([1, 3, 5, 6]);
  });

  it("takes every sample of a class when asked for that many", () => {
    expect([...select([1, 9], 4)]).toEqual([3, 4, 6, 7]);
  });

  it("says how many there are when too many are wanted", () => {
    expect(() => select([0, 1], 6)).toThrow(
      "train_size: wanted at most 5 (training images of classes 0, 1), got 6",
    );
  });

  it("names a class that does not occur", () => {
    expect(() => select([0, 7], 2)).toThrow(
      "target_classes: wanted classes among 0, 1, 4, 5, 9 (training images), got 7",
    );
  });
});
