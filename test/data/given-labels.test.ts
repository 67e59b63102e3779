/** @file Labels that somebody else wrote: every layout is the same labels, and what has none is refused in one line. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import type { ClassGroup } from "../../src/data/classes.ts";
import { labelReader, regressionHint } from "../../src/data/given-labels.ts";
import { encodeLabels } from "../../src/data/labels.ts";
import { InputError } from "../../src/error.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";

const column = (...labels: number[]): Matrix => matrix(labels.length, 1, Float64Array.from(labels));

/** Labels [N, C], a row each. */
const rows = (...all: number[][]): Matrix =>
  matrix(all.length, all[0]!.length, Float64Array.from(all.flat()));

/** Training labels as they are read; the test labels are the same, or others. */
const read = (y: Matrix, classes: readonly ClassGroup[], loss: Loss, test = y): Matrix => {
  const splits = [
    { y, what: "train" },
    { y: test, what: "test" },
  ];
  return labelReader(splits, classes, loss)(y, "train");
};

/** Two to six classes of a source, and for each of some samples the index of its class, each class once at least. */
const problem = fc.uniqueArray(fc.nat(20), { minLength: 2, maxLength: 6 }).chain((classes) =>
  fc.tuple(
    fc.constant(classes),
    fc
      .array(fc.nat(classes.length - 1), { maxLength: 8 })
      .map((more) => [...classes.keys(), ...more].toReversed()),
  ),
);

describe("labelReader", () => {
  it("takes class numbers, indices and columns for the same labels, for both losses", () => {
    fc.assert(
      fc.property(problem, fc.constantFrom(mse, crossEntropy), ([classes, indices], loss) => {
        const numbers = indices.map((c) => classes[c]!);
        const wanted = encodeLabels(numbers, classes, loss);
        const columns = rows(...indices.map((c) => classes.map((_, k) => Number(k === c))));
        expect(read(columns, classes, loss)).toEqual(columns);
        // The same numbers are an ordering of 0 to C - 1: they may be both.
        const both = classes.every((k) => k < classes.length) && classes.some((k, c) => k !== c);
        if (both) {
          expect(() => read(column(...numbers), classes, loss)).toThrow("which may be both");
          expect(() => read(column(...indices), classes, loss)).toThrow("which may be both");
        } else {
          expect(read(column(...numbers), classes, loss)).toEqual(wanted);
          expect(read(column(...indices), classes, loss)).toEqual(wanted);
        }
      }),
    );
  });

  it("gives two classes of integer labels the signs, or the columns, of the loss", () => {
    expect(read(column(0, 1, 1), [0, 1], mse)).toEqual(column(0.5, -0.5, -0.5));
    expect(read(column(0, 1, 1), [3, 8], mse)).toEqual(column(0.5, -0.5, -0.5));
    expect(read(column(3, 8, 8), [3, 8], mse)).toEqual(column(0.5, -0.5, -0.5));
    expect(read(column(8, 3), [3, 8], crossEntropy)).toEqual(rows([0, 1], [1, 0]));
  });

  it("takes numbers of classes in a group, and indices of groups", () => {
    const oddOrNot = [
      [0, 2, 4],
      [1, 3, 5],
    ] as const;
    expect(read(column(4, 5, 2), oddOrNot, mse)).toEqual(column(0.5, -0.5, 0.5));
    // Class 0 is in group 0 and class 1 in group 1.
    expect(read(column(0, 1), oddOrNot, mse)).toEqual(column(0.5, -0.5));
    expect(() => read(column(0, 1), [[0, 1], 2], mse)).toThrow("which may be both");
    expect(read(column(0, 2, 1), [[0, 1], 2], mse)).toEqual(column(0.5, -0.5, 0.5));
  });

  it("leaves signs, whatever their size, and makes columns of them for cross-entropy", () => {
    for (const y of [column(0.5, -0.5), column(1, -1), column(-3), column(0.5, 0.5), column(0.6, -0.4)]) {
      expect(read(y, [0, 1], mse)).toBe(y);
    }
    expect(read(column(-1, 1), [3, 8], crossEntropy)).toEqual(rows([0, 1], [1, 0]));
    // +1 alone in one split is a sign when the other split has -1.
    const positive = column(1, 1);
    expect(read(positive, [0, 1], mse, column(-1, 1))).toBe(positive);
    expect(read(positive, [0, 1], mse, column(0, 1))).toEqual(column(-0.5, -0.5));
  });

  it("leaves columns that accuracy can read, and probabilities", () => {
    for (const y of [rows([1, 0, 0]), rows([0.9, -0.1, -0.1]), rows([-1, -1, 1]), rows([0.4, 0.4, 0.2])]) {
      expect(read(y, [4, 5, 6], mse)).toBe(y);
    }
    const soft = rows([0.5, 0.5], [0.1, 0.9]);
    expect(read(soft, [0, 1], crossEntropy)).toBe(soft);
  });

  it("leaves targets of a regression", () => {
    for (const y of [column(0, 1), column(0.3, -7), rows([0, 0], [1, 1])]) {
      expect(read(y, [], mse)).toBe(y);
    }
    expect(read(column(2, -2), [], crossEntropy)).toEqual(rows([1, 0], [0, 1]));
  });

  const two =
    "class numbers (3, 8), indices (0 to 1), signs (one number > 0 for the first class, one < 0 for the second) or a column for each class with one greatest number in a row (a regression names no classes)";
  const three =
    "class numbers (2, 4, 6), indices (0 to 2) or a column for each class with one greatest number in a row (a regression names no classes)";
  it.each<[string, Matrix, readonly ClassGroup[], string]>([
    ["another class", column(3, 5), [3, 8], `train: wanted ${two}, got 5 for sample 1`],
    ["an index that there is not", column(0, 1, 2), [3, 8], `train: wanted ${two}, got 2 for sample 2`],
    [
      "numbers beside indices",
      column(3, 0),
      [3, 8],
      `train: wanted ${two}, got 0 for sample 1 beside 3 for sample 0`,
    ],
    ["a zero among signs", column(-1, 0), [3, 8], `train: wanted ${two}, got 0 for sample 1`],
    [
      "probabilities of a class",
      column(0.2, 0.7),
      [3, 8],
      `train: wanted ${two}, got 0.2 for sample 0 and 0.7 for sample 1`,
    ],
    [
      "many numbers below 0",
      column(-1, 1, -2),
      [3, 8],
      `train: wanted ${two}, got -1 for sample 0 and -2 for sample 2`,
    ],
    ["half a class", column(0, 0.5), [2, 4, 6], `train: wanted ${three}, got 0.5 for sample 1`],
    ["signs of three classes", column(1, -1), [2, 4, 6], `train: wanted ${three}, got -1 for sample 1`],
    [
      "two classes in a row",
      rows([0, 1, 0], [1, 1, 0]),
      [2, 4, 6],
      `train: wanted ${three}, got 1 more than once for sample 1`,
    ],
    [
      "no class in a row",
      rows([0, 0, 0]),
      [2, 4, 6],
      `train: wanted ${three}, got 0 more than once for sample 0`,
    ],
    [
      "what may be both",
      column(0, 1),
      [1, 0],
      "train: wanted labels that are either class numbers or indices of classes 1, 0, got 0, 1, which may be both; give a column for each class",
    ],
  ])("refuses %s, and says what there is", (_, y, classes, message) => {
    expect(() => read(y, classes, mse)).toThrow(new InputError(message));
    expect(() => read(y, classes, crossEntropy)).toThrow(/^train: wanted [^\n]+, got [^\n]+$/);
    expect(message).not.toContain("\n");
  });

  it("names the split that is wrong, and many classes by some of them", () => {
    expect(() => read(column(0, 1), [0, 1], mse, column(0, 2))).toThrow(/^test: .*, got 2 for sample 1$/);
    const classes = Array.from({ length: 100 }, (_, k) => k);
    expect(() => read(column(100), classes, mse)).toThrow(
      "class numbers (0, 1, 2, ..., 99), indices (0 to 99) or",
    );
    expect(() => read(column(1, 2), [], crossEntropy)).toThrow(
      "train: wanted signs (one number > 0 for the first class, one < 0 for the second), got 1 for sample 0 and 2",
    );
  });
});

describe("regressionHint", () => {
  const hint = (y: Matrix, classes: readonly ClassGroup[] = []) =>
    regressionHint([{ y, what: "y" }], classes);

  it("is for class indices without classes alone", () => {
    expect(hint(column(1, 0, 2))).toMatch(/^labels 0 to 2 without classes are targets of a regression; /);
    for (const y of [column(0, 0), column(1, 2), column(0, 1, 0.5), column(1, -1), rows([0, 1])]) {
      expect(hint(y)).toBeUndefined();
    }
    expect(hint(column(0, 1), [0, 1])).toBeUndefined();
  });
});
