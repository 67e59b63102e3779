/**
 * @file How the cost of a kernel grows with N, C, width and depth, in logarithms on both sides: a panel a size, with the
 * fitted exponent of every line at its end and the expected one beside it.
 */
import { axisX, axisY, dot, gridY, line, text as label } from "@observablehq/plot";
import {
  colour,
  columnWidth,
  draw,
  NARROW,
  powerOfTen,
  sheet,
  spread,
  type Colour,
  type FigureOptions,
} from "../../src/report/figures/sheet.ts";
import type { Peer, Way } from "./cases.ts";
import { wayTitle } from "./render.ts";
import type { Growth } from "./result.ts";

/** A panel: the growth of every way along one size. */
export type GrowthPanel = {
  readonly title: string;
  readonly axis: string;
  readonly growths: readonly Growth[];
};

/** What is said around the panels. */
export type GrowthCaption = { readonly title: string; readonly subtitle: string };

/** A peer has a colour, and a way of doing the job a symbol. */
const HUES: Readonly<Record<Peer, Colour>> = {
  natgrad: "ink",
  jax: "blue",
  torch: "vermilion",
  numpy: "green",
};
const SYMBOLS = {
  jacobian_contraction: "square",
  ntk_vector_products: "triangle",
  structured_derivatives: "diamond",
} as const;

const symbolOf = ({ variant }: Way): string => SYMBOLS[variant as keyof typeof SYMBOLS] ?? "circle";

const HEIGHT = 230;
const MARGIN = { left: 36, right: 76, top: 12, bottom: 34 };
const KEY_ROW = 18;

/** The figure; every panel needs a measured point. */
export function growthFigure(
  panels: readonly GrowthPanel[],
  { title, subtitle }: GrowthCaption,
  { width = 760 }: FigureOptions = {},
): string {
  const columns = width < NARROW ? 1 : 2;
  const inner = columnWidth(width, columns);
  const ways = [
    ...new Map(panels.flatMap(({ growths }) => growths.map(({ way }) => [wayTitle(way), way]))).values(),
  ];
  const facts = panels.map(
    ({ title, growths }) =>
      `${title}: ${growths.map((g) => `${wayTitle(g.way)} ${exponents(g)}`).join("; ")}.`,
  );
  return sheet({
    width,
    title,
    subtitle,
    description: facts.join(" "),
    groups: [
      {
        columns,
        panels: panels.map((panel) => ({
          title: panel.title,
          width: inner,
          height: HEIGHT,
          marks: marksOf(panel, inner),
        })),
      },
    ],
    key: keyOf(ways, width - 24, columns),
  });
}

/** "1.03 (1)": fitted, and expected in brackets. */
function exponents({ fitted, expected }: Growth): string {
  if (fitted === undefined) return "";
  return `${fitted.toFixed(1)} (${(expected ?? NaN).toFixed(1)})`;
}

function marksOf({ axis, growths }: GrowthPanel, width: number): string {
  const points = growths.flatMap((g) => g.points);
  const costs = points.map(({ cost }) => cost);
  const sizes = [...new Set(points.map(({ size }) => size))].toSorted((a, b) => a - b);
  const domain: [number, number] = [Math.min(...costs) / 1.6, Math.max(...costs) * 1.6];
  const inner = HEIGHT - MARGIN.top - MARGIN.bottom;
  const scale = inner / Math.log(domain[1] / domain[0]);
  const ends = spread(
    growths.map((g) => scale * Math.log(domain[1] / g.points.at(-1)!.cost)),
    13,
  );
  return draw({
    width,
    height: HEIGHT,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    x: { type: "log", domain: [sizes[0]!, sizes.at(-1)!] },
    y: { type: "log", domain },
    marks: [
      gridY({ ticks: powers(domain), stroke: colour("rule"), strokeOpacity: 1 }),
      axisY({ ticks: powers(domain), tickFormat: powerOfTen, tickSize: 0, label: "s", labelArrow: "none" }),
      axisX(sizes, {
        text: sizes.map(String),
        tickSize: 4,
        label: axis,
        labelArrow: "none",
        labelAnchor: "center",
      }),
      ...growths.flatMap((growth, i) => {
        const hue = colour(HUES[growth.way.peer]);
        return [
          line(growth.points, { x: "size", y: "cost", stroke: hue, strokeWidth: 1.5 }),
          dot(growth.points, {
            x: "size",
            y: "cost",
            symbol: () => symbolOf(growth.way),
            r: 3.2,
            stroke: hue,
            strokeWidth: 1.4,
            fill: colour("paper"),
          }),
          label([growth.points.at(-1)!], {
            x: () => sizes.at(-1)!,
            y: () => domain[1] * Math.exp(-ends[i]! / scale),
            text: () => exponents(growth),
            textAnchor: "start",
            dx: 9,
            fontSize: 11,
            fill: hue,
          }),
        ];
      }),
    ],
    symbol: { type: "identity" } as never,
  });
}

/** What colours and symbols stand for. */
function keyOf(ways: readonly Way[], width: number, columns: number): { height: number; marks: string } {
  const rows = Math.ceil(ways.length / columns);
  const height = rows * KEY_ROW + 4;
  const places = ways.map((way, i) => ({
    way,
    x: 6 + Math.floor(i / rows) * (width / columns),
    y: 10 + (i % rows) * KEY_ROW,
  }));
  const marks = draw({
    width,
    height,
    margin: 0,
    x: { type: "linear", domain: [0, width], axis: null },
    y: { type: "linear", domain: [height, 0], axis: null },
    symbol: { type: "identity" } as never,
    marks: places.flatMap(({ way, x, y }) => [
      dot([0], {
        x: () => x,
        y: () => y,
        symbol: () => symbolOf(way),
        r: 3.2,
        stroke: colour(HUES[way.peer]),
        strokeWidth: 1.4,
        fill: colour("paper"),
      }),
      label([0], {
        x: () => x,
        y: () => y,
        text: () => wayTitle(way),
        textAnchor: "start",
        dx: 10,
        fontSize: 11.5,
        fill: colour(HUES[way.peer]),
      }),
    ]),
  });
  return { height, marks };
}

/** Powers of ten inside a range. */
function powers([low, high]: [number, number]): number[] {
  const out: number[] = [];
  for (let e = Math.ceil(Math.log10(low)); e <= Math.log10(high); e++) out.push(10 ** e);
  return out;
}
