/**
 * @file Measurements as Markdown: one table per job with ratios to natgrad, and for grids one table per size that grows, with the
 * fitted exponent beside the expected one.
 */
import { mb, table } from "../markdown.ts";
import { median } from "../statistics.ts";
import { AXES, inTurns, JOBS, PEER_TITLES, type Axis, type Case, type Job, type Way } from "./cases.ts";
import { NETWORK_TITLES, NETWORKS } from "./images.ts";
import { disagrees, growthOf, natgradOf, ratioTo, type Result } from "./result.ts";

const TITLES: Readonly<Record<Job, string>> = {
  "default-run": "The default run, from process start to table",
  linearize: "One linearisation: outputs of all samples, NTK of the training samples",
  empirical: "Empirical NTK",
  analytic: "Analytic NTK, three layers",
  step: "One step of each method",
  images: "Empirical NTK of networks on images",
  "images-step": "One step of exact NGD of networks on images",
};

/** What a size is called. */
export const AXIS_TITLES: Readonly<Record<Axis, string>> = {
  N: "samples N",
  C: "outputs C",
  width: "width M",
  depth: "depth L",
};

/** All that was measured, as Markdown below headings of the third level. */
export function render(results: readonly Result[]): string {
  const sections: string[] = [];
  const section = (title: string, of: readonly Result[], body: readonly string[]): void => {
    sections.push(`### ${title}\n\n${sizes(of)}\n\n${body.join("\n\n")}`);
  };
  for (const job of JOBS) {
    const of = results.filter((result) => result.case.job === job);
    if (of.length === 0) continue;
    if (inTurns(job)) {
      for (const network of NETWORKS) {
        const some = of.filter(({ case: one }) => one.network === network);
        if (some.length > 0)
          section(
            `${TITLES[job]}: ${NETWORK_TITLES[network]}`,
            some,
            axesOf(some).length > 0 ? grids(some) : [rows(some, job)],
          );
      }
      continue;
    }
    section(TITLES[job], of, job === "empirical" || job === "analytic" ? grids(of) : [rows(of, job)]);
  }
  return `${sections.join("\n\n")}\n`;
}

/** The sizes that all results share. */
function sizes(results: readonly Result[]): string {
  const shared = (["N", "tests", "C", "width", "depth"] as const).filter(
    (name) => new Set(results.map((r) => r.case[name])).size === 1 && usedBy(results[0]!.case.job, name),
  );
  const names = { N: "N", tests: "test samples", C: "C", width: "M", depth: "L" };
  return `Of all rows: ${shared.map((name) => `${names[name]} = ${results[0]!.case[name]}`).join(", ")}.`;
}

/** An infinitely wide network has no width, and its outputs are alike. */
const usedBy = (job: Job, name: string): boolean =>
  job !== "analytic" || (name !== "width" && name !== "C" && name !== "tests");

/** A way as tables call it. */
export const wayTitle = ({ peer, variant }: Way): string =>
  `${PEER_TITLES[peer]}: ${variant.replaceAll("_", " ")}`;

/** Seconds to three digits. */
export function inSeconds(seconds: number): string {
  if (seconds >= 100) return seconds.toFixed(0);
  return seconds.toPrecision(3);
}

const times = (r: number): string => `${r >= 100 ? r.toFixed(0) : r.toPrecision(2)}x`;
const ratio = (a: number, b: number): string => times(a / b);

/** Which reason of docs/benchmarks.md a way has to be faster than natgrad: a letter of the list there. */
function reason({ case: { job, method }, way }: Result): string {
  if (way.variant === "factors") return "d";
  if (job === "analytic") return "b";
  return method === "gradient" ? "c" : "a";
}

/** Time in natgrad's: measured in turns with the range of all rounds; else below it with a reference to why. */
function timeRatio(result: Result, natgrad: Result): string {
  const { ratios } = result;
  const text = times(ratioTo(result, natgrad));
  if (ratios) return `${text}, ${times(Math.min(...ratios))}-${times(Math.max(...ratios))}`;
  return median(result.seconds) < median(natgrad.seconds) ? `${text}, why: ${reason(result)}` : text;
}

const exponent = (value: number | undefined): string => (value === undefined ? "" : value.toFixed(2));

/** How far from natgrad, or that it is another result. */
function differenceCell(result: Result): string {
  const { difference, way } = result;
  if (way.peer === "natgrad" || difference === undefined) return "";
  const text = difference === null ? "not finite" : difference.toExponential(0);
  return disagrees(result) ? `**${text}**` : text;
}

/** One row per way. */
function rows(results: readonly Result[], job: Job): string {
  const steps = job === "default-run";
  const header = [
    job === "step" ? "method, program" : "program",
    "min s",
    "median s",
    "to natgrad",
    ...(steps ? ["step s"] : []),
    "compile s",
    "peak MB",
    "to natgrad",
    "difference",
  ];
  const body = results.map((result) => {
    const { seconds, step, compile, peak, note } = result;
    const natgrad = natgradOf(results, result.case);
    const measured = seconds.length > 0;
    const compared = measured && natgrad !== undefined && natgrad.seconds.length > 0;
    return [
      [
        ...(job === "step" ? [`${result.case.method}, `] : []),
        wayTitle(result.way),
        ...(note === undefined ? [] : [` (${note})`]),
      ].join(""),
      measured ? inSeconds(Math.min(...seconds)) : "",
      measured ? inSeconds(median(seconds)) : "",
      compared ? timeRatio(result, natgrad) : "",
      ...(steps ? [step === undefined ? "" : inSeconds(step)] : []),
      compile === undefined ? "" : inSeconds(compile),
      peak === undefined ? "" : mb(peak),
      peak !== undefined && natgrad?.peak !== undefined ? ratio(peak, natgrad.peak) : "",
      differenceCell(result),
    ];
  });
  return table(header, body);
}

/** A case of an axis at its centre: the sizes that most results share. */
export function centreOf(results: readonly Result[]): Case {
  const centre: Record<string, unknown> = { ...results[0]!.case };
  for (const axis of AXES) {
    const counts = new Map<number, number>();
    for (const { case: one } of results) counts.set(one[axis], (counts.get(one[axis]) ?? 0) + 1);
    centre[axis] = [...counts].toSorted(([, a], [, b]) => b - a)[0]![0];
  }
  return centre as Case;
}

/** The axes along which results differ from their centre. */
export const axesOf = (results: readonly Result[]): Axis[] =>
  AXES.filter((axis) => new Set(results.map((r) => r.case[axis])).size > 1);

/** Two tables per axis: times with exponents, and memory. */
function grids(results: readonly Result[]): string[] {
  const centre = centreOf(results);
  return axesOf(results).flatMap((axis) => {
    const growths = growthOf(results, axis, centre);
    const on = results.filter((r) => AXES.every((a) => a === axis || r.case[a] === centre[a]));
    const values = [...new Set(on.map((r) => r.case[axis]))].toSorted((a, b) => a - b);
    const names = [...new Map(on.map((r) => [wayTitle(r.way), r.way])).entries()];
    const find = (title: string, value: number): Result | undefined =>
      on.find((r) => wayTitle(r.way) === title && r.case[axis] === value);
    const others = AXES.filter((a) => a !== axis && axesOf(results).includes(a)).map(
      (a) => `${a} = ${centre[a]}`,
    );
    const fixed = others.length > 0 ? `, ${others.join(", ")}` : "";
    const timings = names.map(([title, way]) => {
      const growth = growths.find((g) => wayTitle(g.way) === title);
      return [
        title,
        ...values.map((value) => timeCell(find(title, value), results)),
        exponent(growth?.fitted),
        exponent(growth?.expected),
        worst(on.filter((r) => wayTitle(r.way) === title && way.peer !== "natgrad")),
      ];
    });
    const memory = names.map(([title]) => [
      title,
      ...values.map((value) => {
        const peak = find(title, value)?.peak;
        return peak === undefined ? "" : mb(peak);
      }),
    ]);
    const head = values.map(String);
    return [
      `Seconds (median; ratio to natgrad) by ${AXIS_TITLES[axis]}${fixed}:`,
      table([axis, ...head, "exponent", "expected", "difference"], timings),
      `Peak memory in MB by ${AXIS_TITLES[axis]}:`,
      table([axis, ...head], memory),
    ];
  });
}

function timeCell(result: Result | undefined, results: readonly Result[]): string {
  if (!result) return "";
  if (result.seconds.length === 0) return result.note ?? "";
  const seconds = median(result.seconds);
  const natgrad = natgradOf(results, result.case);
  const text = inSeconds(seconds);
  if (result.way.peer === "natgrad" || !natgrad || natgrad.seconds.length === 0) return text;
  return `${text} (${timeRatio(result, natgrad)})`;
}

/** The greatest difference of some results. */
function worst(results: readonly Result[]): string {
  const wrong = results.find(disagrees);
  if (wrong) return differenceCell(wrong);
  const known = results.filter((r) => typeof r.difference === "number");
  if (known.length === 0) return "";
  return differenceCell(known.reduce((a, b) => (b.difference! > a.difference! ? b : a)));
}
