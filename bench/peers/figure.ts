/**
 * @file How the cost of a kernel grows with N, C, width and depth, in logarithms on both sides: a panel a size, with every
 * line named where it ends, and what ended it where that is not the last size.
 */
import { axisX, dot, line } from "@observablehq/plot";
import { boxed, logScale, powersAxis } from "../../scripts/figures/axes.ts";
import {
  colour,
  columnWidth,
  draw,
  NARROW,
  sheet,
  text,
  textWidth,
  type Caption,
  type Colour,
  type FigureOptions,
} from "../../scripts/figures/sheet.ts";
import type { Peer, Way } from "./cases.ts";
import { placeLabels, type Spot } from "./labels.ts";
import { wayTitle } from "./render.ts";
import type { Growth } from "./result.ts";

/** A panel: the growth of every way along one size. */
export type GrowthPanel = {
  readonly title: string;
  /** Sizes that stay as they are. */
  readonly note?: string;
  readonly axis: string;
  readonly growths: readonly Growth[];
};

/** A peer has a colour and a short name, */
const PEERS: Readonly<Record<Peer, readonly [Colour, string]>> = {
  natgrad: ["ink", "natgrad"],
  jax: ["blue", "JAX"],
  torch: ["vermilion", "PyTorch"],
  numpy: ["green", "NumPy"],
};
/** and a way of doing the job a symbol and a short name. */
const VARIANTS: Readonly<Record<string, readonly [symbol: string, name: string]>> = {
  jacobian_contraction: ["square", "Jacobians"],
  ntk_vector_products: ["triangle", "products"],
  structured_derivatives: ["diamond", "structured"],
};

const hueOf = ({ peer }: Way): Colour => PEERS[peer][0];
const symbolOf = ({ variant }: Way): string => VARIANTS[variant]?.[0] ?? "circle";

const nameOf = ({ peer, variant }: Way): string =>
  peer === "natgrad" ? PEERS.natgrad[1] : `${PEERS[peer][1]} ${VARIANTS[variant]?.[1] ?? variant}`;

/** ">20 s" of a measurement that was ended after it. */
const reasonOf = (note: string): string => note.replace(/^more than /, ">");

const labelOf = ({ way, ended }: Growth): string =>
  ended ? `${nameOf(way)} ${reasonOf(ended.note)}` : nameOf(way);

const HEIGHT = 250;
const MARGIN = { left: 36, right: 110, top: 22, bottom: 36 };
const LABEL = 11;

/** The figure; every panel needs a measured point. */
export function growthFigure(
  panels: readonly GrowthPanel[],
  { title, subtitle }: Caption,
  { width = 760 }: FigureOptions = {},
): string {
  const columns = width < NARROW ? 1 : Math.min(2, panels.length);
  const inner = columnWidth(width, columns);
  const facts = panels.map(
    ({ title, growths }) => `${title}: ${growths.map((g) => `${wayTitle(g.way)} ${factOf(g)}`).join("; ")}.`,
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
          ...(panel.note === undefined ? {} : { note: panel.note }),
          width: inner,
          height: HEIGHT,
          marks: marksOf(panel, inner),
        })),
      },
    ],
  });
}

/** "1.0 (1.3)": fitted, and expected in brackets; and what ended it. */
function factOf({ fitted, expected, ended }: Growth): string {
  const exponents = fitted === undefined ? [] : [`${fitted.toFixed(1)} (${(expected ?? NaN).toFixed(1)})`];
  return [...exponents, ...(ended ? [`at ${ended.size} ${ended.note}`] : [])].join(", ");
}

function marksOf({ axis, growths }: GrowthPanel, width: number): string {
  // natgrad on top of what it crosses.
  const drawn = growths.filter(({ points }) => points.length > 0).toReversed();
  const never = growths.filter(({ points }) => points.length === 0);
  const points = drawn.flatMap((g) => g.points);
  const costs = points.map(({ cost }) => cost);
  const sizes = [
    ...new Set(
      growths.flatMap((g) => [...g.points.map(({ size }) => size), ...(g.ended ? [g.ended.size] : [])]),
    ),
  ].toSorted((a, b) => a - b);
  const frame = { left: MARGIN.left, right: width, top: MARGIN.top - 8, bottom: HEIGHT - MARGIN.bottom };
  const domain: [number, number] = [
    Math.min(...costs) / 1.5,
    Math.max(...costs) * (never.length > 0 ? 4 : 2),
  ];
  const spotOf = logScales([sizes[0]!, sizes.at(-1)!], domain, width);
  const lines = drawn.map((g) => g.points.map(({ size, cost }) => spotOf(size, cost)));
  // What was not measured at any size has a name alone.
  const letter = axis.split(" ").at(-1)!;
  const absent = never.map((g, i) => ({
    name: `${labelOf(g)} at ${letter} = ${g.ended!.size}`,
    hue: hueOf(g.way),
    y: MARGIN.top + 6 + 13 * i,
  }));
  const labels = placeLabels(
    lines,
    drawn.map((g) => textWidth(labelOf(g), LABEL, isOwn(g))),
    frame,
    absent.map(({ name, y }) => ({
      left: MARGIN.left,
      right: MARGIN.left + 6 + textWidth(name, LABEL),
      top: y - 6,
      bottom: y + 6,
    })),
  );
  const marks = draw({
    ...boxed(width, HEIGHT, MARGIN),
    x: { type: "log", domain: [sizes[0]!, sizes.at(-1)!] },
    y: { type: "log", domain },
    symbol: { type: "identity" } as never,
    marks: [
      ...powersAxis(domain, "seconds"),
      axisX(sizes, {
        text: sizes.map(String),
        tickSize: 4,
        label: axis,
        labelArrow: "none",
        labelAnchor: "center",
      }),
      ...drawn.flatMap((growth) => {
        const own = isOwn(growth);
        const hue = colour(hueOf(growth.way));
        return [
          line(growth.points, { x: "size", y: "cost", stroke: hue, strokeWidth: own ? 3 : 1.25 }),
          dot(growth.points, {
            x: "size",
            y: "cost",
            symbol: () => symbolOf(growth.way),
            r: own ? 4 : 3,
            stroke: hue,
            strokeWidth: 1.4,
            fill: own ? hue : colour("paper"),
          }),
        ];
      }),
    ],
  });
  const names = drawn.map((g, i) => {
    const { x, y, anchor } = labels[i]!;
    return text(x, y + 4, labelOf(g), {
      size: LABEL,
      colour: hueOf(g.way),
      anchor,
      bold: isOwn(g),
      halo: true,
    });
  });
  const others = absent.map(({ name, hue, y }) =>
    text(MARGIN.left + 6, y + 4, name, { size: LABEL, colour: hue }),
  );
  return marks + names.join("") + others.join("");
}

const isOwn = ({ way }: Growth): boolean => way.peer === "natgrad";

/** Pixels of a size and a cost. */
function logScales(
  sizes: readonly [number, number],
  costs: readonly [number, number],
  width: number,
): (size: number, cost: number) => Spot {
  const across = width - MARGIN.left - MARGIN.right;
  const [x, y] = [logScale(sizes, across), logScale(costs, HEIGHT - MARGIN.top - MARGIN.bottom)];
  return (size, cost) => ({ x: MARGIN.left + across - x.down(size), y: MARGIN.top + y.down(cost) });
}
