/**
 * @file Normalisation of each position by itself: layer normalisation (Ba et al., arXiv 1607.06450) and RMS normalisation, without the
 * mean (Zhang & Sennrich, arXiv 1910.07467).
 */
import { demandWhole } from "../error.ts";
import { normalisation, type NormalisationOptions, type View } from "./normalisation.ts";
import type { Op, Shape } from "./op.ts";

/** Options of {@link layerNorm} and {@link rmsNorm}. */
export type LayerNormOptions = NormalisationOptions & {
  /** Over how many of the last axes; each of their numbers has a gain and shift of its own. Default: 1. */
  axes?: number;
};

/**
 * The op (x - mean) / sqrt(variance + epsilon) gain + shift over the last axis of [..., features], or the last `axes`. Gains start at 1
 * and shifts at 0: theta [features, 2].
 * @throws InputError for axes or an epsilon that are none; RangeError (the op) for values with fewer axes.
 * @example
 * import { dense, serial } from "natgrad";
 * import { layerNorm } from "natgrad/network";
 *
 * const network = serial(8, dense(16), layerNorm(), dense(1));
 * console.log(network.blocks[1]?.fanOut, network.blocks[1]?.columns); // 16 2
 */
export const layerNorm = (options: LayerNormOptions = {}): Op => lastAxes("layerNorm", true, options);

/**
 * The op x / sqrt(mean(x^2) + epsilon) gain over the last axis, or the last `axes`. Gains start at 1: theta [features, 1].
 * @throws as {@link layerNorm} does.
 * @example
 * import { rmsNorm } from "natgrad/network";
 *
 * console.log(rmsNorm().shape([[5, 16]])); // [ 5, 16 ]
 */
export const rmsNorm = (options: LayerNormOptions = {}): Op =>
  lastAxes("rmsNorm", false, { shift: false, ...options });

function lastAxes(name: string, centred: boolean, { axes = 1, ...options }: LayerNormOptions): Op {
  demandWhole("axes", axes);
  const view = (shape: Shape): View => {
    if (shape.length >= axes) return { shape, axes: shape.slice(-axes).map((_, i) => i - axes) };
    throw new RangeError(`${name}: wanted values with ${axes} axes or more, got ${shape.length}`);
  };
  return normalisation({ name, view, centred, own: axes }, options);
}
