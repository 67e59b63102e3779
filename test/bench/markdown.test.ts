import { expect, test } from "vitest";
import { mb, ms, s, table, times, verdict } from "../../bench/markdown.ts";

test("table pads its columns and aligns all but the first to the right", () => {
  const text = table(
    ["part", "ms"],
    [
      ["loop", "1234.5"],
      ["a", "1"],
    ],
  );
  expect(text.split("\n")).toEqual([
    "| part |     ms |",
    "| ---- | -----: |",
    "| loop | 1234.5 |",
    "| a    |      1 |",
  ]);
});

test("table fills rows that are short", () => {
  expect(
    table(["a", "b"], [["x"]])
      .split("\n")
      .at(-1),
  ).toBe("| x   |     |");
});

test("figures carry few digits", () => {
  expect([ms(0.01234), s(1.236), mb(449.6e6), times(1.234)]).toEqual(["12.3", "1.24", "450", "1.23x"]);
});

test("a figure on its target meets it", () => {
  expect([verdict(1.3, 1.3), verdict(1.31, 1.3)]).toEqual(["met", "missed"]);
});
