/**
 * @file What networks on images have in common: how they begin, how they end, and the options of their weights.
 */
import { agree } from "../error.ts";
import { activation as activationOp, type Activation } from "../ops/activation.ts";
import { activationNamed } from "../ops/activations/index.ts";
import { dense } from "../ops/dense.ts";
import { flatten } from "../ops/flatten.ts";
import { globalAveragePool } from "../ops/global-pool.ts";
import type { Op, Shape } from "../ops/op.ts";
import type { WeightOptions } from "../ops/parameterization.ts";
import { RELU } from "../ops/relu.ts";
import { reshape } from "../ops/reshape.ts";
import { transpose } from "../ops/transpose.ts";
import type { Layer } from "./layers.ts";

/** Options of networks on images. */
export type ImageOptions = Omit<WeightOptions, "role"> & {
  /** C, outputs. Default: 1. */
  outputs?: number;
  /** phi: one of natgrad's by its name, or one of your own. Default: ReLU. */
  activation?: Activation | string;
  /** Whether images are stored [channels, height, width]. Default: false, channels are last. */
  channelsFirst?: boolean;
};

/** The layers that make images [height, width, channels] of what is stored; [height, width] is one channel. */
export function imageStart(
  what: string,
  inputs: Shape,
  { channelsFirst = false }: Pick<ImageOptions, "channelsFirst">,
): Layer[] {
  const wanted = channelsFirst ? "images [channels, height, width]" : "images [height, width, channels]";
  const isImage = inputs.length === 3 || inputs.length === 2;
  agree(what, wanted, isImage ? wanted : `samples [${inputs.join(", ")}]`);
  if (inputs.length === 2) return [reshape(...inputs, 1)];
  return channelsFirst ? [transpose(1, 2, 0)] : [];
}

/** How the values at all pixels become one list: their average per channel, or all of them. */
export type Readout = "average" | "flatten";

/** The layers from images to outputs. */
export const imageEnd = (readout: Readout, outputs: number, weights: WeightOptions): Layer[] => [
  readout === "flatten" ? flatten() : globalAveragePool(),
  dense(outputs, { ...weights, role: "output" }),
];

/** The op of an activation, or of one of natgrad's by its name. */
export const activationLayer = (phi: Activation | string = RELU): Op =>
  activationOp(typeof phi === "string" ? activationNamed(phi) : phi);
