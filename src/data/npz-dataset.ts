/**
 * @file Datasets as `.npz` archives in the layout of the paper's programs: arr_0 … arr_4 = x_train, y_train,
 * x_test, y_test, target_classes. Inputs and labels are float32 (float64 where that would lose digits), classes int64.
 */
import { InputError } from "../error.ts";
import { type Floats, type Matrix, rowRange, toFloat64 } from "../matrix/matrix.ts";
import { type NpyArray, npyMatrix, type NpySource } from "../matrix/npy.ts";
import type { Dataset, LossType } from "./dataset.ts";
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

/** How much of an archive to take (by default all of it), and the loss that its labels must serve. */
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
  const agree = (what: string, wanted: number, got: number): void => {
    if (wanted !== got) throw new InputError(`npz ${name}: wanted ${wanted} ${what}, got ${got}`);
  };
  const [xTrain, yTrain, xTest, yTest] = [
    samples("xTrain"),
    samples("yTrain"),
    samples("xTest"),
    samples("yTest"),
  ];
  const targetClasses = Array.from(array(KEYS.targetClasses).data);
  agree("training labels (one a sample)", xTrain.rows, yTrain.rows);
  agree("test labels (one a sample)", xTest.rows, yTest.rows);
  agree("inputs a test sample (as in training)", xTrain.cols, xTest.cols);
  agree("outputs a test label (as in training)", yTrain.cols, yTest.cols);
  if (targetClasses.length > 0) {
    agree("outputs (one a class, or one for two)", yTrain.cols === 1 ? 1 : targetClasses.length, yTrain.cols);
  }
  const first = (x: Matrix<Floats>, size: number | undefined, flag: string): Matrix => {
    const rows = size ?? x.rows;
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

/** A matrix to store: as float32 when that loses nothing, else as float64. */
function narrow({ rows, cols, data }: Matrix): NpySource {
  const exact = data.every((value) => Math.fround(value) === value);
  return { shape: [rows, cols], data: exact ? Float32Array.from(data) : data };
}

/** Writes a dataset, without loss; the same dataset gives the same bytes. */
export function encodeDataset(dataset: Dataset): Uint8Array {
  return writeNpz({
    [KEYS.xTrain]: narrow(dataset.xTrain),
    [KEYS.yTrain]: narrow(dataset.yTrain),
    [KEYS.xTest]: narrow(dataset.xTest),
    [KEYS.yTest]: narrow(dataset.yTest),
    [KEYS.targetClasses]: {
      shape: [dataset.targetClasses.length],
      data: BigInt64Array.from(dataset.targetClasses, BigInt),
    },
  });
}
