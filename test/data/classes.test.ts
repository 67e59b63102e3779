/** @file Which samples a choice of classes takes, and what it says when there are too few. */
import { describe, expect, it } from "vitest";
import type { Draw } from "../../src/random/permutation.ts";
import { classesFault, className, selectClasses, type ClassGroup } from "../../src/data/classes.ts";

const labels = [5, 0, 4, 1, 9, 0, 1, 1];
const select = (targetClasses: ClassGroup[], size: number) =>
  selectClasses(labels, { targetClasses, size, sizeName: "trainSize", what: "training images" });

describe("selectClasses", () => {
  it("takes the first samples of the classes in the order of the source", () => {
    expect([...select([0, 1], 4)]).toEqual([1, 3, 5, 6]);
    expect([...select([1, 0], 4)]).toEqual([1, 3, 5, 6]);
  });

  it("takes every sample of a class when asked for that many", () => {
    expect([...select([1, 9], 4)]).toEqual([3, 4, 6, 7]);
  });

  it("takes the samples of any class in a group", () => {
    expect([...select([[0, 4], 1], 4)]).toEqual([1, 2, 3, 5]);
    expect(() => select([[0, 4], [1]], 7)).toThrow(
      "trainSize: wanted at most 6 (training images of classes 0+4, 1), got 7",
    );
    expect(() => select([[0, 7], [1]], 2)).toThrow(
      "targetClasses: wanted classes among 0, 1, 4, 5, 9 (training images), got 7",
    );
  });

  it("takes every sample of the classes for an infinite size", () => {
    expect([...select([[0, 9], 1], Infinity)]).toEqual([1, 3, 4, 5, 6, 7]);
  });

  it("takes those that are drawn of the classes' samples, in the order of the source", () => {
    const asked: [number, number][] = [];
    const last: Draw = (n, size) => {
      asked.push([n, size]);
      return Uint32Array.from({ length: size }, (_, i) => n - size + i);
    };
    const chosen = selectClasses(labels, {
      targetClasses: [0, 1],
      size: 2,
      sizeName: "trainSize",
      what: "training images",
      draw: last,
    });
    expect([...chosen]).toEqual([6, 7]);
    expect(asked).toEqual([[5, 2]]);
  });

  it("says how many there are when too many are wanted", () => {
    expect(() => select([0, 1], 6)).toThrow(
      "trainSize: wanted at most 5 (training images of classes 0, 1), got 6",
    );
  });

  it("names a class that does not occur", () => {
    expect(() => select([0, 7], 2)).toThrow(
      "targetClasses: wanted classes among 0, 1, 4, 5, 9 (training images), got 7",
    );
  });
});

describe("classesFault", () => {
  it.each<[readonly ClassGroup[], string | undefined]>([
    [[3, 8], undefined],
    [[[0, 2], 1, [3]], undefined],
    [[], "wanted two or more different classes, got none"],
    [[3], "wanted two or more different classes, got 3"],
    [[[0, 1]], "wanted two or more different classes, got 0+1"],
    [[3, 3], "wanted two or more different classes, got 3,3"],
    [[[0, 3], 3], "wanted every class once, got 3 twice in 0+3,3"],
    [[[0, 0], 1], "wanted every class once, got 0 twice in 0+0,1"],
    [[[], 1], "wanted one class or more in every group, got [],1"],
  ])("of %j is %s", (groups, fault) => {
    expect(classesFault(groups)).toBe(fault);
  });
});

describe("className", () => {
  it("is what the command line takes", () => {
    expect([3, [4], [0, 2, 4]].map(className)).toEqual(["3", "4", "0+2+4"]);
  });
});
