/**
 * @file A dataset from two labelled collections of images: the samples of some classes, normalised, with labels for a loss.
 * It does not matter where a collection gets its images from, so that files and browsers share this.
 */
import { agree } from "../error.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { classGroup, classMembers, selectClasses } from "./classes.ts";
import { checkSelection, type Dataset, type Selection } from "./dataset.ts";
import { encodeLabels } from "./labels.ts";
import { normalise } from "./normalise.ts";
import { samplesOf, type Draw } from "../random/permutation.ts";

/** A labelled collection that can hand out any of its images. */
export type ImageCollection = {
  /** The class of every image. */
  readonly labels: Uint8Array;
  /** Entries per image, M. */
  readonly inputs: number;
  /** [height, width, channels] of every image. Default: unknown. */
  readonly shape?: readonly number[];
  /** The flattened images [indices.length, M] at ascending `indices`. */
  readonly read: (indices: Uint32Array) => Promise<Uint8Array>;
};

/**
 * `trainSize` training and `testSize` test images of the target classes (all of them for Infinity): the first ones, or
 * those that `dataSeed` draws, in the collections' order; each split normalised by itself (see `normalise`).
 * @throws InputError naming the option or the image at fault.
 */
export async function imageDataset(
  train: ImageCollection,
  test: ImageCollection,
  selection: Selection,
): Promise<Dataset> {
  checkSelection(selection);
  const draw = selection.dataSeed === undefined ? undefined : samplesOf(selection.dataSeed);
  const [xTrain, yTrain] = await split(
    train,
    selection,
    "trainSize",
    selection.trainSize,
    "training images",
    draw,
  );
  const [xTest, yTest] = await split(test, selection, "testSize", selection.testSize, "test images", draw);
  const targetClasses = selection.targetClasses.map((group) => classGroup(classMembers(group)));
  const { shape } = train;
  return { xTrain, yTrain, xTest, yTest, targetClasses, ...(shape ? { sample: { shape } } : {}) };
}

async function split(
  images: ImageCollection,
  { targetClasses, loss }: Selection,
  sizeName: string,
  size: number,
  what: string,
  draw: Draw | undefined,
): Promise<[x: Matrix, y: Matrix]> {
  const indices = selectClasses(images.labels, { targetClasses, size, sizeName, what, draw });
  const data = await images.read(indices);
  agree(what, `${indices.length * images.inputs} numbers`, `${data.length} numbers`);
  const labels = Uint8Array.from(indices, (i) => images.labels[i]!);
  return [
    normalise({ rows: indices.length, cols: images.inputs, data }, what),
    encodeLabels(labels, targetClasses, loss),
  ];
}
