/**
 * @file Classes of an experiment, and the samples of a labelled source that belong to them. A class of the experiment is one
 * class of the source or a group of several: odd and even digits are two classes of five digits each.
 */
import { InputError } from "../error.ts";
import type { Draw } from "../random/permutation.ts";

/** A class: a class of the source by its number, or several of them that count as one. */
export type ClassGroup = number | readonly number[];

/** The classes of the source in a class. */
export const classMembers = (group: ClassGroup): readonly number[] =>
  typeof group === "number" ? [group] : group;

/** The class that these classes of the source form; a single one is its number. */
export const classGroup = (members: readonly number[]): ClassGroup =>
  members.length === 1 ? members[0]! : members;

/** A class in words: `3`, or `0+2+4`. */
export const className = (group: ClassGroup): string => classMembers(group).join("+") || "[]";

/** What is wrong with a choice of classes, as `wanted X, got Y`; undefined for two or more classes without overlap. */
export function classesFault(groups: readonly ClassGroup[]): string | undefined {
  const got = groups.map(className).join() || "none";
  const all = groups.flatMap(classMembers);
  const twice = all.find((k, i) => all.indexOf(k) < i);
  const plain = all.length === groups.length;
  if (groups.some((group) => classMembers(group).length === 0)) {
    return `wanted one class or more in every group, got ${got}`;
  }
  if (groups.length < 2 || (plain && twice !== undefined)) {
    return `wanted two or more different classes, got ${got}`;
  }
  return twice === undefined ? undefined : `wanted every class once, got ${twice} twice in ${got}`;
}

/** What to take, and what errors call it. */
export type ClassSelection = {
  readonly targetClasses: readonly ClassGroup[];
  /** How many samples; Infinity for all of the classes. */
  readonly size: number;
  /** `trainSize` or `testSize` */
  readonly sizeName: string;
  /** "training images", "test images", ... */
  readonly what: string;
  /** Draws the samples; left out: the first ones. */
  readonly draw?: Draw | undefined;
};

/**
 * Indices of `size` samples whose label is in a target class, the first ones or drawn, in the order of the source.
 * @throws InputError when a class does not occur, or there are fewer such samples than `size`.
 */
export function selectClasses(labels: ArrayLike<number>, selection: ClassSelection): Uint32Array {
  const { targetClasses, size, sizeName, what, draw } = selection;
  const counts = new Map<number, number>();
  const wanted = new Set(targetClasses.flatMap(classMembers));
  const found: number[] = [];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    counts.set(label, (counts.get(label) ?? 0) + 1);
    if (wanted.has(label)) found.push(i);
  }
  const unknown = [...wanted].find((k) => !counts.has(k));
  if (unknown !== undefined) {
    const known = [...counts.keys()].sort((a, b) => a - b).join(", ");
    throw new InputError(`targetClasses: wanted classes among ${known} (${what}), got ${unknown}`);
  }
  if (found.length < size && size !== Infinity) {
    const classes = targetClasses.map(className).join(", ");
    throw new InputError(
      `${sizeName}: wanted at most ${found.length} (${what} of classes ${classes}), got ${size}`,
    );
  }
  const chosen = draw?.(found.length, size) ?? found.slice(0, size).keys();
  return Uint32Array.from(chosen, (k) => found[k]!);
}
