/**
 * @file The Myrtle networks (Shankar et al., Neural Kernels Without Tangents, arXiv 2003.02237; MyrtleNetwork in the examples of Neural
 * Tangents): three groups of 3 x 3 convolutions with an average over 2 x 2 pixels after each of the first two, and one over all pixels
 * after the last. On images of 32 x 32 that last average is that of the three 2 x 2 ones of the original.
 */
import { demandName, demandWhole } from "../error.ts";
import { conv } from "../ops/conv.ts";
import type { Shape } from "../ops/op.ts";
import { averagePool } from "../ops/pool.ts";
import { activationLayer, imageEnd, imageStart, type ImageOptions } from "./images.ts";
import { serial, type Layer } from "./layers.ts";
import type { Network } from "./network.ts";

/** Convolutions of the three groups, by the number of weight layers. */
const GROUPS: Readonly<Record<number, readonly number[]>> = { 5: [2, 1, 1], 7: [2, 2, 2], 10: [3, 3, 3] };

/** Options of {@link myrtle}. */
export type MyrtleOptions = ImageOptions & {
  /** Weight layers: 5, 7 or 10. Default: 5. */
  depth?: number;
  /** Channels of every convolution. Default: 64. */
  width?: number;
};

/**
 * Myrtle-5, Myrtle-7 or Myrtle-10, on images [height, width, channels].
 * @throws InputError for another depth or sizes that are none; RangeError for what is no image, or one of fewer than 4 x 4 pixels.
 * @example
 * import { myrtle } from "natgrad/network";
 *
 * const network = myrtle([32, 32, 3], { depth: 7, width: 32, outputs: 10 });
 * console.log(network.blocks.length, network.outputs); // 7 10
 */
export function myrtle(inputs: Shape, options: MyrtleOptions = {}): Network {
  const { depth = 5, width = 64, outputs = 1, activation, channelsFirst, ...weights } = options;
  demandName("depth", Object.keys(GROUPS), String(depth));
  demandWhole("outputs", outputs);
  const layers = GROUPS[depth]!.flatMap((count, group): Layer[] => [
    ...Array.from({ length: count }, (_, l): Layer[] => [
      conv(width, 3, { ...weights, role: group + l === 0 ? "input" : "hidden", padding: "same" }),
      activationLayer(activation),
    ]).flat(),
    ...(group < 2 ? [averagePool(2)] : []),
  ]);
  return serial(
    inputs,
    ...imageStart("myrtle", inputs, { channelsFirst: channelsFirst ?? false }),
    ...layers,
    ...imageEnd("average", outputs, weights),
  );
}
