import fc from "fast-check";
import { expect, test } from "vitest";
import { placeLabels, type Label } from "../../../bench/peers/labels.ts";

const frame = { left: 0, right: 400, top: 0, bottom: 300 };
const WIDTH = 80;
const leftOf = ({ x, anchor }: Label) => x - { start: 0, middle: WIDTH / 2, end: WIDTH }[anchor];
const meet = (a: Label, b: Label) => Math.abs(a.y - b.y) < 12 && Math.abs(leftOf(a) - leftOf(b)) < WIDTH;
const place = (lines: { x: number; y: number }[][]) =>
  placeLabels(
    lines,
    lines.map(() => WIDTH),
    frame,
  );

test("a line alone is named to the right of its end", () => {
  const [label] = place([
    [
      { x: 10, y: 200 },
      { x: 200, y: 100 },
    ],
  ]);
  expect(label).toMatchObject({ y: 100, anchor: "start" });
  expect(label!.x).toBeGreaterThan(200);
});

test("names of lines that end together stand one below the other, in their order", () => {
  const labels = place(
    [110, 100, 105].map((y) => [
      { x: 10, y: 200 },
      { x: 200, y },
    ]),
  );
  const byHeight = [...labels.keys()].toSorted((i, j) => labels[i]!.y - labels[j]!.y);
  expect(byHeight).toEqual([1, 2, 0]);
  expect(new Set(labels.map(({ x }) => x)).size).toBe(1);
});

test("a name keeps clear of a line that goes on", () => {
  const [, label] = place([
    [
      { x: 10, y: 150 },
      { x: 300, y: 150 },
    ],
    [
      { x: 10, y: 155 },
      { x: 150, y: 152 },
    ],
  ]);
  expect(Math.abs(label!.y - 150)).toBeGreaterThanOrEqual(6);
});

test("names do not cover one another", () => {
  const line = fc.tuple(fc.constantFrom(100, 200, 300), fc.integer({ min: 60, max: 240 }));
  fc.assert(
    fc.property(fc.array(line, { minLength: 2, maxLength: 4 }), (ends) => {
      const labels = place(
        ends.map(([x, y]) => [
          { x: 10, y: 250 },
          { x, y },
        ]),
      );
      for (const [i, a] of labels.entries()) {
        for (const b of labels.slice(i + 1)) expect(meet(a, b)).toBe(false);
      }
    }),
  );
});
