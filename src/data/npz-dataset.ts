/**
 * @file Datasets as `.npz` archives in the layout of the paper's programs: arr_0 … arr_4 = x_train, y_train,
 * x_test, y_test, target_classes. Those that natgrad writes have inputs and labels in float32 (float64 where that would
 * lose digits) and classes in int64; those that it reads may have any real dtype.
 *
 * Where classes are groups, target_classes has their indices 0 … k − 1, and one more array, target_groups [n, 2], has one row per
 * class of the source with the index of its group. Samples may have any axes. Those that natgrad writes have one, and for images an
 * array sample_shape has the axes that it stands for, as (32, 32, 3). The paper's programs read such archives like any other.
 */
import { InputError, agree } from "../error.ts";
import { demandLoss, type Loss } from "../loss/loss.ts";
import { type Floats, type Matrix, selectRows, toFloat64 } from "../linalg/matrix.ts";
import { type NpyArray, npyMatrix, type NpySource } from "../linalg/npy.ts";
import { samplesOf } from "../random/permutation.ts";
import { classesFault, classGroup, classMembers, type ClassGroup } from "./classes.ts";
import type { Dataset, SampleShape } from "./dataset.ts";
import { labelReader, regressionHint } from "./given-labels.ts";
import { checkFinite, normalise } from "./normalise.ts";
import { readNpz, writeNpz } from "../linalg/npz.ts";

const KEYS = {
  xTrain: "arr_0",
  yTrain: "arr_1",
  xTest: "arr_2",
  yTest: "arr_3",
  targetClasses: "arr_4",
} as const;
const GROUPS = "target_groups";
const SAMPLE = "sample_shape";

/**
 * How much of an archive to take (all of it by default, or for Infinity), and the loss that its labels must serve. A part
 * is the first samples, or those that `dataSeed` draws, training and test samples apart (see `samplesOf`).
 */
export type NpzOptions = {
  readonly loss: Loss;
  readonly trainSize?: number | undefined;
  readonly testSize?: number | undefined;
  /** Draws the samples; by default they are the first ones. */
  readonly dataSeed?: number | undefined;
  /** The axes of a sample. Default: those of the arrays, or what an array sample_shape says. */
  readonly sampleShape?: readonly number[] | undefined;
  /** Whether channels are the first axis of a sample. Default: they are the last. */
  readonly channelsFirst?: boolean | undefined;
  /** Normalise the inputs of each split as natgrad's own (`normalise`); by default they are taken as they are. */
  readonly normalise?: boolean | undefined;
  /** Called with one line about something in the data that may be a mistake. */
  readonly notice?: ((line: string) => void) | undefined;
  /** Bytes that the arrays of the archive may take (default: any number). */
  readonly memoryLimit?: number | undefined;
};

/**
 * Reads a dataset. Samples of more than one axis, as images, are flattened row-major; labels may have any layout of
 * `given-labels.ts`.
 * @param name what errors call the archive
 * @throws InputError naming the archive: a missing array, shapes that disagree, NaN, labels of no layout, or fewer
 *   samples than asked for.
 */
export async function decodeDataset(bytes: Uint8Array, name: string, options: NpzOptions): Promise<Dataset> {
  const { loss, trainSize, testSize, dataSeed, notice = () => {}, memoryLimit: limit = Infinity } = options;
  demandLoss(loss);
  const arrays = await readNpz(bytes, name, { limit });
  const array = (key: string): NpyArray => {
    const found = arrays.get(key);
    if (found) return found;
    throw new InputError(
      `npz ${name}: wanted arrays arr_0 to arr_4, got ${[...arrays.keys()].join(", ") || "none"}`,
    );
  };
  const finite = (key: keyof typeof KEYS, x: Matrix<Floats>): Matrix<Floats> => {
    checkFinite(x, `npz ${name} (${KEYS[key]})`);
    return x;
  };
  const samples = (key: "xTrain" | "xTest") =>
    finite(key, flatten(array(KEYS[key]), `${name} (${KEYS[key]})`));
  const labelsOf = (key: "yTrain" | "yTest") =>
    finite(key, npyMatrix(array(KEYS[key]), `${name} (${KEYS[key]})`));
  const expectSame = (what: string, wanted: number | string, got: number | string): void => {
    if (wanted !== got) throw new InputError(`npz ${name}: wanted ${wanted} ${what}, got ${got}`);
  };
  const [xTrain, yTrain, xTest, yTest] = [
    samples("xTrain"),
    labelsOf("yTrain"),
    samples("xTest"),
    labelsOf("yTest"),
  ];
  const targetClasses = decodeClasses(array(KEYS.targetClasses), arrays.get(GROUPS), name);
  expectSame("training labels (one per sample)", xTrain.rows, yTrain.rows);
  expectSame("test labels (one per sample)", xTest.rows, yTest.rows);
  const [shape, testShape] = [array(KEYS.xTrain), array(KEYS.xTest)].map((x) => x.shape.slice(1));
  if (shape!.length > 1 || testShape!.length > 1) {
    expectSame(
      "as the shape of a test sample (as in training)",
      `(${shape!.join(", ")})`,
      `(${testShape!.join(", ")})`,
    );
  }
  expectSame("inputs per test sample (as in training)", xTrain.cols, xTest.cols);
  expectSame("outputs per test label (as in training)", yTrain.cols, yTest.cols);
  if (targetClasses.length > 0) {
    expectSame(
      "outputs (one per class, or one for two)",
      yTrain.cols === 1 ? 1 : targetClasses.length,
      yTrain.cols,
    );
  }
  const splits = [
    { y: yTrain, what: `npz ${name} (${KEYS.yTrain})` },
    { y: yTest, what: `npz ${name} (${KEYS.yTest})` },
  ] as const;
  const readLabels = labelReader(splits, targetClasses, loss);
  const draw = dataSeed === undefined ? undefined : samplesOf(dataSeed);
  const choose = (
    { rows }: Matrix<Floats>,
    size: number | undefined,
    split: "train" | "test",
  ): Uint32Array => {
    const count = size === undefined || size === Infinity ? rows : size;
    if (Number.isInteger(count) && count >= 1 && count <= rows)
      return draw?.(rows, count) ?? Uint32Array.from({ length: count }, (_, i) => i);
    if (rows === 0) throw new InputError(`npz ${name}: wanted at least one sample to ${split} on, got none`);
    throw new InputError(`${split}Size: wanted 1 to ${rows} (samples in ${name}), got ${count}`);
  };
  const training = choose(xTrain, trainSize, "train");
  const test = choose(xTest, testSize, "test");
  const part = (x: Matrix<Floats>, rows: Uint32Array): Matrix => toFloat64(selectRows(x, rows));
  const inputs = (x: Matrix<Floats>, rows: Uint32Array, key: string): Matrix => {
    const taken = part(x, rows);
    return options.normalise === true ? normalise(taken, `npz ${name} (${key})`) : taken;
  };
  const sample = sampleOf(options, shape!, xTrain.cols, arrays.get(SAMPLE), name);
  const dataset = {
    xTrain: inputs(xTrain, training, KEYS.xTrain),
    yTrain: readLabels(part(yTrain, training), `npz ${name} (labels)`),
    xTest: inputs(xTest, test, KEYS.xTest),
    yTest: readLabels(part(yTest, test), `npz ${name} (labels)`),
    targetClasses,
    ...(sample ? { sample } : {}),
  };
  for (const hint of [normHint(dataset.xTrain), regressionHint(splits, targetClasses)]) {
    if (hint !== undefined) notice(`${name}: ${hint}`);
  }
  return dataset;
}

/** What a sample is, by what is asked for, by its axes, or by what the file says of it; undefined for a list of numbers. */
function sampleOf(
  { sampleShape, channelsFirst = false }: NpzOptions,
  axes: readonly number[],
  inputs: number,
  stored: NpyArray | undefined,
  name: string,
): SampleShape | undefined {
  const shape = sampleShape ?? (axes.length > 1 ? axes : stored && Array.from(stored.data));
  if (!shape || shape.length < 2) {
    if (!channelsFirst) return undefined;
    throw new InputError(`channelsFirst: wanted samples of two axes or more, got one in ${name}`);
  }
  const numbers = shape.reduce((product, size) => product * size, 1);
  if (numbers !== inputs) {
    const what = sampleShape ? "sampleShape" : `npz ${name} (${SAMPLE})`;
    throw new InputError(
      `${what}: wanted axes of ${inputs} numbers, got ${shape.join(" x ")} = ${numbers} (${name})`,
    );
  }
  return { shape, ...(channelsFirst ? { channelsFirst } : {}) };
}

/** An array of samples with any axes, as a matrix [samples, entries] on the same memory. */
function flatten({ shape, data }: NpyArray, name: string): Matrix<Floats> {
  const [rows, ...sample] = shape;
  if (rows === undefined) throw new InputError(`npz ${name}: wanted an axis of samples, got shape ()`);
  return { rows, cols: sample.reduce((a, b) => a * b, 1), data };
}

/** Norms within this factor of 1 are near it. */
const NEAR = 2;

/** Notice for samples whose norm, in the root mean square, is far from that of natgrad's own. */
function normHint({ rows, data }: Matrix): string | undefined {
  const norm = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / rows);
  if (norm <= NEAR && norm >= 1 / NEAR) return undefined;
  return `wanted samples of a norm near 1, got ${Number(norm.toPrecision(2))} (root mean square); normalise scales them`;
}

/** @throws InputError when the classes are no whole numbers, or the groups are not those of the classes. */
function decodeClasses(
  { data, shape }: NpyArray,
  groups: NpyArray | undefined,
  name: string,
): readonly ClassGroup[] {
  const what = `npz ${name} (${KEYS.targetClasses})`;
  if (shape.length !== 1) throw new InputError(`${what}: wanted one axis, got shape (${shape.join(", ")})`);
  checkNumbers(data, what);
  if (!groups && data.length === 0) return [];
  const classes = groups ? decodeGroups(data, groups, name) : Array.from(data);
  const fault = classesFault(classes);
  if (fault !== undefined)
    throw new InputError(`npz ${name} (${groups ? GROUPS : KEYS.targetClasses}): ${fault}`);
  return classes;
}

/** @throws InputError when `indices`, target_classes, are not 0 … k − 1, or the rows of `groups` do not fill them. */
function decodeGroups(indices: Floats, groups: NpyArray, name: string): ClassGroup[] {
  const members = Array.from(indices, (): number[] => []);
  const [rows = 0, cols] = groups.shape;
  for (let n = 0; n < rows; n++) members[groups.data[2 * n + 1]!]?.push(groups.data[2 * n]!);
  // Every row must belong to a group, and every group must have a row.
  const filled = members.flat().length === rows && members.every(({ length }) => length > 0);
  if (groups.shape.length !== 2 || cols !== 2 || !filled) {
    throw new InputError(
      `npz ${name}: wanted ${GROUPS} with a class and the index of its group, 0 to ${indices.length - 1}, a row, ` +
        `got others of shape (${groups.shape.join(", ")})`,
    );
  }
  if (indices.some((index, k) => index !== k)) {
    throw new InputError(
      `npz ${name} (${KEYS.targetClasses}): wanted the indices of ${indices.length} groups, ` +
        `0 to ${indices.length - 1}, got ${indices.join()}`,
    );
  }
  checkNumbers(groups.data, `npz ${name} (${GROUPS})`);
  return members.map(classGroup);
}

/** @throws InputError when a number is no number of a class. */
function checkNumbers(values: Floats, what: string): void {
  const at = values.findIndex((value) => !Number.isSafeInteger(value) || value < 0);
  if (at >= 0) throw new InputError(`${what}: wanted whole numbers >= 0, got ${values[at]}`);
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
 * The arrays of a dataset, without loss.
 * @throws RangeError when samples and labels, or training and test set, do not fit together.
 */
export function datasetArrays(dataset: Dataset): Record<string, NpySource> {
  const { xTrain, yTrain, xTest, yTest, sample } = dataset;
  agree("training labels", `${xTrain.rows} rows`, `${yTrain.rows} rows`);
  agree("test labels", `${xTest.rows} rows`, `${yTest.rows} rows`);
  agree("test inputs", `${xTrain.cols} columns`, `${xTest.cols} columns`);
  agree("test labels", `${yTrain.cols} columns`, `${yTest.cols} columns`);
  return {
    [KEYS.xTrain]: narrow(xTrain),
    [KEYS.yTrain]: narrow(yTrain),
    [KEYS.xTest]: narrow(xTest),
    [KEYS.yTest]: narrow(yTest),
    ...encodeClasses(dataset.targetClasses),
    ...(sample
      ? { [SAMPLE]: { shape: [sample.shape.length], data: BigInt64Array.from(sample.shape, BigInt) } }
      : {}),
  };
}

/**
 * Writes a dataset, without loss; the same dataset gives the same bytes.
 * @throws RangeError where samples and labels do not fit together.
 */
export const encodeDataset = (dataset: Dataset): Uint8Array => writeNpz(datasetArrays(dataset));
