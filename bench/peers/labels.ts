/**
 * @file Where the name of a line goes: beside its last point, where it covers least of what is drawn.
 */

import { spread } from "../../scripts/figures/sheet.ts";

/** A place in pixels. */
export type Spot = { readonly x: number; readonly y: number };

/** A name at the end of a line, whose middle is at `y` and which begins, or ends, at `x`. */
export type Label = Spot & { readonly anchor: "start" | "middle" | "end" };

/** A rectangle in pixels. */
export type Box = {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
};

/** Half the height of a line of text, and of a point. */
const HALF = 6;
const POINT = 4;

/** Pixels from one label to the next below it, and from a point to its label. */
const PITCH = 13;
const ASIDE = 9;

/** Where a label may stand from the point that it names, in the order of preference, if not to the right of it. */
const CANDIDATES: readonly (readonly [dx: number, dy: number, anchor: Label["anchor"]])[] = [
  ...[-8, 8, -14, 14].map((dy) => [ASIDE, dy, "start"] as const),
  [0, -14, "middle"],
  [2, -14, "end"],
  [0, 15, "middle"],
  [4, -26, "end"],
  [4, 28, "start"],
  [4, 40, "start"],
];

/**
 * Labels of so many pixels for lines that end at their last point.
 * @param lines the points of every line; all of them are kept clear of
 * @param widths of the labels, in the order of the lines
 * @param frame no label leaves it
 * @param occupied what else labels keep clear of
 */
export function placeLabels(
  lines: readonly (readonly Spot[])[],
  widths: readonly number[],
  frame: Box,
  occupied: readonly Box[] = [],
): Label[] {
  const ends = lines.map((line) => line.at(-1)!);
  const beside = besides(ends);
  const points = lines.flat();
  const placesOf = (i: number): Label[] => [
    { x: ends[i]!.x + ASIDE, y: beside[i]!, anchor: "start" },
    ...CANDIDATES.map(([dx, dy, anchor]) => ({ x: ends[i]!.x + dx, y: ends[i]!.y + dy, anchor })),
  ];

  // One after the other each takes the best place that is left; of some orders the one that costs least.
  const inOrder = (order: readonly number[]): { labels: Label[]; cost: number } => {
    const taken = [...occupied];
    const labels: Label[] = [];
    let total = 0;
    for (const i of order) {
      const choices = placesOf(i).map((label, rank) => {
        const box = boxOf(label, widths[i]!);
        const cost =
          200 * outside(box, frame) +
          50 * taken.filter((other) => meets(box, other)).length +
          20 * points.filter(({ x, y }) => meets(box, around(x, y))).length +
          10 * lines.filter((line) => crosses(line, box)).length +
          rank;
        return { label, box, cost };
      });
      const best = choices.reduce((a, b) => (b.cost < a.cost ? b : a));
      taken.push(best.box);
      labels[i] = best.label;
      total += best.cost;
    }
    return { labels, cost: total };
  };
  const keys: readonly ((end: Spot) => number)[] = [({ y }) => y, ({ y }) => -y, ({ x }) => x, ({ x }) => -x];
  const layouts = keys.map((key) =>
    inOrder([...ends.keys()].toSorted((i, j) => key(ends[i]!) - key(ends[j]!))),
  );
  return layouts.reduce((a, b) => (b.cost < a.cost ? b : a)).labels;
}

/** Heights of labels to the right of points: those of points one above the other moved apart, in their order. */
function besides(ends: readonly Spot[]): number[] {
  const heights: number[] = [];
  for (const x of new Set(ends.map((end) => end.x))) {
    const at = [...ends.keys()].filter((i) => ends[i]!.x === x);
    const moved = spread(
      at.map((i) => ends[i]!.y),
      PITCH,
    );
    for (const [k, i] of at.entries()) heights[i] = moved[k]!;
  }
  return heights;
}

function boxOf({ x, y, anchor }: Label, width: number): Box {
  const left = x - { start: 0, middle: width / 2, end: width }[anchor];
  return { left, right: left + width, top: y - HALF, bottom: y + HALF };
}

const around = (x: number, y: number): Box => ({
  left: x - POINT,
  right: x + POINT,
  top: y - POINT,
  bottom: y + POINT,
});

const meets = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

const outside = (box: Box, frame: Box): number =>
  Number(box.left < frame.left) +
  Number(box.right > frame.right) +
  Number(box.top < frame.top) +
  Number(box.bottom > frame.bottom);

/** Whether a line, whose points go to the right, runs through a box. */
const crosses = (line: readonly Spot[], box: Box): boolean =>
  line.slice(1).some((to, k) => {
    const from = line[k]!;
    const [left, right] = [Math.max(from.x, box.left), Math.min(to.x, box.right)];
    if (left >= right) return false;
    const at = (x: number): number => from.y + ((to.y - from.y) * (x - from.x)) / (to.x - from.x);
    return Math.min(at(left), at(right)) < box.bottom && Math.max(at(left), at(right)) > box.top;
  });
