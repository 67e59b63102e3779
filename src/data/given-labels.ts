/**
 * @file Turns labels as a file has them into the targets that a loss compares outputs with.
 *
 * The layout is recognised by the numbers of the training and the test labels together, whatever their dtype:
 *
 * | layout        | shape           | numbers                                                                             |
 * | ------------- | --------------- | ----------------------------------------------------------------------------------- |
 * | class numbers | [N] or [N, 1]   | each one of the named classes, or in one of the named groups                        |
 * | indices       | [N] or [N, 1]   | whole numbers 0 to C - 1: places in the list of classes                             |
 * | signs         | [N] or [N, 1]   | two classes: one number > 0 for the first class, one number < 0 for the second      |
 * | columns       | [N, C]          | in each row one greatest number, at the class; or probabilities, which sum to 1     |
 *
 * Signs and columns are used as they are by a loss that takes any numbers as targets, as the squared error does. Labels that may
 * be class numbers or indices with different meanings (classes 1, 0) are ambiguous, and refused. Where a file names no
 * classes, its labels are targets of a regression.
 */
import { InputError } from "../error.ts";
import type { Loss } from "../loss/loss.ts";
import type { Floats, Matrix } from "../linalg/matrix.ts";
import { classMembers, className, type ClassGroup } from "./classes.ts";
import { adaptLabels, encodeLabels } from "./labels.ts";

/** Labels of a split [N, C], and what errors call them. */
export type GivenLabels = { readonly y: Matrix<Floats>; readonly what: string };

/** Encodes labels of one layout for a loss. */
export type LabelReader = (y: Matrix, what: string) => Matrix;

/**
 * Finds out which layout the labels of all splits have.
 * @throws InputError `what: wanted ..., got ...` naming every layout that there is, when they have none.
 */
export function labelReader(
  splits: readonly GivenLabels[],
  classes: readonly ClassGroup[],
  loss: Loss,
): LabelReader {
  const adapt: LabelReader = (y, what) => adaptLabels(y, loss, what);
  const anyNumbers = !loss.checkLabels;
  const columns = splits.some(({ y }) => y.cols > 1);
  const layouts = layoutsOf(classes);
  if (columns && classes.length > 0 && anyNumbers) {
    for (const { y, what } of splits) checkColumns(y, what, layouts);
  }
  if (columns || (classes.length === 0 && anyNumbers)) return adapt;

  const found = new Set(splits.flatMap(({ y }) => distinct(y)));
  if (classes.length > 0 && [...found].every((label) => Number.isInteger(label) && label >= 0)) {
    const named = asNumbers(splits, found, classes, layouts);
    return (y) => encodeLabels(y.data, named, loss);
  }
  if (classes.length !== 2 && classes.length !== 0) throw refusal(splits, classes, layouts);
  for (const { y, what } of splits) checkSigns(y, what, layouts);
  return adapt;
}

/** Notice for labels that look like classes, but are taken as targets of a regression because no classes were named. */
export function regressionHint(
  splits: readonly GivenLabels[],
  classes: readonly ClassGroup[],
): string | undefined {
  if (classes.length > 0 || splits.some(({ y }) => y.cols > 1)) return undefined;
  const found = [...new Set(splits.flatMap(({ y }) => distinct(y)))].sort((a, b) => a - b);
  const last = found.length - 1;
  if (last < 1 || !found.every((label, i) => label === i)) return undefined;
  return `labels 0 to ${last} without classes are targets of a regression; name the classes in target_classes (arr_4) to classify`;
}

/** Classes by what their labels are: their numbers, or their indices. */
function asNumbers(
  splits: readonly GivenLabels[],
  found: ReadonlySet<number>,
  classes: readonly ClassGroup[],
  layouts: string,
): readonly ClassGroup[] {
  const classOf = new Map(classes.flatMap((group, c) => classMembers(group).map((k) => [k, c])));
  const labels = [...found];
  const [first] = splits;
  const numbers = labels.every((label) => classOf.has(label));
  const indices = labels.every((label) => label < classes.length);
  if (numbers && indices && labels.some((label) => classOf.get(label) !== label)) {
    throw new InputError(
      `${first!.what}: wanted labels that are either class numbers or indices of classes ` +
        `${classes.map(className).join(", ")}, got ${labels.sort((a, b) => a - b).join(", ")}, which may be both; ` +
        "give a column for each class",
    );
  }
  if (numbers) return classes;
  if (indices) return [...classes.keys()];
  throw refusal(splits, classes, layouts);
}

/** The error of labels that are neither class numbers nor indices, or that are ambiguous; it names one or two of them. */
function refusal(
  splits: readonly GivenLabels[],
  classes: readonly ClassGroup[],
  layouts: string,
): InputError {
  const numbers = new Set(classes.flatMap(classMembers));
  const isIndex = (label: number): boolean => Number.isInteger(label) && label >= 0 && label < classes.length;
  const find = (right: (label: number) => boolean): [what: string, got: string] | undefined => {
    for (const { y, what } of splits) {
      const n = y.data.findIndex((label) => !right(label));
      if (n >= 0) return [what, `${y.data[n]} for sample ${n}`];
    }
    return undefined;
  };
  const neither = find((label) => numbers.has(label) || isIndex(label));
  const [what, got] = neither ?? find((label) => numbers.has(label))!;
  const beside = neither ? "" : ` beside ${find(isIndex)![1]}`;
  return new InputError(`${what}: wanted ${layouts}, got ${got}${beside}`);
}

/** Every layout that labels of these classes may have. */
function layoutsOf(classes: readonly ClassGroup[]): string {
  const signs = "signs (one number > 0 for the first class, one < 0 for the second)";
  if (classes.length === 0) return signs;
  const last = classes.length - 1;
  const names = classes.map(className);
  const some = names.length > 4 ? [...names.slice(0, 3), "...", names.at(-1)!] : names;
  return (
    `class numbers (${some.join(", ")}), indices (0 to ${last})${last === 1 ? `, ${signs}` : ""} or ` +
    `a column for each class with one greatest number in a row (a regression names no classes)`
  );
}

function checkSigns({ data }: Matrix<Floats>, what: string, layouts: string): void {
  for (const right of [(label: number) => label > 0, (label: number) => label < 0]) {
    const n = data.findIndex(right);
    if (n < 0) continue;
    const other = data.findIndex((label) => right(label) && label !== data[n]);
    const got = `${data[n]} for sample ${n} and ${data[other]} for sample ${other}`;
    if (other >= 0) throw new InputError(`${what}: wanted ${layouts}, got ${got}`);
  }
  const none = data.indexOf(0);
  if (none >= 0) throw new InputError(`${what}: wanted ${layouts}, got 0 for sample ${none}`);
}

function checkColumns({ rows, cols, data }: Matrix<Floats>, what: string, layouts: string): void {
  for (let n = 0; n < rows; n++) {
    const row = Array.from(data.subarray(n * cols, (n + 1) * cols));
    const greatest = Math.max(...row);
    const once = row.indexOf(greatest) === row.lastIndexOf(greatest);
    const probabilities = row.every((p) => p >= 0) && Math.abs(row.reduce((a, b) => a + b, 0) - 1) <= 1e-6;
    if (!once && !probabilities) {
      throw new InputError(`${what}: wanted ${layouts}, got ${greatest} more than once for sample ${n}`);
    }
  }
}

/** The different numbers among labels; a column of labels has few. */
const distinct = ({ data }: Matrix<Floats>): number[] => [...new Set<number>(data)];
