/**
 * @file The isotropic condition as it looks: G / alpha of every method as a heat map, with alpha = tr G / n. The identity
 * is a diagonal on an empty square; what gradient descent has beside it is why it is slow.
 */
import { norm, trace, type Matrix } from "../../matrix/matrix.ts";
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

/** G [n, n] of a method; without one, why not. */
export type IsotropyPanel = { readonly title: string; readonly G: Matrix | string };

/** Panels that share a setting. */
export type IsotropyGroup = { readonly heading: string; readonly panels: readonly IsotropyPanel[] };

/** What is said around the panels. */
export type IsotropyCaption = { readonly title: string; readonly subtitle: string };

/** Lower ends of the classes of |entry|, and their colours. */
const CLASSES = [0.02, 0.05, 0.15, 0.4, 0.8] as const;
const RAMP = {
  positive: ["blue1", "blue2", "blue3", "blue4", "blue5"],
  negative: ["orange1", "orange2", "orange3", "orange4", "orange5"],
} as const satisfies Record<string, readonly Colour[]>;

/** The figure. */
export function isotropyFigure(
  groups: readonly IsotropyGroup[],
  { title, subtitle }: IsotropyCaption,
  { width = 760 }: FigureOptions = {},
): string {
  const columns = width < NARROW ? 3 : 6;
  const side = columnWidth(width, columns);
  const facts: string[] = [];
  const drawn = groups.map(({ heading, panels }) => ({
    heading,
    columns,
    panels: panels.map(({ title: name, G }): Panel => {
      if (typeof G === "string") {
        facts.push(`${heading}, ${name}: ${G}.`);
        return { title: name, note: G, width: side, height: side, marks: frame(side) };
      }
      const { alpha, deviation } = isotropyOf(G);
      const note = `off by ${short(deviation)}`;
      facts.push(`${heading}, ${name}: alpha ${short(alpha)}, deviation ${short(deviation)}.`);
      return { title: name, note, width: side, height: side, marks: heatMap(G, alpha, side) };
    }),
  }));
  return sheet({ width, title, subtitle, description: facts.join(" "), groups: drawn, key: key(width) });
}

/** tr G / n and |G - alpha I| / |alpha I|. */
function isotropyOf(G: Matrix): { alpha: number; deviation: number } {
  const n = G.rows;
  const alpha = trace(G) / n;
  // |G - alpha I|^2 = |G|^2 - 2 alpha tr G + alpha^2 n.
  const squares = Math.max(0, norm(G) ** 2 - alpha ** 2 * n);
  return { alpha, deviation: Math.sqrt(squares / n) / Math.abs(alpha) };
}

/** One path a class of entries, and one stroke a run of equal neighbours: small files. */
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
  return `<g transform="scale(${side / n})" shape-rendering="crispEdges">${marks.join("")}</g>${frame(side)}`;
}

const frame = (side: number): string =>
  `<rect width="${side}" height="${side}" fill="none" stroke="${colour("rule")}"/>`;

function classOf(entry: number): Colour | undefined {
  const level = CLASSES.findLastIndex((least) => Math.abs(entry) >= least);
  return RAMP[entry > 0 ? "positive" : "negative"][level];
}

/** Swatches with the lower ends of their classes. */
function key(width: number): { height: number; marks: string } {
  const swatch = width < NARROW ? 30 : 34;
  const all = [
    ...RAMP.negative.toReversed().map((name, i) => ({ name, end: -CLASSES.at(-1 - i)!, at: i })),
    ...RAMP.positive.map((name, i) => ({ name, end: CLASSES[i]!, at: i + 6 })),
  ];
  const marks = all.map(({ name, end, at }) => {
    // The end of a class is its inner edge.
    const edge = (end < 0 ? at + 1 : at) * swatch;
    const shown = Math.abs(end) === 0.02 ? "" : String(end).replace("-", "−").replace("0.", ".");
    return (
      `<rect x="${at * swatch}" y="16" width="${swatch}" height="12" fill="${colour(name)}"/>` +
      text(edge, 40, shown, { size: 10, colour: "muted", anchor: "middle" })
    );
  });
  marks.push(text(5.5 * swatch, 40, "0", { size: 10, colour: "muted", anchor: "middle" }));
  marks.push(
    `<rect x="0" y="16" width="${11 * swatch}" height="12" fill="none" stroke="${colour("rule")}"/>`,
    text(0, 10, "entry of G / α", { size: 11, colour: "muted" }),
  );
  return { height: 44, marks: marks.join("") };
}

/** Two digits; rounding errors are called zero. */
const short = (x: number): string => (Math.abs(x) < 1e-6 ? "0" : String(Number(x.toPrecision(2))));
