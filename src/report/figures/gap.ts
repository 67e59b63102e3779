/**
 * @file How the gap between a network and its analytic prediction shrinks with the width, in logarithms on both sides,
 * beside the slope of the theory.
 */
import { axisX, axisY, dot, gridY, line, text as label } from "@observablehq/plot";
import { colour, draw, NARROW, powerOfTen, sheet, spread, type Colour, type FigureOptions } from "./sheet.ts";

/** A line: the gap at every width. */
export type GapSeries = {
  readonly title: string;
  readonly widths: readonly number[];
  readonly gaps: readonly number[];
};

/** What is said around the panel. */
export type GapCaption = { readonly title: string; readonly subtitle: string };

const HUES = ["ink", "blue", "green", "vermilion", "purple", "muted"] as const satisfies readonly Colour[];
const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "times"] as const;

type Point = { readonly width: number; readonly gap: number };

/** The figure, for at most six series over the same widths. */
export function gapFigure(
  series: readonly GapSeries[],
  { title, subtitle }: GapCaption,
  { width = 760 }: FigureOptions = {},
): string {
  const narrow = width < NARROW;
  const height = narrow ? 340 : 360;
  const margin = { left: 40, right: narrow ? 104 : 190, top: 22, bottom: 36 };
  const widths = series[0]!.widths;
  const gaps = series.flatMap((s) => s.gaps);
  const domain: [number, number] = [Math.min(...gaps) / 1.5, Math.max(...gaps) * 1.5];
  const inner = height - margin.top - margin.bottom;
  const scale = inner / Math.log(domain[1] / domain[0]);
  const ends = spread(
    series.map((s) => scale * Math.log(domain[1] / s.gaps.at(-1)!)),
    15,
  );
  const [from, to] = [widths[0]!, widths.at(-1)!];
  // M^(-1/2) through the middle of the panel.
  const centre = Math.sqrt(domain[0] * domain[1]);
  const theory = [from, to].map((M) => ({ width: M, gap: centre * Math.sqrt(Math.sqrt(from * to) / M) }));
  const marks = draw({
    width: width - 24,
    height,
    marginLeft: margin.left,
    marginRight: margin.right,
    marginTop: margin.top,
    marginBottom: margin.bottom,
    x: { type: "log", base: 2, domain: [from, to] },
    y: { type: "log", domain },
    symbol: { range: [...SYMBOLS] },
    marks: [
      gridY({ ticks: powers(domain), stroke: colour("rule"), strokeOpacity: 1 }),
      axisY({ ticks: powers(domain), tickFormat: powerOfTen, tickSize: 0, label: "gap", labelArrow: "none" }),
      axisX({
        ticks: [...widths],
        tickFormat: String,
        tickSize: 4,
        label: "width M",
        labelArrow: "none",
        labelAnchor: "center",
      }),
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
      }),
      ...series.flatMap(({ gaps: values }, i) => {
        const points = widths.map((M, k): Point => ({ width: M, gap: values[k]! }));
        const hue = colour(HUES[i]!);
        return [
          line(points, { x: "width", y: "gap", stroke: hue, strokeWidth: 1.75 }),
          dot(points, {
            x: "width",
            y: "gap",
            symbol: SYMBOLS[i]!,
            r: 3.5,
            stroke: hue,
            strokeWidth: 1.5,
            fill: colour("paper"),
          }),
          label([points.at(-1)!], {
            x: "width",
            y: () => domain[1] * Math.exp(-ends[i]! / scale),
            text: () => series[i]!.title,
            textAnchor: "start",
            dx: 10,
            fontSize: narrow ? 11 : 12,
            fill: hue,
          }),
        ];
      }),
    ],
  });
  const facts = series.map((s) => `${s.title}: ${s.gaps[0]} at width ${from}, ${s.gaps.at(-1)} at ${to}.`);
  return sheet({
    width,
    title,
    subtitle,
    description: facts.join(" "),
    groups: [{ columns: 1, panels: [{ width, height, marks }] }],
  });
}

/** Powers of ten inside a range. */
function powers([low, high]: [number, number]): number[] {
  const out: number[] = [];
  for (let e = Math.ceil(Math.log10(low)); e <= Math.log10(high); e++) out.push(10 ** e);
  return out;
}
