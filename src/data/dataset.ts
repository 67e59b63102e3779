/**
 * @file The data of an experiment, training and test samples with their labels, and the options that every source of data
 * takes.
 *
 * Shapes: N samples, M inputs per sample, C outputs. Inputs are float64 matrices whose values natgrad's own sources
 * round to float32, so that float32 and float64 networks see the same data.
 */
import { InputError } from "../error.ts";
import { demandLoss, type Loss } from "../loss/loss.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { classesFault, type ClassGroup } from "./classes.ts";

/** A training and a test set. */
export type Dataset = {
  /** [N, M] */
  readonly xTrain: Matrix;
  /** [N, C] */
  readonly yTrain: Matrix;
  /** [N', M] */
  readonly xTest: Matrix;
  /** [N', C] */
  readonly yTest: Matrix;
  /** The classes, by numbers of the source, in the order of the outputs; empty for a regression. */
  readonly targetClasses: readonly ClassGroup[];
  /** What a row of the inputs is, where it is more than a list of M numbers. */
  readonly sample?: SampleShape;
};

/** The axes of a sample, whose numbers are stored row-major: [height, width, channels] of an image. */
export type SampleShape = {
  readonly shape: readonly number[];
  /** Whether the channels are its first axis, as PyTorch has them. Default: false, they are the last. */
  readonly channelsFirst?: boolean;
};

/** Which part of a source to take. */
export type Selection = {
  /** Classes of the source, or groups of them; the loss decides how many outputs they have. */
  readonly targetClasses: readonly ClassGroup[];
  /** How many samples of these classes; Infinity for all of them. Without `dataSeed` they are the first ones. */
  readonly trainSize: number;
  readonly testSize: number;
  /** The loss that the labels are encoded for. */
  readonly loss: Loss;
  /**
   * Draws the samples of these classes by this seed, training and test samples apart, each split without replacement and in
   * the order of its source (see `samplesOf`); default: the first ones.
   */
  readonly dataSeed?: number;
};

/**
 * Checks a selection, as far as that does not depend on the source.
 * @throws InputError naming what is out of range.
 */
export function checkSelection(selection: Selection): void {
  const { targetClasses, trainSize, testSize, dataSeed = 0, loss } = selection;
  demandLoss(loss);
  for (const [name, size] of [["trainSize", trainSize] as const, ["testSize", testSize] as const]) {
    if (size !== Infinity && (!Number.isInteger(size) || size < 1))
      throw new InputError(`${name}: wanted a whole number above 0, got ${size}`);
  }
  if (!Number.isInteger(dataSeed) || dataSeed < 0 || dataSeed > 0xffffffff)
    throw new InputError(`dataSeed: wanted a whole number from 0 to 4294967295, got ${dataSeed}`);
  const fault = classesFault(targetClasses);
  if (fault !== undefined) throw new InputError(`targetClasses: ${fault}`);
}
