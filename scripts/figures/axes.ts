/**
 * @file Axes that figures share: logarithmic ones with a rule at every power of ten, and what a value is in pixels.
 */
import { axisX, axisY, gridY, text as label, type Markish, type PlotOptions } from "@observablehq/plot";
import { colour, type Colour } from "./sheet.ts";

/** Pixels around what is plotted. */
export type Margin = {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
};

/** A box with its margins, as Observable Plot calls them. */
export const boxed = (width: number, height: number, margin: Margin): PlotOptions => ({
  width,
  height,
  marginLeft: margin.left,
  marginRight: margin.right,
  marginTop: margin.top,
  marginBottom: margin.bottom,
});

/** Up to how much of a range there are ticks between its powers of ten. */
const SHORT = 100;

/** Rules across and an axis on the left at the powers of ten of a domain, in a short one at twice and five times them too. */
export function powersAxis(domain: readonly [number, number], label: string | null): Markish[] {
  const short = domain[1] / domain[0] < SHORT;
  const ticks = short ? between(domain) : powers(domain);
  return [
    gridY({ ticks, stroke: colour("rule"), strokeOpacity: 1 }),
    axisY({
      ticks,
      tickFormat: short ? String : powerOfTen,
      tickSize: 0,
      label,
      ...(label === null ? {} : { labelArrow: "none" }),
    }),
  ];
}

/** An axis below the panel with these ticks as they are, and its name in the middle. */
export const ticksAxis = (
  ticks: readonly number[],
  name: string,
  { tickSize = 4, labelOffset }: { tickSize?: number; labelOffset?: number } = {},
): Markish =>
  axisX({
    ticks: [...ticks],
    tickFormat: String,
    tickSize,
    label: name,
    labelArrow: "none",
    labelAnchor: "center",
    ...(labelOffset === undefined ? {} : { labelOffset }),
  });

/** The name of a line to the right of its last point, `dx` pixels from it, at the height of a value. */
export const nameOfLine = <Point>(
  name: string,
  {
    last,
    x,
    y,
    dx,
    fontSize,
    hue,
  }: {
    readonly last: Point;
    readonly x: string & keyof Point;
    readonly y: number;
    readonly dx: number;
    readonly fontSize: number;
    readonly hue: Colour;
  },
): Markish =>
  label([last], { x, y: () => y, text: () => name, textAnchor: "start", dx, fontSize, fill: colour(hue) });

/** Pixels of a value below the upper end of a domain of so many pixels, in logarithms, and back. */
export function logScale(
  [low, high]: readonly [number, number],
  pixels: number,
): { down(value: number): number; up(pixel: number): number } {
  const scale = pixels / Math.log(high / low);
  return {
    down: (value) => scale * Math.log(high / value),
    up: (pixel) => high * Math.exp(-pixel / scale),
  };
}

/** How far from a whole exponent a logarithm may be by rounding. */
const NEAR = 1e-9;

/** Powers of ten inside a range. */
function powers([low, high]: readonly [number, number]): number[] {
  const out: number[] = [];
  for (let e = Math.ceil(Math.log10(low) - NEAR); e <= Math.log10(high) + NEAR; e++) out.push(10 ** e);
  return out;
}

/** 1, 2 and 5 times powers of ten inside a range. */
const between = ([low, high]: readonly [number, number]): number[] =>
  powers([low / 10, high])
    .flatMap((power) => [1, 2, 5].map((k) => Number((k * power).toPrecision(1))))
    .filter((tick) => tick >= low && tick <= high);

/** Superscripts of a power of ten. */
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 10⁻³ for 0.001; plain digits near one. */
export function powerOfTen(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (exponent === 0) return "1";
  const digits = String(Math.abs(exponent)).replaceAll(/\d/g, (d) => SUPERSCRIPTS[Number(d)]!);
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}
