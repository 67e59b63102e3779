/**
 * @file Applies an update given by its coefficients: U_l = K_l^T Delta_l, theta_l += factor * U_l^T H_l.
 */
import type { Engine, FloatArray } from "../engine/engine.ts";
import { agree, demandFinite } from "../error.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { addRow } from "../linalg/vector-product.ts";
import { createJacobian } from "./jacobian.ts";
import type { LayerLinearization } from "./linearize.ts";
import {
  append,
  createFolder,
  lend,
  MAX_RANK,
  rankOf,
  type LayerWeights,
  type Place,
  type Weights,
} from "./weights.ts";

/** How the signals of a batch combine into U_l [N, fanOut]. */
export type Coefficients =
  /** U_l[n] = sum_c values[n, c] Delta_l[n, c]. */
  | { readonly kind: "per-sample"; readonly values: Float64Array }
  /** U_l = matrix^T Delta_l with a full matrix [N C, N]. */
  | { readonly kind: "mixing"; readonly matrix: Matrix }
  /** U_l itself [N, fanOut]. */
  | { readonly kind: "update"; readonly matrix: Matrix }
  /** The update of theta_l itself [fanOut, columns], for blocks that are kept as rows. */
  | { readonly kind: "whole"; readonly matrix: Matrix }
  /** No update. */
  | { readonly kind: "none" };

/** Applies updates to weights. */
export type Updater = {
  /** U_l [N, fanOut], written to `out` (default: a new array). */
  combine(
    layer: LayerLinearization,
    how: Coefficients,
    factor?: number,
    out?: FloatArray,
  ): Promise<FloatArray>;
  /**
   * Folds the factors of layers that have no place for `n` more rows, and lends the places of those that have (undefined:
   * their steps go into the wide matrix). Before a linearisation rather than after the step before it: the pass is then on
   * plain weights, and the last step of a run folds nothing.
   */
  makeRoom(weights: Weights, n: number): Promise<(Place | undefined)[]>;
  /** theta_l += factor * U_l^T H_l; `place`: where H_l lies, if it was put where {@link makeRoom} said. */
  apply(
    weights: LayerWeights,
    layer: LayerLinearization,
    how: Coefficients,
    factor: number,
    place?: Place,
  ): Promise<void>;
};

/** The updater of an engine. */
export function createUpdater(engine: Engine): Updater {
  const folder = createFolder(engine);
  const jacobian = createJacobian(engine);

  const combine: Updater["combine"] = async (layer, how, factor = 1, out) => {
    const N = layer.inputs.rows;
    const target = out ?? engine.floats(N * layer.signals.cols);
    checkCoefficients(layer, how, factor);
    agree("U", `${N * layer.signals.cols} numbers`, `${target.length} numbers`);
    if (how.kind === "per-sample") {
      combinePerSample(target, layer.signals.data, how.values, N, layer.signals.cols, factor);
    } else if (how.kind === "mixing") {
      const scaled = how.matrix.data.map((x) => factor * x);
      const K = engine.tensor(scaled, [how.matrix.rows, how.matrix.cols]);
      const delta = engine.tensor(layer.signals.data, [layer.signals.rows, layer.signals.cols]);
      const U = { columns: layer.signals.cols, fanOut: N, base: target.fill(0) };
      await folder.accumulate(U, delta, K);
    } else if (how.kind === "whole") {
      throw new RangeError(
        "coefficients: wanted those of outer products, got the update of the weights itself",
      );
    } else if (how.kind === "update") {
      const { data } = how.matrix;
      for (let i = 0; i < data.length; i++) target[i] = factor * data[i]!;
    } else {
      target.fill(0);
    }
    return target;
  };

  return {
    combine,
    async makeRoom(weights, n) {
      for (const layer of weights)
        if (layer.lowRank && rankOf(layer) + n > MAX_RANK) await folder.fold(layer);
      return weights.map((layer) => lend(engine, layer, n));
    },
    async apply(weights, layer, how, factor, place) {
      checkCoefficients(layer, how, factor);
      agree("weights", `${layer.fanOut} x ${layer.columns}`, `${weights.fanOut} x ${weights.columns}`);
      if (how.kind === "none") return;
      if (how.kind === "whole") return addWhole(weights.base, how.matrix.data, factor);
      const N = layer.inputs.rows;
      if (N >= MAX_RANK || !weights.lowRank) {
        await folder.fold(weights);
        if (how.kind === "per-sample") {
          return jacobian.addTransposed(
            weights.base,
            layer,
            how.values.map((x) => factor * x),
          );
        }
        const U = engine.tensor(await combine(layer, how, factor), [N, layer.signals.cols]);
        const theta = { columns: layer.inputs.cols, fanOut: layer.signals.cols, base: weights.base };
        return folder.accumulate(theta, engine.tensor(layer.inputs.data, [N, layer.inputs.cols]), U);
      }
      if (rankOf(weights) + N > MAX_RANK) await folder.fold(weights);
      await combine(layer, how, factor, append(engine, weights, layer.inputs, place));
    },
  };
}

/** @throws RangeError for coefficients that are not of this layer on these samples; InputError for a factor that is none. */
function checkCoefficients(
  { inputs, signals, fanOut, columns }: LayerLinearization,
  how: Coefficients,
  factor: number,
): void {
  demandFinite("factor", factor);
  if (how.kind === "per-sample") {
    agree("coefficients", `${signals.rows} numbers`, `${how.values.length} numbers`);
  } else if (how.kind !== "none") {
    const wanted = {
      mixing: [signals.rows, inputs.rows],
      update: [inputs.rows, signals.cols],
      whole: [fanOut, columns],
    } as const;
    const [rows, cols] = wanted[how.kind];
    agree("coefficients", `${rows} x ${cols}`, `${how.matrix.rows} x ${how.matrix.cols}`);
  }
}

/** target += factor * update, in place. */
function addWhole(target: FloatArray, update: Float64Array, factor: number): void {
  for (let i = 0; i < update.length; i++) target[i]! += factor * update[i]!;
}

function combinePerSample(
  target: FloatArray,
  signals: FloatArray,
  values: Float64Array,
  samples: number,
  width: number,
  factor: number,
): void {
  const outputs = values.length / samples;
  target.fill(0);
  for (let row = 0; row < values.length; row++) {
    const to = Math.floor(row / outputs) * width;
    addRow(target, to, signals, row * width, width, factor * values[row]!);
  }
}
