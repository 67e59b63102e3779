/**
 * @file Picks the samples of some classes from a labelled source.
 */
import { InputError } from "../error.ts";

/** What to take, and what errors call it. */
export type ClassSelection = {
  readonly targetClasses: readonly number[];
  readonly size: number;
  /** `train_size` or `test_size` */
  readonly flag: string;
  /** "training images", "test images", ... */
  readonly what: string;
};

/**
 * Indices of the first `size` samples whose label is a target class, in the order of the source.
 * @throws InputError when a class does not occur, or there are fewer such samples than `size`.
 */
export function selectClasses(labels: ArrayLike<number>, selection: ClassSelection): Uint32Array {
  const { targetClasses, size, flag, what } = selection;
  const counts = new Map<number, number>();
  const wanted = new Set(targetClasses);
  const chosen: number[] = [];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    counts.set(label, (counts.get(label) ?? 0) + 1);
    if (wanted.has(label) && chosen.length < size) chosen.push(i);
  }
  const unknown = targetClasses.find((k) => !counts.has(k));
  if (unknown !== undefined) {
    const known = [...counts.keys()].sort((a, b) => a - b).join(", ");
    throw new InputError(`target_classes: wanted classes among ${known} (${what}), got ${unknown}`);
  }
  if (chosen.length < size) {
    const classes = targetClasses.join(", ");
    throw new InputError(
      `${flag}: wanted at most ${chosen.length} (${what} of classes ${classes}), got ${size}`,
    );
  }
  return Uint32Array.from(chosen);
}
