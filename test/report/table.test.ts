import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatG, tableHeader, tableRow } from "../../src/report/table.ts";

describe("formatG", () => {
  // What printf("%g") of glibc prints.
  it.each([
    [0, "0"],
    [-0, "-0"],
    [1, "1"],
    [-1, "-1"],
    [0.5, "0.5"],
    [0.44, "0.44"],
    [0.1, "0.1"],
    [1e-5, "1e-05"],
    [-1e-5, "-1e-05"],
    [0.0001, "0.0001"],
    [0.00001234567, "1.23457e-05"],
    [0.000123456789, "0.000123457"],
    [0.00009999995, "0.0001"],
    [0.0000999999, "9.99999e-05"],
    [0.000099999951, "0.0001"],
    [123456, "123456"],
    [123456.7, "123457"],
    [999999.4, "999999"],
    [999999.5, "1e+06"],
    [1e6, "1e+06"],
    [1234567, "1.23457e+06"],
    [9.999995, "10"],
    [9.9999949, "9.99999"],
    [9.99999, "9.99999"],
    [100000, "100000"],
    [0.132521, "0.132521"],
    [0.1325215, "0.132521"],
    // Ties go to the even digit.
    [45 / 128, "0.351562"],
    [15 / 128, "0.117188"],
    [100000.5, "100000"],
    [100001.5, "100002"],
    [-45 / 128, "-0.351562"],
    [1 / 512, "0.00195312"],
    [2.5e-7, "2.5e-07"],
    [4.42502e-32, "4.42502e-32"],
    [1e-100, "1e-100"],
    [1.7976931348623157e308, "1.79769e+308"],
    [5e-324, "4.94066e-324"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [NaN, "nan"],
  ])("prints %f as %s", (x, text) => {
    expect(formatG(x)).toBe(text);
  });

  it("keeps six significant digits of any number", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Math.abs(Number(formatG(x)) - x)).toBeLessThanOrEqual(
          5.0001e-6 * Math.abs(x) + Number.MIN_VALUE,
        );
      }),
    );
  });

  it("has at most six significant digits, none of them a trailing zero, and an exponent of two digits or more", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const text = formatG(x);
        expect(text).toMatch(/^-?(0|[1-9]\d{0,5}|\d+\.\d*[1-9]|[1-9](\.\d*[1-9])?e[+-]\d{2,3})$/);
        const digits = text
          .replace(/e.*/, "")
          .replace(/^-?0?\.?0*/, "")
          .replace(".", "");
        expect(digits.length).toBeLessThanOrEqual(6);
      }),
    );
  });

  it("chooses the exponent as %g does: below 1e-4 and from 1e6 on", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) => {
        const rounded = Number(x.toPrecision(6));
        expect(formatG(x).includes("e")).toBe(rounded < 1e-4 || rounded >= 1e6);
      }),
    );
  });
});

describe("table", () => {
  const metrics = { train_accuracy: 0.44, train_loss: 0.132521, test_accuracy: 0.38, test_loss: 0.128394 };

  it("has the header of the paper's programs, in columns of at least 11", () => {
    expect(tableHeader()).toBe(
      "step         train_accuracy  predict      train_loss   predict      test_accuracy  predict      test_loss    predict",
    );
    expect(tableHeader().split(/\s+/)).toEqual(
      "step train_accuracy predict train_loss predict test_accuracy predict test_loss predict".split(" "),
    );
  });

  it("sets every value below the start of its name", () => {
    const row = tableRow({
      event: "step",
      step: 12,
      ...metrics,
      predict: { ...metrics, test_loss: 4.42502e-32 },
    });
    const starts = (line: string) => [...line.matchAll(/\S+/g)].map(({ index }) => index);
    expect(starts(row)).toEqual(starts(tableHeader()));
    expect(row.split(/\s+/)).toEqual([
      "12",
      "0.44",
      "0.44",
      "0.132521",
      "0.132521",
      "0.38",
      "0.38",
      "0.128394",
      "4.42502e-32",
    ]);
  });

  it("has no columns of predictions where nothing predicts", () => {
    const header = tableHeader({ predictions: 0 });
    expect(header).toBe("step         train_accuracy  train_loss   test_accuracy  test_loss");
    const row = tableRow({ event: "step", step: 1, ...metrics });
    expect(row).toBe("1            0.44            0.132521     0.38           0.128394");
  });

  it("keeps columns apart when a number is as wide as they get", () => {
    const wide = {
      train_accuracy: 0.123456,
      train_loss: 1.23457e-300,
      test_accuracy: 1,
      test_loss: 1.23457e-300,
    };
    const row = tableRow({ event: "step", step: 0, ...wide, predict: wide });
    expect(row.split(/\s+/)).toHaveLength(9);
  });
});
