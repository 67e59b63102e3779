/**
 * @file The samples of a dataset in the order of a model's input: images with their channels where the model has them.
 */
import type { Dataset, SampleShape } from "../../data/dataset.ts";
import { InputError } from "../../error.ts";
import { zeros, type Matrix } from "../../linalg/matrix.ts";
import { isModel, readOf } from "./model-option.ts";

/** A dataset as a network takes it, and a line about what was done. */
export type Arranged = { readonly dataset: Dataset; readonly notice?: string };

const text = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** Axes of more than one number: others change no order. */
const wide = (shape: readonly number[]): string => shape.filter((size) => size > 1).join();

/**
 * The dataset for a network: that of a model has its samples in the order of the model's input.
 * @throws InputError where a sample is no input of the model.
 */
export function arrangedFor(architecture: unknown, dataset: Dataset): Arranged {
  if (!isModel(architecture)) return { dataset };
  const wanted = readOf(architecture).network.shapes[0]!;
  const { sample = { shape: [dataset.xTrain.cols] } } = dataset;
  const { shape } = sample;
  if (wide(shape) === wide(wanted)) return { dataset };
  const move = channelsMoved(sample, wanted);
  if (move) {
    return {
      dataset: {
        ...dataset,
        xTrain: permuted(dataset.xTrain, shape, move),
        xTest: permuted(dataset.xTest, shape, move),
        sample: { shape: wanted, channelsFirst: sample.channelsFirst !== true },
      },
      notice: `samples ${text(shape)} are transposed to the model's input ${text(wanted)}`,
    };
  }
  const count = (axes: readonly number[]) => axes.reduce((product, size) => product * size, 1);
  const isFlat = [shape, wanted].some(({ length }) => length === 1);
  if (isFlat && count(shape) === count(wanted)) {
    return {
      dataset,
      notice: `samples ${text(shape)} are read in their order as the model's input ${text(wanted)}`,
    };
  }
  throw new InputError(
    `model: wanted one that takes samples ${text(shape)}, got one that takes ${text(wanted)} (${architecture.model})`,
  );
}

/** The axes of a sample in the order that the model has, where the channels are at the other end of it. */
function channelsMoved(
  { shape, channelsFirst = false }: SampleShape,
  wanted: readonly number[],
): readonly number[] | undefined {
  const axes = [...shape.keys()];
  const perm = channelsFirst ? [...axes.slice(1), 0] : [axes.length - 1, ...axes.slice(0, -1)];
  const fits = shape.length > 1 && perm.map((axis) => shape[axis]).join() === wanted.join();
  return fits ? perm : undefined;
}

/** Rows whose numbers [...shape] have their axes in another order. */
function permuted(x: Matrix, shape: readonly number[], perm: readonly number[]): Matrix {
  const order = places(shape, perm);
  const made = zeros(x.rows, x.cols);
  for (let n = 0; n < x.rows; n++) {
    const at = n * x.cols;
    for (let k = 0; k < x.cols; k++) made.data[at + k] = x.data[at + order[k]!]!;
  }
  return made;
}

/** Where each number of the transposed sample comes from. */
function places(shape: readonly number[], perm: readonly number[]): Uint32Array {
  const steps = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  let order = [0];
  for (const axis of perm) {
    order = order.flatMap((at) => Array.from({ length: shape[axis]! }, (_, i) => at + i * steps[axis]!));
  }
  return Uint32Array.from(order);
}
