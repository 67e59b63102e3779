/**
 * @file Every figure is drawn for a page and for a phone.
 */
import type { FigureOptions } from "../figures/sheet.ts";

const WIDTHS = [
  ["", 760],
  ["-narrow", 380],
] as const;

/** A figure at both of its widths, by the name of its file. */
export const atBothWidths = (
  name: string,
  figure: (options: FigureOptions) => string,
): [path: string, svg: string][] =>
  WIDTHS.map(([suffix, width]) => [`docs/figures/${name}${suffix}.svg`, figure({ width })]);
