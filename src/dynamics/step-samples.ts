/**
 * @file The samples of a step: which are linearised, which are only evaluated beside them, and how outputs of both come
 * back into the order of the batch. Last bits depend on the rows of a product, so that what is linearised is the same
 * whether or not anything is evaluated.
 */
import { rowRange, selectRows, stackRows, type Floats, type Matrix } from "../linalg/matrix.ts";
import type { Outputs } from "./function-space.ts";

/** What a trainer trains on: all samples in one matrix, training samples first. */
export type Batch = {
  /** [N + N', M_0]. */
  readonly x: Matrix<Floats>;
  /** Labels of the training samples [N, C]. */
  readonly y: Matrix;
};

/** The samples of a step. */
export type StepSamples = {
  /** How many it is taken on. */
  readonly n: number;
  /** Those, and what is evaluated in the same pass. */
  readonly rows: Matrix<Floats>;
  /** Labels of those [n, C]. */
  readonly labels: Matrix;
  /** What is evaluated in a pass of its own. */
  readonly rest?: Matrix<Floats>;
  /** Outputs of the batch from those of `rows` and of `rest`. */
  readonly restore: (f: Matrix, beside?: Matrix) => Outputs;
};

/** Which samples a step is taken on, and whether the others are evaluated. */
export type Choice = {
  readonly samples?: ArrayLike<number>;
  readonly evaluate?: boolean;
};

/** Outputs of a batch [n + n', C] as those of its n training samples and of the others. */
export const splitOutputs = (f: Matrix, n: number): Outputs => ({
  train: rowRange(f, 0, n),
  test: rowRange(f, n, f.rows),
});

/**
 * The samples of a step.
 * @param together whether test samples go with all training samples, in one pass
 */
export const stepSamples = (
  batch: Batch,
  { samples, evaluate = true }: Choice,
  together: boolean,
): StepSamples =>
  samples
    ? ofSome(batch, samples, evaluate)
    : together
      ? ofAll(batch, evaluate)
      : ofTraining(batch, evaluate);

/** All training samples, and with them the test samples. */
function ofAll({ x, y }: Batch, evaluate: boolean): StepSamples {
  const n = y.rows;
  return {
    n,
    rows: x,
    labels: y,
    restore: (f) => splitOutputs(evaluate ? f : rowRange(f, 0, n), n),
  };
}

/** All training samples; test samples by themselves. */
function ofTraining({ x, y }: Batch, evaluate: boolean): StepSamples {
  const n = y.rows;
  return {
    n,
    rows: rowRange(x, 0, n),
    labels: y,
    ...(evaluate ? { rest: rowRange(x, n, x.rows) } : {}),
    restore: (f, beside) => (beside ? { train: f, test: beside } : splitOutputs(f, n)),
  };
}

/** A mini-batch; everything else by itself. */
function ofSome({ x, y }: Batch, samples: ArrayLike<number>, evaluate: boolean): StepSamples {
  const n = samples.length;
  const part = { n, rows: selectRows(x, samples), labels: selectRows(y, samples) };
  if (!evaluate) return { ...part, restore: (f) => splitOutputs(f, n) };
  const rest = others(samples, x.rows);
  // Back to the order of the batch.
  const order = inverse([...Array.from(samples), ...rest]);
  return {
    ...part,
    rest: selectRows(x, rest),
    restore: (f, beside) => splitOutputs(selectRows(stackRows([f, beside!]), order), y.rows),
  };
}

/** 0 ... count - 1 without `taken`. */
function others(taken: ArrayLike<number>, count: number): number[] {
  const set = new Set(Array.from(taken));
  return Array.from({ length: count }, (_, i) => i).filter((i) => !set.has(i));
}

/** Where each number of a permutation stands. */
function inverse(order: readonly number[]): Uint32Array {
  const out = new Uint32Array(order.length);
  for (const [at, i] of order.entries()) out[i] = at;
  return out;
}
