/**
 * @file Draws the growth of the kernels' cost from the measurements of docs/generated/peers.json, which
 * `npm run bench:peers -- --write` keeps there, for a page and for a phone.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { atBothWidths } from "../../scripts/documents/sizes.ts";
import { toLines } from "../../scripts/documents/lines.ts";
import { writeWhole } from "../../src/data/node/files.ts";
import type { Caption, FigureOptions } from "../../scripts/figures/sheet.ts";
import { ROOT } from "../benchmark.ts";
import { AXES } from "./cases.ts";
import { growthFigure, type GrowthPanel } from "./figure.ts";
import { axesOf, AXIS_TITLES, centreOf } from "./render.ts";
import { growthOf, type Result } from "./result.ts";

/** What was measured, and on which machine. */
export type Measurements = {
  readonly machine: string;
  readonly quick: boolean;
  readonly runs: number;
  /** Where the numbers are from, if not from a run as it ended. */
  readonly source?: string;
  readonly results: readonly Result[];
};

const DATA = join(ROOT, "docs/generated/peers.json");

/** The measurements that the documents show. */
export const kept = async (): Promise<Measurements> =>
  JSON.parse(await readFile(DATA, "utf8")) as Measurements;

/** Keeps measurements, so that their figures can be drawn again. */
export const keep = (measurements: Measurements): Promise<void> => writeWhole(DATA, toLines(measurements));

/** Grids that have a figure: docs/figures/peers-empirical.svg and peers-analytic.svg. */
export const GRIDS = ["empirical", "analytic"] as const;
export type Grid = (typeof GRIDS)[number];

/** Letters of the sizes. */
const LETTERS = { N: "N", C: "C", width: "M", depth: "L" } as const;

const captionOf = (grid: Grid, { machine, runs, results }: Measurements): Caption => {
  const how = `median of ${runs} runs, start and compilation excluded. ${machine}.`;
  const memory = results.some(({ case: one, note }) => one.job === grid && note?.endsWith("GB"))
    ? "; of GB: it takes so much memory"
    : "";
  return grid === "empirical"
    ? {
        title: "Empirical NTK: what it costs to grow",
        subtitle:
          `N samples, C outputs, width M, L layers; float32, ${how} JAX is Neural Tangents by its three implementations: jacobian contraction, NTK-vector products, structured derivatives. ` +
          `Where a line ends, a number of seconds: the next size was ended after so long, start and compilation included${memory}.`,
      }
    : {
        title: "Analytic NTK: what it costs to grow",
        subtitle: `N samples, a network of three layers; ${how} natgrad and NumPy in float64, JAX (Neural Tangents, stax) in float32.`,
      };
};

/** Every figure of the peers, by the name of its file. */
export const drawAll = (measurements: Measurements): [path: string, svg: string][] =>
  GRIDS.filter((grid) => measurements.results.some((result) => result.case.job === grid)).flatMap((grid) =>
    atBothWidths(`peers-${grid}`, (options) => drawPeers(grid, measurements, options)),
  );

/** The figure of a grid of which something was measured. */
export function drawPeers(grid: Grid, measurements: Measurements, options: FigureOptions): string {
  const of = measurements.results.filter((result) => result.case.job === grid);
  const centre = centreOf(of);
  const axes = axesOf(of);
  const panels = axes.map((axis): GrowthPanel => {
    const others = grid === "analytic" ? ([] as const) : AXES.filter((other) => other !== axis);
    return {
      title: `By ${AXIS_TITLES[axis]}`,
      ...(others.length > 0
        ? { note: others.map((other) => `${LETTERS[other]} = ${centre[other]}`).join(", ") }
        : {}),
      axis: AXIS_TITLES[axis],
      growths: growthOf(of, axis, centre),
    };
  });
  return growthFigure(panels, captionOf(grid, measurements), options);
}
