/**
 * @file Multi-head self-attention (Vaswani et al., arXiv 1706.03762) as a layer of ops: with queries, keys and values of each head
 * from token-wise dense layers,
 *
 *     y = dense(softmax(s q k^T + mask) v),    s = 1 / sqrt(d),
 *
 * d the width of a head, and the heads side by side before the last layer. Its four matrices are blocks like any others.
 */
import { demand, demandWhole } from "../error.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { dense, type DenseOptions } from "../ops/dense.ts";
import { matmul } from "../ops/matmul.ts";
import { reshape } from "../ops/reshape.ts";
import { softmax } from "../ops/softmax.ts";
import { transpose } from "../ops/transpose.ts";
import { printed } from "../ops/axes.ts";
import type { Composite } from "./layers.ts";
import type { Builder } from "./network.ts";

/** Options of {@link attention}: those of its dense layers, and its own. */
export type AttentionOptions = DenseOptions & {
  /** Default: 1. */
  heads?: number;
  /** Of all heads together, in queries, keys and values. Default: that of what comes in. */
  width?: number;
  /** Features of what goes out. Default: those of what comes in. */
  outputs?: number;
  /** Whether a token sees none after it. Default: false. */
  causal?: boolean;
  /** s. Default: 1 / sqrt(d). */
  scale?: number;
};

/**
 * The layer that gives every token of [tokens, features] an average of all tokens, weighted by how their queries and keys agree. With a
 * second value (`builder` and `append`) keys and values are of that one.
 * @throws InputError for heads, a width or a scale that are none; RangeError, when the network is made, for values that are not
 * [tokens, features], and a width that does not divide into heads.
 * @example
 * import { dense, serial } from "natgrad";
 * import { attention, globalAveragePool, layerNorm, residual } from "natgrad/network";
 *
 * const block = residual(layerNorm(), attention({ heads: 2, causal: true }));
 * console.log(serial([5, 8], block, globalAveragePool(), dense(2)).blocks.length); // 6
 */
export function attention({
  heads = 1,
  width,
  outputs,
  causal = false,
  scale,
  ...options
}: AttentionOptions = {}): Composite {
  demandWhole("heads", heads);
  if (scale !== undefined) demand(Number.isFinite(scale) && scale > 0, "scale", "a number > 0", scale);
  return {
    name: "attention",
    append(b, inputs) {
      const [x, of = x] = inputs as readonly [number, number?];
      const { tokens, features } = sizesOf(b, x);
      const inner = width ?? features;
      const d = inner / heads;
      if (!Number.isInteger(d)) {
        throw new RangeError(`attention: wanted a width that ${heads} heads divide, got ${inner}`);
      }
      /** [tokens, inner] as heads with their axes in an order. */
      const split = (value: number, ...order: number[]): number => {
        const projected = b.apply(dense(inner, options), [value]);
        const parts = b.apply(reshape(sizesOf(b, value).tokens, heads, d), [projected]);
        return b.apply(transpose(...order), [parts]);
      };
      const q = split(x, 1, 0, 2);
      const k = split(of, 1, 2, 0);
      const v = split(of, 1, 0, 2);
      const factor = { shape: [], data: [scale ?? 1 / Math.sqrt(d)] };
      const scores = b.apply(mul(factor), [b.apply(matmul(), [q, k])]);
      const seen = causal ? b.apply(add(causalMask(tokens, sizesOf(b, of).tokens)), [scores]) : scores;
      const mixed = b.apply(matmul(), [b.apply(softmax(), [seen]), v]);
      const joined = b.apply(reshape(tokens, inner), [b.apply(transpose(1, 0, 2), [mixed])]);
      return [b.apply(dense(outputs ?? features, options), [joined])];
    },
  };
}

function sizesOf(b: Builder, value: number): { tokens: number; features: number } {
  const shape = b.shape(value);
  if (shape.length === 2) return { tokens: shape[0]!, features: shape[1]! };
  throw new RangeError(`attention: wanted values [tokens, features], got ${printed(shape)}`);
}

/** What is added to scores of tokens that are not seen: their weights are 0 in either precision, and no number is infinite. */
const UNSEEN = -1e9;

/** 0 where token s is not after token t, [tokens, of]. */
const causalMask = (tokens: number, of: number) => ({
  shape: [tokens, of],
  data: Array.from({ length: tokens * of }, (_, i) => (i % of > Math.floor(i / of) ? UNSEEN : 0)),
});
