/**
 * @file Draws the growth of the kernels' cost from measurements and writes docs/figures/peers-*.svg, for a page and for a
 * phone.
 */
import { join } from "node:path";
import { writeWhole } from "../../src/data/node/files.ts";
import { ROOT } from "../benchmark.ts";
import { growthFigure, type GrowthPanel } from "./figure.ts";
import { axesOf, AXIS_TITLES, centreOf } from "./render.ts";
import { growthOf, type Result } from "./result.ts";

const CAPTIONS = {
  empirical: {
    title: "Empirical NTK: what it costs to grow",
    subtitle:
      "Seconds, compilation excluded. At the end of each line the exponent that fits it, in brackets the one that fits its number of operations.",
  },
  analytic: {
    title: "Analytic NTK: what it costs to grow",
    subtitle:
      "Seconds for a network of three layers, compilation excluded. At the end of each line the exponent that fits it, in brackets the one of its number of operations.",
  },
} as const;

/** Writes a figure for each grid that was measured and returns the names of the files. */
export async function writeFigures(results: readonly Result[]): Promise<string[]> {
  const written: string[] = [];
  for (const job of ["empirical", "analytic"] as const) {
    const of = results.filter((result) => result.case.job === job);
    if (of.length === 0) continue;
    const centre = centreOf(of);
    const panels = axesOf(of).map((axis): GrowthPanel => ({
      title: `By ${AXIS_TITLES[axis]}`,
      axis: AXIS_TITLES[axis],
      growths: growthOf(of, axis, centre),
    }));
    for (const [suffix, width] of [
      ["", 760],
      ["-narrow", 380],
    ] as const) {
      const name = `docs/figures/peers-${job}${suffix}.svg`;
      await writeWhole(join(ROOT, name), growthFigure(panels, CAPTIONS[job], { width }));
      written.push(name);
    }
  }
  return written;
}
