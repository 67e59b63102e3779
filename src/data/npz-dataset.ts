/**
 * @file Datasets as `.npz` archives in the layout of the paper's programs: arr_0 … arr_4 = x_train, y_train,
 * x_test, y_test, target_classes. Inputs and labels are float32 (float64 where that would lose digits), classes int64.
 *
 * Where a class is a group of classes, target_classes has its index, 0 … k − 1, and one more array says what is in the
 * groups: target_groups [n, 2], a row a class of the source with the index of its group. The paper's programs read such
 * an archive as any other.
 */
import { agree, demandName, InputError } from "../error.ts";
import { type Floats, type Matrix, rowRange, toFloat64 } from "../matrix/matrix.ts";
import { type NpyArray, npyMatrix, type NpySource } from "../matrix/npy.ts";
import { classGroup, classMembers, type ClassGroup } from "./classes.ts";
import { LOSS_TYPES, type Dataset, type LossType } from "./dataset.ts";
import { adaptLabels } from "./labels.ts";
import { checkFinite } from "./normalise.ts";
import { readNpz, writeNpz } from "../matrix/npz.ts";

const KEYS = {
  xTrain: "arr_0",
  yTrain: "arr_1",
  xTest: "arr_2",
  yTest: "arr_3",
  targetClasses: "arr_4",
} as const;
const GROUPS = "target_groups";

/** How much of an archive to take (all of it by default, or for Infinity), and the loss that its labels must serve. */
export type NpzOptions = {
  readonly lossType: LossType;
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
};

/**
 * Reads a dataset. Its inputs count as normalised and are taken as they are.
 * @param name what errors call the archive
 * @throws InputError naming the archive: a missing array, shapes that disagree, NaN, or fewer samples than asked for.
 */
export async function decodeDataset(bytes: Uint8Array, name: string, options: NpzOptions): Promise<Dataset> {
  const { lossType, trainSize, testSize } = options;
  demandName("loss_type", LOSS_TYPES, lossType);
  const arrays = await readNpz(bytes, name);
  const array = (key: string): NpyArray => {
    const found = arrays.get(key);
    if (found) return found;
    throw new InputError(
      `npz ${name}: wanted arrays arr_0 to arr_4, got ${[...arrays.keys()].join(", ") || "none"}`,
    );
  };
  const samples = (key: keyof typeof KEYS): Matrix<Floats> => {
    const x = npyMatrix(array(KEYS[key]), `${name} (${KEYS[key]})`);
    checkFinite(x, `npz ${name} (${KEYS[key]})`);
    return x;
  };
  const expectSame = (what: string, wanted: number, got: number): void => {
    if (wanted !== got) throw new InputError(`npz ${name}: wanted ${wanted} ${what}, got ${got}`);
  };
  const [xTrain, yTrain, xTest, yTest] = [
    samples("xTrain"),
    samples("yTrain"),
    samples("xTest"),
    samples("yTest"),
  ];
  const targetClasses = decodeClasses(array(KEYS.targetClasses), arrays.get(GROUPS), name);
  expectSame("training labels (one a sample)", xTrain.rows, yTrain.rows);
  expectSame("test labels (one a sample)", xTest.rows, yTest.rows);
  expectSame("inputs a test sample (as in training)", xTrain.cols, xTest.cols);
  expectSame("outputs a test label (as in training)", yTrain.cols, yTest.cols);
  if (targetClasses.length > 0) {
    expectSame(
      "outputs (one a class, or one for two)",
      yTrain.cols === 1 ? 1 : targetClasses.length,
      yTrain.cols,
    );
  }
  const first = (x: Matrix<Floats>, size: number | undefined, flag: string): Matrix => {
    const rows = size === undefined || size === Infinity ? x.rows : size;
    if (Number.isInteger(rows) && rows >= 1 && rows <= x.rows) return toFloat64(rowRange(x, 0, rows));
    if (x.rows === 0) throw new InputError(`npz ${name}: wanted at least one sample for ${flag}, got none`);
    throw new InputError(`${flag}: wanted 1 to ${x.rows} (samples in ${name}), got ${rows}`);
  };
  const labels = (y: Matrix<Floats>, size: number | undefined, flag: string): Matrix =>
    adaptLabels(first(y, size, flag), lossType, `npz ${name} (labels)`);
  return {
    xTrain: first(xTrain, trainSize, "train_size"),
    yTrain: labels(yTrain, trainSize, "train_size"),
    xTest: first(xTest, testSize, "test_size"),
    yTest: labels(yTest, testSize, "test_size"),
    targetClasses,
  };
}

/** @throws InputError when the groups are not those of the classes. */
function decodeClasses(
  { data }: NpyArray,
  groups: NpyArray | undefined,
  name: string,
): readonly ClassGroup[] {
  if (!groups) return Array.from(data);
  const members = Array.from(data, (): number[] => []);
  const [rows = 0, cols] = groups.shape;
  for (let n = 0; n < rows; n++) members[groups.data[2 * n + 1]!]?.push(groups.data[2 * n]!);
  // Every row has found its group, and every group a row.
  if (cols !== 2 || members.flat().length !== rows || members.some(({ length }) => length === 0)) {
    throw new InputError(
      `npz ${name}: wanted ${GROUPS} with a class and the index of its group, 0 to ${data.length - 1}, a row, ` +
        `got others of shape (${groups.shape.join(", ")})`,
    );
  }
  return members.map(classGroup);
}

/** The arrays of the classes: numbers of the source, or indices and what they stand for. */
function encodeClasses(classes: readonly ClassGroup[]): Record<string, NpySource> {
  const plain = classes.flatMap((group) => (typeof group === "number" ? [group] : []));
  const whole = plain.length === classes.length;
  const numbers = whole ? plain : [...classes.keys()];
  const rows = classes.flatMap((group, c) => classMembers(group).flatMap((k) => [k, c]));
  const int64 = (values: readonly number[]) => BigInt64Array.from(values, BigInt);
  return {
    [KEYS.targetClasses]: { shape: [numbers.length], data: int64(numbers) },
    ...(whole ? {} : { [GROUPS]: { shape: [rows.length / 2, 2], data: int64(rows) } }),
  };
}

/** A matrix to store: as float32 when that loses nothing, else as float64. */
function narrow({ rows, cols, data }: Matrix): NpySource {
  const exact = data.every((value) => Math.fround(value) === value);
  return { shape: [rows, cols], data: exact ? Float32Array.from(data) : data };
}

/**
 * Writes a dataset, without loss; the same dataset gives the same bytes.
 * @throws RangeError when samples and labels, or training and test set, do not fit together.
 */
export function encodeDataset(dataset: Dataset): Uint8Array {
  const { xTrain, yTrain, xTest, yTest } = dataset;
  agree("training labels", `${xTrain.rows} rows`, `${yTrain.rows} rows`);
  agree("test labels", `${xTest.rows} rows`, `${yTest.rows} rows`);
  agree("test inputs", `${xTrain.cols} columns`, `${xTest.cols} columns`);
  agree("test labels", `${yTrain.cols} columns`, `${yTest.cols} columns`);
  return writeNpz({
    [KEYS.xTrain]: narrow(dataset.xTrain),
    [KEYS.yTrain]: narrow(dataset.yTrain),
    [KEYS.xTest]: narrow(dataset.xTest),
    [KEYS.yTest]: narrow(dataset.yTest),
    ...encodeClasses(dataset.targetClasses),
  });
}
