/**
 * @file A plain convolutional network: convolutions of one width with an activation after each, a readout, and a dense layer.
 */
import { agree, demandName, demandWhole } from "../error.ts";
import { conv } from "../ops/conv.ts";
import type { Shape } from "../ops/op.ts";
import type { WindowOptions } from "../ops/windows.ts";
import { activationLayer, imageEnd, imageStart, type ImageOptions, type Readout } from "./images.ts";
import { serial } from "./layers.ts";
import type { Network } from "./network.ts";

/** Options of {@link cnn}. */
export type CnnOptions = ImageOptions & {
  /** L, weight layers: one less than that are convolutions. Default: 5. */
  depth?: number;
  /** Channels of every convolution. Default: 64. */
  width?: number;
  /** Of the windows, along each axis. Default: 3. */
  size?: number;
  /** Strides of the convolutions, one for each. Default: 1. */
  strides?: readonly number[];
  /** Default: "same". */
  padding?: Exclude<WindowOptions["padding"], undefined>;
  /** Default: "average", over all pixels. */
  readout?: Readout;
};

/**
 * A network of `depth - 1` convolutions, each followed by the activation, and a dense layer, on images [height, width, channels].
 * @throws InputError for sizes that are none; RangeError for what is no image, or windows that it has no room for.
 * @example
 * import { cnn } from "natgrad/network";
 *
 * const network = cnn([32, 32, 3], { depth: 5, width: 64, strides: [1, 2, 2, 2], outputs: 10 });
 * console.log(network.blocks.length, network.shapes.at(-3)); // 5 [ 4, 4, 64 ]
 */
export function cnn(inputs: Shape, options: CnnOptions = {}): Network {
  const { depth = 5, width = 64, outputs = 1, activation, channelsFirst, ...rest } = options;
  const { size = 3, padding = "same", readout = "average", strides, ...weights } = rest;
  demandWhole("depth", depth, 2);
  demandWhole("outputs", outputs);
  demandName("readout", ["average", "flatten"], readout);
  const steps = strides ?? Array.from({ length: depth - 1 }, () => 1);
  agree("strides", `${depth - 1} (one for each convolution)`, `${steps.length} (one for each convolution)`);
  const layers = steps.flatMap((stride, l) => [
    conv(width, size, { ...weights, role: l === 0 ? "input" : "hidden", stride, padding }),
    activationLayer(activation),
  ]);
  return serial(
    inputs,
    ...imageStart("cnn", inputs, { channelsFirst: channelsFirst ?? false }),
    ...layers,
    ...imageEnd(readout, outputs, weights),
  );
}
