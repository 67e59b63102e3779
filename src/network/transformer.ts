/**
 * @file The transformer (Vaswani et al., arXiv 1706.03762) with its normalisations before each part (Xiong et al., arXiv 2002.04745), on
 * tokens of a vocabulary or on sequences of features:
 *
 *     h = embedding (or dense) + positions,
 *     h += attention(norm(h)),    h += dense(phi(dense(norm(h))))        `depth` times,
 *     f = dense(mean over tokens of norm(h)),   or of the last token where it is causal.
 */
import { demandWhole } from "../error.ts";
import type { Activation } from "../ops/activation.ts";
import { dense } from "../ops/dense.ts";
import { embedding } from "../ops/embedding.ts";
import { layerNorm } from "../ops/layer-norm.ts";
import type { Shape } from "../ops/op.ts";
import type { WeightOptions } from "../ops/parameterization.ts";
import { shift } from "../ops/parameter.ts";
import { gather } from "../ops/pick.ts";
import { reduceMean } from "../ops/reduce.ts";
import { attention } from "./attention.ts";
import { activationLayer } from "./images.ts";
import { residual, serial, type Layer } from "./layers.ts";
import type { Network } from "./network.ts";

/** Options of {@link transformer}. */
export type TransformerOptions = Omit<WeightOptions, "role"> & {
  /** How many blocks. Default: 2. */
  depth?: number;
  /** Features of a token inside. Default: 64. */
  width?: number;
  /** Default: 4. */
  heads?: number;
  /** Features between the two dense layers of a block. Default: 4 width. */
  inner?: number;
  /** C, outputs. Default: 1. */
  outputs?: number;
  /** Tokens are numbers from 0 to this, itself left out, and are looked up. Default: samples are sequences of features. */
  vocabulary?: number;
  /** Whether tokens see no later ones, and the last one is read out. Default: false. */
  causal?: boolean;
  /** phi: one of natgrad's by its name, or one of your own. Default: GELU. */
  activation?: Activation | string;
};

/**
 * A transformer on [tokens, features], or with a `vocabulary` on so many tokens.
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
  const { vocabulary, causal = false, activation = "gelu", ...weights } = rest;
  demandWhole("depth", depth);
  demandWhole("width", width);
  demandWhole("inner", inner);
  demandWhole("outputs", outputs);
  const shape = typeof inputs === "number" ? [inputs] : inputs;
  const axes = vocabulary === undefined ? 2 : 1;
  if (shape.length !== axes) {
    const wanted = axes === 2 ? "samples [tokens, features]" : "samples [tokens] of a vocabulary";
    throw new RangeError(`transformer: wanted ${wanted}, got [${shape.join(", ")}]`);
  }
  const block = (): Layer[] => [
    residual(layerNorm(), attention({ ...weights, heads, causal })),
    residual(layerNorm(), dense(inner, weights), activationLayer(activation), dense(width, weights)),
  ];
  return serial(
    shape,
    vocabulary === undefined ? dense(width, { ...weights, role: "input" }) : embedding(vocabulary, width),
    shift([shape[0]!, width]),
    ...Array.from({ length: depth }, block).flat(),
    layerNorm(),
    causal ? gather({ indices: -1 }) : reduceMean({ axes: [0] }),
    dense(outputs, { ...weights, role: "output" }),
  );
}
