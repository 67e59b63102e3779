/**
 * @file What is known of one way to do one case, and what follows from many of them: ratios, growth, disagreement.
 */
import { median } from "../statistics.ts";
import { keyOf, onAxis, operationsOf, type Axis, type Case, type Way } from "./cases.ts";
import { fitExponent, type Point } from "./exponent.ts";

/** A measurement. */
export type Result = {
  readonly case: Case;
  readonly way: Way;
  /** Seconds of each repetition: of the whole process for `default-run`, in the steady state for the others. */
  readonly seconds: readonly number[];
  /** Measured in turns with natgrad: seconds of each repetition by those of natgrad's in the same round. */
  readonly ratios?: readonly number[];
  /** Job `default-run`: seconds of a step in it, without compilation. */
  readonly step?: number;
  /** Seconds of compilation, or of building graphs. */
  readonly compile?: number;
  /** Bytes of resident memory at most. */
  readonly peak?: number;
  /** max |a - b| / max |b| against natgrad's result; null: not finite. */
  readonly difference?: number | null;
  /** Why it was not measured, or not to its end. */
  readonly note?: string;
};

/**
 * Results in float32 of one job agree to this, relative to their greatest entry. An analytic kernel has arccos(1) on its
 * diagonal, where a rounded cosine costs the root of the precision; natgrad's is in float64.
 */
export const toleranceOf = ({ job }: Case): number => (job === "analytic" ? 5e-3 : 1e-3);

/** Whether a result is another one than natgrad's. */
export const disagrees = ({ case: one, difference }: Result): boolean =>
  difference !== undefined && !(difference !== null && difference <= toleranceOf(one));

/** A measurement in a word. */
export const idOf = (one: Case, { peer, variant }: Way): string => `${keyOf(one)} ${peer} ${variant}`;

/** natgrad's result of the same case. */
export const natgradOf = (results: readonly Result[], one: Case): Result | undefined =>
  results.find(({ case: other, way }) => way.peer === "natgrad" && keyOf(other) === keyOf(one));

/** Its time in natgrad's. */
export const ratioTo = ({ seconds, ratios }: Result, natgrad: Result): number =>
  ratios ? median(ratios) : median(seconds) / median(natgrad.seconds);

/** How cost grows along an axis for one way. */
export type Growth = {
  readonly way: Way;
  readonly points: readonly Point[];
  /** Exponent that fits the medians. */
  readonly fitted: number | undefined;
  /** The same fit to the number of operations at the same sizes. */
  readonly expected: number | undefined;
  /** The least size that was not measured, and why. */
  readonly ended?: { readonly size: number; readonly note: string };
};

/** The growth of every way along an axis through `centre`, in the order of the results; some have no point. */
export function growthOf(results: readonly Result[], axis: Axis, centre: Case): Growth[] {
  const ways = new Map<string, Result[]>();
  for (const result of results) {
    if (result.case.job !== centre.job || !onAxis(result.case, axis, centre)) continue;
    const name = `${result.way.peer} ${result.way.variant}`;
    ways.set(name, [...(ways.get(name) ?? []), result]);
  }
  return [...ways.values()].map((group) => {
    const { way } = group[0]!;
    const sorted = group.toSorted((a, b) => a.case[axis] - b.case[axis]);
    const measured = sorted.filter(({ seconds }) => seconds.length > 0);
    const missing = sorted.find(({ seconds }) => seconds.length === 0);
    const points = measured.map((r) => ({ size: r.case[axis], cost: median(r.seconds) }));
    const operations = measured.map((r) => ({ size: r.case[axis], cost: operationsOf(r.case, way) }));
    const ended = missing && { size: missing.case[axis], note: missing.note ?? "not measured" };
    return {
      way,
      points,
      fitted: fitExponent(points),
      expected: fitExponent(operations),
      ...(ended ? { ended } : {}),
    };
  });
}
