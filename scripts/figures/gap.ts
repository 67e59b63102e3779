/**
 * @file How the gap between a network and its analytic prediction shrinks with the width, in logarithms on both sides,
 * beside the slope of the theory.
 */
import { dot, line, ruleX, text as label } from "@observablehq/plot";
import { boxed, logScale, nameOfLine, powersAxis, ticksAxis } from "./axes.ts";
import {
  colour,
  draw,
  NARROW,
  sheet,
  spread,
  type Caption,
  type Colour,
  type FigureOptions,
} from "./sheet.ts";

/** A line: the gap at every width. */
export type GapSeries = {
  /** A method, or a method and a setting after a comma: they share a colour. */
  readonly title: string;
  readonly widths: readonly number[];
  /** One row per width: the gap of every seed. */
  readonly gaps: readonly (readonly number[])[];
};

const HUES = ["ink", "blue", "green", "vermilion", "purple", "muted"] as const satisfies readonly Colour[];
const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "times"] as const;

/** Pixels between the bars of neighbouring series, so that each can be seen. */
const DODGE = 3;

type Point = { readonly width: number; readonly gap: number; readonly least: number; readonly most: number };

const mean = (values: readonly number[]): number => values.reduce((sum, a) => sum + a, 0) / values.length;

/** The figure, for series of at most six methods over the same widths. */
export const gapFigure = (
  series: readonly GapSeries[],
  caption: Caption,
  options: FigureOptions = {},
): string => gapPanels([{ series }], caption, options);

/** Series that share a panel. */
export type GapPanel = { readonly title?: string; readonly series: readonly GapSeries[] };

/** Options of {@link gapPanels}. */
export type GapOptions = FigureOptions & {
  /** Name of the axis of widths. Default: "width M". */
  axis?: string;
};

/** The same with a panel per setting, one below the other. */
export function gapPanels(
  panels: readonly GapPanel[],
  { title, subtitle }: Caption,
  { width = 760, axis = "width M" }: GapOptions = {},
): string {
  const height = width < NARROW ? 360 : 400;
  const facts = panels.flatMap((panel) =>
    panel.series.map((s) => {
      const name = panel.title === undefined ? s.title : `${panel.title}, ${s.title}`;
      return `${name}: ${told(s.gaps[0]!)} at width ${s.widths[0]}, ${told(s.gaps.at(-1)!)} at ${s.widths.at(-1)}, ${seedsOf(s)}.`;
    }),
  );
  return sheet({
    width,
    title,
    subtitle,
    description: facts.join(" "),
    groups: [
      {
        columns: 1,
        panels: panels.map((panel) => ({
          ...(panel.title === undefined ? {} : { title: panel.title }),
          width,
          height,
          marks: drawPanel(panel.series, { width, height, axis }),
        })),
      },
    ],
  });
}

function drawPanel(
  series: readonly GapSeries[],
  { width, height, axis }: { width: number; height: number; axis: string },
): string {
  const narrow = width < NARROW;
  const margin = { left: 40, right: narrow ? 138 : 176, top: 22, bottom: 36 };
  const widths = series[0]!.widths;
  const all = series.flatMap((s) => s.gaps.flat());
  const domain: [number, number] = [Math.min(...all) / 1.3, Math.max(...all) * 1.3];
  const inner = height - margin.top - margin.bottom;
  const { down, up } = logScale(domain, inner);
  const ends = spread(
    series.map((s) => down(mean(s.gaps.at(-1)!))),
    15,
  );
  const [from, to] = [widths[0]!, widths.at(-1)!];
  // M^(-1/2) through the middle of the panel.
  const centre = Math.sqrt(domain[0] * domain[1]);
  const theory = [from, to].map((M) => ({ width: M, gap: centre * Math.sqrt(Math.sqrt(from * to) / M) }));
  const methods = [...new Set(series.map((s) => methodOf(s.title)))];
  return draw({
    ...boxed(width - 24, height, margin),
    x: { type: "log", base: 2, domain: [from, to], insetLeft: 8, insetRight: 8 },
    y: { type: "log", domain },
    marks: [
      ...powersAxis(domain, "gap, relative to the labels"),
      ticksAxis(widths, axis),
      line(theory, {
        x: "width",
        y: "gap",
        stroke: colour("muted"),
        strokeDasharray: "2 4",
        strokeWidth: 1.5,
      }),
      label([theory[1]], {
        x: "width",
        y: "gap",
        text: () => "slope −1/2",
        fontSize: 11,
        textAnchor: "end",
        dx: -2,
        dy: 12,
        fill: colour("muted"),
        stroke: colour("paper"),
        strokeWidth: 3,
      }),
      ...series.flatMap(({ title: name, gaps }, i) => {
        const points = widths.map((M, k): Point => ({
          width: M,
          gap: mean(gaps[k]!),
          least: Math.min(...gaps[k]!),
          most: Math.max(...gaps[k]!),
        }));
        const method = methods.indexOf(methodOf(name));
        const hue = colour(HUES[method]!);
        // A second setting of a method is dashed, and its points are filled.
        const again = series.findIndex((s) => methodOf(s.title) === methodOf(name)) < i;
        const dx = (i - (series.length - 1) / 2) * DODGE;
        return [
          line(points, {
            x: "width",
            y: "gap",
            dx,
            stroke: hue,
            strokeWidth: 1.75,
            ...(again ? { strokeDasharray: "6 3" } : {}),
          }),
          ruleX(points, { x: "width", y1: "least", y2: "most", dx, stroke: hue, strokeWidth: 1.25 }),
          dot(points, {
            x: "width",
            y: "gap",
            dx,
            symbol: SYMBOLS[method]!,
            r: 3.25,
            stroke: hue,
            strokeWidth: 1.5,
            fill: again ? hue : colour("paper"),
          }),
          nameOfLine(name, {
            last: points.at(-1)!,
            x: "width",
            y: up(ends[i]!),
            dx: 22,
            fontSize: narrow ? 11 : 12,
            hue: HUES[method]!,
          }),
        ];
      }),
    ],
  });
}

const methodOf = (title: string): string => title.split(",")[0]!;

const told = (gaps: readonly number[]): string => String(Number(mean(gaps).toPrecision(3)));

/** "3 seeds", or "4 to 1 seeds" where the widths differ in it. */
function seedsOf({ gaps }: GapSeries): string {
  const [first, last] = [gaps[0]!.length, gaps.at(-1)!.length];
  return first === last ? `${first} seeds` : `${first} to ${last} seeds`;
}
