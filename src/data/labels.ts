/**
 * @file Labels of a dataset encoded for a loss (`encode` and `checkLabels` of src/loss).
 */
import { InputError } from "../error.ts";
import type { Loss } from "../loss/loss.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { classMembers, className, type ClassGroup } from "./classes.ts";

/**
 * Labels [N, C] of samples whose classes are known.
 * @param labels the class of each sample, by its number in the source
 * @param targetClasses the classes, or groups of them, in the order of the outputs
 */
export function encodeLabels(
  labels: ArrayLike<number>,
  targetClasses: readonly ClassGroup[],
  loss: Loss,
): Matrix {
  const indexOf = new Map(targetClasses.flatMap((group, c) => classMembers(group).map((k) => [k, c])));
  const indices = Array.from(labels, (label) => {
    const c = indexOf.get(label);
    if (c !== undefined) return c;
    throw new InputError(`labels: wanted one of ${targetClasses.map(className).join(", ")}, got ${label}`);
  });
  return loss.encode(indices, targetClasses.length);
}

/**
 * Labels [N, C] that were made for any loss, adapted to `loss`: where that takes labels of classes alone, a single column of
 * signs becomes the labels of two classes. All other labels stay as they are.
 * @throws InputError when the loss refuses them.
 */
export function adaptLabels(y: Matrix, loss: Loss, what: string): Matrix {
  if (!loss.checkLabels) return y;
  if (y.cols === 1) {
    const classes = Array.from(y.data, (label, n) => {
      if (label !== 0) return label > 0 ? 0 : 1;
      throw new InputError(`${what}: wanted a sign for ${loss.name}, got 0 for sample ${n}`);
    });
    return loss.encode(classes, 2);
  }
  loss.checkLabels(y, what);
  return y;
}
