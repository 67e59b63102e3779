/**
 * @file Notices about the matrices that a method inverted: that a step is the least-norm one, as a Gram has no inverse, and that
 * rounding of a Gram may change a step.
 */
import type { Inversion } from "../fisher/index.ts";
import type { LeastNorm, NoticeEvent } from "./events.ts";
import type { Remedy } from "./remedy.ts";

/**
 * A step is reported when condition times relative error of the entries is above this. Over methods, losses, widths and depths,
 * float32 and float64 steps from the same weights differed by a seventh to a five-hundredth of that product. With a product
 * below this they differed by less than a thousandth of the step, above it by up to a hundredth. Later steps multiply the
 * difference: exact NGD on three classes, of width 4096, is 1.5 % off in its loss after a step with a product of 0.0104.
 */
export const DOUBTFUL = 1e-2;

/** The matrices among these that were inverted on their range alone. */
export const leastNormOf = (inversions: readonly Inversion[]): LeastNorm[] =>
  inversions.filter(({ rank, size }) => rank < size).map(({ what, size, rank }) => ({ what, size, rank }));

/** Turns inversions into notices: one per matrix of deficient rank, and one per run about a step that may be inaccurate. */
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
      notices.push({
        event: "notice",
        kind: "accuracy",
        step,
        message: `${at}: ${doubt(worst)}`,
        remedies: remediesFor(worst),
      });
    }
    return notices;
  };
}

const lossOf = ({ condition, epsilon }: Inversion): number => condition * epsilon;

/** Machine epsilon of float32. */
const SINGLE = 2 ** -23;

const isSingle = ({ epsilon }: Inversion): boolean => epsilon >= SINGLE;

function doubt(inversion: Inversion): string {
  const { what, condition } = inversion;
  const share = Math.min(100, 100 * lossOf(inversion));
  return (
    `${what} has condition ${condition.toExponential(1)}, so that ` +
    `${isSingle(inversion) ? "float32" : "float64"} rounding may change up to ${Number(share.toPrecision(1))} % of the step`
  );
}

const remediesFor = (inversion: Inversion): Remedy[] => [
  { option: "damping" },
  ...(isSingle(inversion) ? [{ option: "precision", value: "float64" } as const] : []),
  "a greater width",
  "fewer samples",
];
