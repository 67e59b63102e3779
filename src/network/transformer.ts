/**
 * @file A transformer encoder with normalisation before each part (Vaswani et al., arXiv 1706.03762; on images ViT, Dosovitskiy et al., arXiv
 * 2010.11929): tokens, learned positions, and blocks
 *
 *     x <- x + attention(norm(x)),    x <- x + dense(phi(dense(norm(x)))),
 *
 * then a normalisation, one list of numbers from all tokens, and a dense layer. Tokens are patches of an image, rows of [tokens, features],
 * or whole numbers that a table turns into vectors.
 */
import { agree, demandName, demandWhole } from "../error.ts";
import { conv } from "../ops/conv.ts";
import { dense } from "../ops/dense.ts";
import { embedding } from "../ops/embedding.ts";
import { globalAveragePool, globalMaxPool } from "../ops/global-pool.ts";
import { layerNorm } from "../ops/layer-norm.ts";
import { sizeOf, type Shape } from "../ops/op.ts";
import { shift } from "../ops/parameter.ts";
import type { WeightOptions } from "../ops/parameterization.ts";
import { reshape } from "../ops/reshape.ts";
import { attention } from "./attention.ts";
import { activationLayer, imageStart, type ImageOptions } from "./images.ts";
import { residual, sequence, serial, type Layer } from "./layers.ts";
import type { Network } from "./network.ts";

/** How the values of all tokens become one list. */
const POOLINGS = { average: globalAveragePool, max: globalMaxPool } as const;

/** Options of {@link transformer}. */
export type TransformerOptions = ImageOptions & {
  /** Blocks. Default: 2. */
  depth?: number;
  /** Features of a token. Default: 64. */
  width?: number;
  /** Heads of attention, which divide the width. Default: 4. */
  heads?: number;
  /** Features between the dense layers of a block, as a multiple of the width. Default: 4. */
  expansion?: number;
  /** Of images: pixels of a patch along each side. Default: 4. */
  patch?: number;
  /** Of token ids: how many there are. */
  vocabulary?: number;
  /** Whether a token sees none after it. Default: false. */
  causal?: boolean;
  /** Default: "average", over all tokens. */
  pooling?: keyof typeof POOLINGS;
};

/** Standard deviation of learned positions at the start, as in ViT and GPT-2. */
const POSITIONS = 0.02;

/**
 * A transformer on images [height, width, channels], on tokens [tokens, features], or, with a `vocabulary`, on token ids [tokens]. Its
 * activation is GELU by default.
 * @throws InputError for sizes or a pooling that are none; RangeError for samples of another shape, and a width that does not divide into heads.
 * @example
 * import { transformer } from "natgrad/network";
 *
 * const images = transformer([32, 32, 3], { depth: 2, width: 32, heads: 4, patch: 8, outputs: 10 });
 * const ids = transformer([12], { vocabulary: 100, width: 16, depth: 1 });
 * console.log(images.outputs, ids.blocks.length); // 10 12
 */
export function transformer(inputs: Shape, options: TransformerOptions = {}): Network {
  const { depth = 2, width = 64, heads = 4, expansion = 4, outputs = 1, ...rest } = options;
  const { activation = "gelu", pooling = "average", causal = false, channelsFirst, ...more } = rest;
  const { patch = 4, vocabulary, ...weights } = more;
  for (const [name, size] of Object.entries({ depth, expansion, outputs })) demandWhole(name, size);
  demandName("pooling", Object.keys(POOLINGS), pooling);
  const tokens = { width, patch, vocabulary, channelsFirst: channelsFirst ?? false, weights };
  const block = (): Layer =>
    sequence(
      residual(layerNorm(), attention({ ...weights, heads, causal })),
      residual(
        layerNorm(),
        dense(expansion * width, weights),
        activationLayer(activation),
        dense(width, weights),
      ),
    );
  return serial(
    inputs,
    ...tokensOf(inputs, tokens),
    ...Array.from({ length: depth }, block),
    layerNorm(),
    POOLINGS[pooling](),
    dense(outputs, { ...weights, role: "output" }),
  );
}

/** The layers that make tokens [tokens, width] with positions of a sample. */
function tokensOf(
  inputs: Shape,
  {
    width,
    patch,
    vocabulary,
    channelsFirst,
    weights,
  }: {
    width: number;
    patch: number;
    vocabulary: number | undefined;
    channelsFirst: boolean;
    weights: WeightOptions;
  },
): Layer[] {
  const positions = (count: number): Layer => shift([count, width], { deviation: POSITIONS });
  if (inputs.length === 1 && vocabulary !== undefined) {
    return [embedding(vocabulary, width), positions(inputs[0]!)];
  }
  const first = { ...weights, role: "input" } as const;
  if (inputs.length === 2) return [dense(width, first), positions(inputs[0]!)];
  const wanted = "images, tokens [tokens, features], or a vocabulary beside token ids";
  agree("transformer", wanted, inputs.length === 3 ? wanted : `samples [${inputs.join(", ")}]`);
  const patches = conv(width, patch, { ...first, stride: patch });
  const image = channelsFirst ? [inputs[1]!, inputs[2]!, inputs[0]!] : inputs;
  const count = sizeOf(patches.shape([image])) / width;
  return [
    ...imageStart("transformer", inputs, { channelsFirst }),
    patches,
    reshape(count, width),
    positions(count),
  ];
}
