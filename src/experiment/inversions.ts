/**
 * @file What a run says of the matrices that its method inverted: that a step is the least of many, and that rounding of a
 * Gram may reach a step.
 */
import type { Inversion } from "../fisher/index.ts";
import type { LeastNorm, NoticeEvent } from "./events.ts";

/**
 * Condition times the relative error of the entries from which on it is reported. Float32 and float64 steps from the same
 * weights, over methods, losses, widths and depths, differed by a seventh to a five-hundredth of that product: below this
 * by less than a thousandth of the step, above it by up to a hundredth. Later steps multiply it: exact NGD on three
 * classes, of width 4096, is 1.5 % off in its loss after a step at 0.0104.
 */
export const DOUBTFUL = 1e-2;

/** Those of some inversions. */
export const leastNormOf = (inversions: readonly Inversion[]): LeastNorm[] =>
  inversions.filter(({ rank, size }) => rank < size).map(({ what, size, rank }) => ({ what, size, rank }));

/** Turns inversions into notices: each matrix of deficient rank once, and once in a run a step that may be inaccurate. */
export function createInversionNotices(): (
  inversions: readonly Inversion[],
  step: number,
  where?: string,
) => NoticeEvent[] {
  const told = new Set<string>();
  let doubted = false;
  return (inversions, step, where = "") => {
    const at = `step ${step}${where}`;
    const notices: NoticeEvent[] = [];
    const fresh = leastNormOf(inversions).filter(({ what }) => !told.has(where + what));
    for (const { what } of fresh) told.add(where + what);
    if (fresh.length > 0) {
      const ranks = fresh.map(({ what, size, rank }) => `${what} has rank ${rank} of ${size}`);
      notices.push({
        event: "notice",
        kind: "singular",
        step,
        message: `${at}: least-norm, as ${ranks.join(", ")}`,
      });
    }
    const worst = inversions.toSorted((a, b) => lossOf(b) - lossOf(a))[0];
    if (worst && !doubted && lossOf(worst) > DOUBTFUL) {
      doubted = true;
      notices.push({ event: "notice", kind: "accuracy", step, message: `${at}: ${doubt(worst)}` });
    }
    return notices;
  };
}

const lossOf = ({ condition, epsilon }: Inversion): number => condition * epsilon;

/** Machine epsilon of float32. */
const SINGLE = 2 ** -23;

function doubt({ what, condition, epsilon }: Inversion): string {
  const single = epsilon >= SINGLE;
  const share = Math.min(100, 100 * condition * epsilon);
  return (
    `${what} has condition ${condition.toExponential(1)}, so that ${single ? "float32" : "float64"} rounding may change ` +
    `up to ${Number(share.toPrecision(1))} % of the step; try --damping, ` +
    `${single ? "--precision float64, " : ""}a greater width or fewer samples`
  );
}
