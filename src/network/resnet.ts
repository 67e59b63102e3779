/**
 * @file Residual networks of convolutions, in two forms:
 *
 * - `wide`: WideResnet in the examples of Neural Tangents (Zagoruyko & Komodakis, arXiv 1605.07146): a block adds [activation, convolution]
 *   twice to its input, and the first block of a group to a 3 x 3 convolution of it;
 * - `standard`: ResNet-18 and its like (He et al., arXiv 1512.03385), with the first convolution of the form for small images: a block
 *   adds convolution, activation, convolution to its input, which a 1 x 1 convolution fits where its shape changes, and an
 *   activation follows.
 *
 * Channels double from group to group, and the stride of every group but the first is 2.
 */
import { demand, demandName, demandWhole } from "../error.ts";
import { conv, type ConvOptions } from "../ops/conv.ts";
import type { Shape } from "../ops/op.ts";
import { sum } from "../ops/sum.ts";
import { activationLayer, imageEnd, imageStart, type ImageOptions } from "./images.ts";
import { parallel, sequence, serial, type Layer } from "./layers.ts";
import type { Network } from "./network.ts";

/** Forms of blocks. */
const FORMS = ["wide", "standard"] as const;

/** Options of {@link resnet}. */
export type ResnetOptions = ImageOptions & {
  form?: (typeof FORMS)[number];
  /** Blocks of each group. Default: 1, 1, 1 in the wide form, and 2, 2, 2, 2 in the standard one (ResNet-18). */
  blocks?: readonly number[];
  /** Channels of the first group. Default: 64. */
  width?: number;
  /** Channels of the first convolution. Default: 16 in the wide form, and `width` in the standard one. */
  stem?: number;
  /** Makes the layer that follows each convolution of the standard form, as a normalisation. Default: none. */
  norm?: () => Layer;
};

/**
 * A residual network on images [height, width, channels].
 * @throws InputError for a form or sizes that are none; RangeError for what is no image.
 * @example
 * import { resnet } from "natgrad/network";
 *
 * const wide = resnet([32, 32, 3], { blocks: [1, 1, 1], width: 32, outputs: 10 });
 * const resnet18 = resnet([32, 32, 3], { form: "standard", width: 64, outputs: 10 });
 * console.log(wide.blocks.length, resnet18.blocks.length); // 11 21
 */
export function resnet(inputs: Shape, options: ResnetOptions = {}): Network {
  const { form = "wide", width = 64, outputs = 1, activation, channelsFirst, ...rest } = options;
  demandName("form", FORMS, form);
  const isWide = form === "wide";
  const {
    blocks = isWide ? [1, 1, 1] : [2, 2, 2, 2],
    stem = isWide ? 16 : width,
    norm = sequence,
    ...weights
  } = rest;
  demand(blocks.length > 0, "blocks", "one group or more", blocks);
  for (const count of blocks) demandWhole("blocks", count);
  demandWhole("outputs", outputs);

  const convolve = (channels: number, size: number, more: ConvOptions = {}): Layer =>
    sequence(conv(channels, size, { ...weights, padding: "same", ...more }), isWide ? sequence() : norm());
  const phi = (): Layer => activationLayer(activation);

  const wideBlock = (channels: number, stride: number, isFirst: boolean): Layer => {
    const main = sequence(phi(), convolve(channels, 3, { stride }), phi(), convolve(channels, 3));
    return parallel([main, isFirst ? convolve(channels, 3, { stride }) : sequence()], sum());
  };
  const standardBlock = (channels: number, stride: number, changes: boolean): Layer => {
    const main = sequence(convolve(channels, 3, { stride }), phi(), convolve(channels, 3));
    const shortcut = changes ? convolve(channels, 1, { stride }) : sequence();
    return sequence(parallel([main, shortcut], sum()), phi());
  };
  const groups = blocks.flatMap((count, group) => {
    const channels = width * 2 ** group;
    const before = group === 0 ? stem : channels / 2;
    const stride = group === 0 ? 1 : 2;
    return Array.from({ length: count }, (_, b) => {
      const isFirst = b === 0;
      const step = isFirst ? stride : 1;
      if (isWide) return wideBlock(channels, step, isFirst);
      return standardBlock(channels, step, isFirst && (step > 1 || before !== channels));
    });
  });
  return serial(
    inputs,
    ...imageStart("resnet", inputs, { channelsFirst: channelsFirst ?? false }),
    convolve(stem, 3, { role: "input" }),
    ...(isWide ? [] : [phi()]),
    ...groups,
    ...imageEnd("average", outputs, weights),
  );
}
