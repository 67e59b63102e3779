/**
 * @file The transformer (Vaswani et al., arXiv 1706.03762) with its normalisations before each part (Xiong et al., arXiv 2002.04745), on
 * tokens of a vocabulary, on sequences of features, or on patches of images (Dosovitskiy et al., arXiv 2010.11929):
 *
 *     h = embedding (or dense) + positions,
 *     h += attention(norm(h)),    h += dense(phi(dense(norm(h))))        `depth` times,
 *     f = dense(mean over tokens of norm(h)),   or of the last token where it is causal.
 */
import { demandWhole } from "../error.ts";
import { conv } from "../ops/conv.ts";
import { dense } from "../ops/dense.ts";
import { embedding } from "../ops/embedding.ts";
import { layerNorm } from "../ops/layer-norm.ts";
import { sizeOf, type Shape } from "../ops/op.ts";
import type { WeightOptions } from "../ops/parameterization.ts";
import { shift } from "../ops/parameter.ts";
import { gather } from "../ops/pick.ts";
import { reduceMean } from "../ops/reduce.ts";
import { attention } from "./attention.ts";
import { reshape } from "../ops/reshape.ts";
import { activationLayer, imageStart, type ImageOptions } from "./images.ts";
import { residual, serial, type Layer } from "./layers.ts";
import type { Network } from "./network.ts";

/** Options of {@link transformer}. */
export type TransformerOptions = ImageOptions & {
  /** How many blocks. Default: 2. */
  depth?: number;
  /** Features of a token inside. Default: 64. */
  width?: number;
  /** Default: 4. */
  heads?: number;
  /** Features between the two dense layers of a block. Default: 4 width. */
  inner?: number;
  /** Tokens are numbers from 0 to this, itself left out, and are looked up. Default: samples are sequences of features. */
  vocabulary?: number;
  /** Whether tokens see no later ones, and the last one is read out. Default: false. */
  causal?: boolean;
  /** Of images: pixels of a patch along each side. Default: 4. */
  patch?: number;
};

/**
 * A transformer on [tokens, features], on patches of images [height, width, channels], or with a `vocabulary` on so many tokens. Its activation
 * is GELU by default.
 * @throws InputError for sizes that are none; RangeError for samples that are no sequences, and a width that does not divide into heads.
 * @example
 * import { transformer } from "natgrad/network";
 *
 * const ofFeatures = transformer([16, 8], { depth: 1, width: 32, outputs: 10 });
 * const ofTokens = transformer(16, { vocabulary: 100, depth: 1, width: 32, outputs: 10, causal: true });
 * console.log(ofFeatures.blocks.length, ofTokens.blocks.length); // 12 12
 */
export function transformer(inputs: number | Shape, options: TransformerOptions = {}): Network {
  const { depth = 2, width = 64, heads = 4, inner = 4 * width, outputs = 1, ...rest } = options;
  const { vocabulary, causal = false, activation = "gelu", patch = 4, channelsFirst, ...weights } = rest;
  demandWhole("depth", depth);
  demandWhole("width", width);
  demandWhole("inner", inner);
  demandWhole("outputs", outputs);
  const shape = typeof inputs === "number" ? [inputs] : inputs;
  const start = { vocabulary, width, patch, channelsFirst: channelsFirst ?? false, weights };
  const block = (): Layer[] => [
    residual(layerNorm(), attention({ ...weights, heads, causal })),
    residual(layerNorm(), dense(inner, weights), activationLayer(activation), dense(width, weights)),
  ];
  return serial(
    shape,
    ...tokensOf(shape, start),
    ...Array.from({ length: depth }, block).flat(),
    layerNorm(),
    causal ? gather({ indices: -1 }) : reduceMean({ axes: [0] }),
    dense(outputs, { ...weights, role: "output" }),
  );
}

/** What the first layers depend on. */
type Start = {
  readonly vocabulary: number | undefined;
  readonly width: number;
  readonly patch: number;
  readonly channelsFirst: boolean;
  readonly weights: WeightOptions;
};

/** The layers that make [tokens, width] of a sample, with positions. */
function tokensOf(shape: Shape, { vocabulary, width, patch, channelsFirst, weights }: Start): Layer[] {
  const isKnown = vocabulary === undefined ? shape.length === 2 || shape.length === 3 : shape.length === 1;
  if (!isKnown) {
    const wanted =
      vocabulary === undefined ? "samples [tokens, features]" : "samples [tokens] of a vocabulary";
    throw new RangeError(`transformer: wanted ${wanted}, got [${shape.join(", ")}]`);
  }
  if (vocabulary !== undefined) return [embedding(vocabulary, width), shift([shape[0]!, width])];
  const first = { ...weights, role: "input" } as const;
  if (shape.length === 2) return [dense(width, first), shift([shape[0]!, width])];
  const image = channelsFirst ? [shape[1]!, shape[2]!, shape[0]!] : shape;
  const patches = conv(width, patch, { ...first, stride: patch });
  const count = sizeOf(patches.shape([image])) / width;
  return [
    ...imageStart("transformer", shape, { channelsFirst }),
    patches,
    reshape(count, width),
    shift([count, width]),
  ];
}
