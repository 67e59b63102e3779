/**
 * @file The isotropic condition as it looks: G / alpha of every method as a heat map, with alpha = tr G / n. The identity
 * is a diagonal on an empty square; what gradient descent has beside it is why it is slow.
 */
import type { Matrix } from "../../src/linalg/matrix.ts";
import {
  colour,
  columnWidth,
  NARROW,
  sheet,
  text,
  type Colour,
  type FigureOptions,
  type Panel,
} from "./sheet.ts";

/** G [n, n] of a method. */
export type IsotropyPanel = { readonly title: string; readonly G: Matrix };

/** Panels that share a setting. */
export type IsotropyGroup = { readonly heading?: string; readonly panels: readonly IsotropyPanel[] };

/** What is said around the panels. */
export type IsotropyCaption = {
  readonly title: string;
  readonly subtitle: string;
  /** Names of what comes first along rows and columns and what comes second, half of the samples each. */
  readonly halves: readonly [string, string];
};

/** Lower ends of the classes of |entry|, and their colours. */
const CLASSES = [0.02, 0.05, 0.15, 0.4, 0.8] as const;
const RAMP = {
  positive: ["blue1", "blue2", "blue3", "blue4", "blue5"],
  negative: ["orange1", "orange2", "orange3", "orange4", "orange5"],
} as const satisfies Record<string, readonly Colour[]>;

/** Room for the names of the halves, left of a map and below it. */
const AXIS = 14;
const SMALL = 10;

/** The figure: the scale stands beside the panels of the first group, of which there is one or few. */
export function isotropyFigure(
  groups: readonly IsotropyGroup[],
  { title, subtitle, halves }: IsotropyCaption,
  { width = 760 }: FigureOptions = {},
): string {
  const columns = width < NARROW ? 3 : 5;
  const box = columnWidth(width, columns);
  const side = box - AXIS;
  const facts: string[] = [];
  const drawn = groups.map(({ heading, panels }, group) => ({
    ...(heading === undefined ? {} : { heading }),
    columns,
    panels: [
      ...panels.map(({ title: name, G }): Panel => {
        const { alpha, deviation } = isotropyOf(G);
        const where = heading === undefined ? name : `${heading}, ${name}`;
        facts.push(`${where}: alpha ${short(alpha)}, deviation ${small(deviation)}.`);
        const note = deviation < ROUNDING ? small(deviation) : `deviation ${small(deviation)}`;
        const marks = heatMap(G, alpha, side) + axes(halves, side);
        return { title: name, note, width: box, height: box, marks };
      }),
      ...(group === 0 ? [scale(side)] : []),
    ],
  }));
  return sheet({ width, title, subtitle, description: facts.join(" "), groups: drawn });
}

/** tr G / n and |G - alpha I| / |alpha I|. */
function isotropyOf({ rows: n, data }: Matrix): { alpha: number; deviation: number } {
  let trace = 0;
  for (let i = 0; i < n; i++) trace += data[i * n + i]!;
  const alpha = trace / n;
  let squares = 0;
  for (const [k, entry] of data.entries()) squares += (entry - (k % (n + 1) === 0 ? alpha : 0)) ** 2;
  return { alpha, deviation: Math.sqrt(squares / n) / Math.abs(alpha) };
}

/** One path per class of entries and one stroke per run of equal neighbours keep the files small. */
function heatMap({ rows: n, data }: Matrix, alpha: number, side: number): string {
  const paths = new Map<Colour, string>();
  for (let i = 0; i < n; i++) {
    const names = Array.from({ length: n }, (_, j) => classOf(data[i * n + j]! / alpha));
    for (let start = 0, end = 0; start < n; start = end) {
      const name = names[start];
      while (end < n && names[end] === name) end++;
      if (name === undefined) continue;
      const cells = end - start;
      paths.set(name, `${paths.get(name) ?? ""}M${start} ${i}h${cells}v1h-${cells}z`);
    }
  }
  const marks = [...paths].map(([name, path]) => `<path fill="${colour(name)}" d="${path}"/>`);
  return `<g transform="translate(${AXIS},0)"><g transform="scale(${side / n})" shape-rendering="crispEdges">${marks.join("")}</g>${frame(side, side)}</g>`;
}

const frame = (width: number, height: number): string =>
  `<rect width="${width}" height="${height}" fill="none" stroke="${colour("rule")}"/>`;

/** The halves of the samples along both sides. */
function axes([first, second]: readonly [string, string], side: number): string {
  const named = (content: string, at: number): string =>
    text(at * side, 0, content, { size: SMALL, colour: "muted", anchor: "middle" });
  const below = `<g transform="translate(${AXIS},${side + 11})">${named(first, 0.25)}${named(second, 0.75)}</g>`;
  // Rotated: from the bottom upwards.
  const left = `<g transform="translate(10,${side}) rotate(-90)">${named(second, 0.25)}${named(first, 0.75)}</g>`;
  return below + left;
}

function classOf(entry: number): Colour | undefined {
  const level = CLASSES.findLastIndex((least) => Math.abs(entry) >= least);
  return RAMP[entry > 0 ? "positive" : "negative"][level];
}

/** The colours from the greatest entry down, each class as high as the others, with its ends beside it. */
function scale(side: number): Panel {
  const swatches = [
    ...RAMP.positive.toReversed(),
    "paper",
    ...RAMP.negative,
  ] as const satisfies readonly Colour[];
  const ends = [...CLASSES.toReversed(), ...CLASSES.map((end) => -end)];
  const height = Math.max(side / swatches.length, SMALL + 2);
  const whole = height * swatches.length;
  const marks = [
    ...swatches.map(
      (name, k) =>
        `<rect y="${place(k * height)}" width="${SCALE}" height="${place(height)}" fill="${colour(name)}"/>`,
    ),
    frame(SCALE, place(whole)),
    ...ends.map((end, k) =>
      text(SCALE + 6, (k + 1) * height + 3.5, String(end).replace("-", "−"), {
        size: SMALL,
        colour: "muted",
      }),
    ),
  ];
  return {
    title: "entry of G / α",
    note: "steps are uneven",
    width: side,
    height: whole,
    marks: marks.join(""),
  };
}

const SCALE = 22;
const place = (x: number): number => Math.round(100 * x) / 100;

const short = (x: number): string => String(Number(x.toPrecision(2)));

/** Rounding is below this; its digits mean nothing. */
const ROUNDING = 1e-14;

/** Two digits. */
const small = (x: number): string => (x < ROUNDING ? "below 1e−14" : short(x));
