/**
 * @file Networks with attention of Neural Tangents in float64 (test/fixtures/peers, networks.npz): outputs, the NTK, and that of each weight.
 * With two heads of four channels for queries and keys and three for values, built of ops here; there
 *
 *     Q, K, V [heads, in, channels]:        theta [(heads, channels), in]
 *     O [(channels, heads), out], b [out]:  theta [out, (heads, channels)], bias last
 *     positions [1, tokens, in]:            theta [in, tokens]
 */
import { describe, it } from "vitest";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { residual, serial, type Composite } from "../../src/network/layers.ts";
import type { Network } from "../../src/network/network.ts";
import { activationNamed } from "../../src/ops/activations/index.ts";
import { OPS } from "../../src/ops/index.ts";
import type { BlockShape } from "../../src/ops/op.ts";
import { peerFixture } from "../support/fixtures.ts";
import { expectKernels } from "../support/peer-kernels.ts";

const {
  activation,
  dense,
  globalAveragePool,
  layerNorm,
  matmul,
  mul,
  relu,
  reshape,
  shift,
  softmax,
  transpose,
} = OPS;

const fixture = await peerFixture("networks");

const bias = { weightVariance: 2, biasVariance: 0.1 };
const bare = layerNorm({ gain: false, shift: false, epsilon: 1e-12 });

const [TOKENS, HEADS, KEYS, VALUES] = [5, 2, 4, 3];
const plain = (deviation: number) => ({ weightVariance: deviation ** 2, biasVariance: 0 });

/** softmax(scale q k^T) v of two heads and a layer on them; `tied`: queries and keys have one weight. */
const attention = ({
  positions,
  tied,
  scale,
}: {
  positions: boolean;
  tied: boolean;
  scale: number;
}): Composite => ({
  name: "attention",
  append(b, [x]) {
    const h = positions ? b.apply(shift([TOKENS, 6]), [x!]) : x!;
    const heads = (channels: number, order: readonly number[], u: number): number =>
      b.apply(transpose(...order), [b.apply(reshape(TOKENS, HEADS, channels), [u])]);
    const queries = (deviation: number, options = {}) =>
      b.apply(dense(HEADS * KEYS, plain(deviation)), [h], options);
    const both = Math.sqrt(2 * 1.5);
    const q = queries(tied ? both : 2);
    const k = tied ? queries(both, { shares: b.blocks.length - 1 }) : queries(1.5);
    const scores = b.apply(matmul(), [heads(KEYS, [1, 0, 2], q), heads(KEYS, [1, 2, 0], k)]);
    const v = heads(VALUES, [1, 0, 2], b.apply(dense(HEADS * VALUES, plain(1.25)), [h]));
    const weights = b.apply(softmax(), [b.apply(mul({ shape: [], data: [scale] }), [scores])]);
    const mixed = b.apply(transpose(1, 0, 2), [b.apply(matmul(), [weights, v])]);
    const last = dense(6, { weightVariance: 0.75 ** 2, biasVariance: tied ? 0 : 0.1 });
    return [b.apply(last, [b.apply(reshape(TOKENS, HEADS * VALUES), [mixed])])];
  },
});

const NETWORKS: Record<"attention" | "attention_tied", Network> = {
  attention: serial(
    [TOKENS, 4],
    dense(6, bias),
    attention({ positions: true, tied: false, scale: 1 / Math.sqrt(KEYS) }),
    relu(),
    globalAveragePool(),
    dense(3, bias),
  ),
  attention_tied: serial(
    [TOKENS, 4],
    dense(6, bias),
    residual(bare, attention({ positions: false, tied: true, scale: 1 / KEYS })),
    residual(bare, dense(8, bias), activation(activationNamed("gelu")), dense(6, bias)),
    bare,
    globalAveragePool(),
    dense(3, bias),
  ),
};

/** Blocks in the order of the networks: the name of each in the fixture and the layout of its array. In attention_tied K is Q, too. */
const BLOCKS = {
  attention: [
    ["layer1", "dense"],
    ["layer2_positions", "positions"],
    ["layer2_Q", "heads"],
    ["layer2_K", "heads"],
    ["layer2_V", "heads"],
    ["layer2_O", "joined"],
    ["layer3", "dense"],
  ],
  attention_tied: [
    ["layer1", "dense"],
    ["layer2_K", "heads"],
    ["layer2_V", "heads"],
    ["layer2_O", "joined"],
    ["layer3", "dense"],
    ["layer4", "dense"],
    ["layer5", "dense"],
  ],
} as const;

/** Where the array has the weight theta[o, i]. */
const LAYOUTS: Record<
  "dense" | "heads" | "joined" | "positions",
  (o: number, i: number, block: BlockShape) => number
> = {
  dense: (o, i, { fanOut }) => i * fanOut + o,
  heads: (o, i, { fanIn, fanOut }) => {
    const channels = fanOut / HEADS;
    return (Math.floor(o / channels) * fanIn + i) * channels + (o % channels);
  },
  joined: (o, i, { fanOut }) => ((i % VALUES) * HEADS + Math.floor(i / VALUES)) * fanOut + o,
  positions: (o, i, { fanOut }) => i * fanOut + o,
};

describe.each(["attention", "attention_tied"] as const)("%s", (name) => {
  const network = NETWORKS[name];
  const of = (what: string): Matrix => fixture.get(`${name}_${what}`);

  const thetas = network.blocks.map((block, l) => {
    const { fanIn, fanOut, columns } = block;
    const [key, layout] = BLOCKS[name][l]!;
    const weight = of(layout === "dense" ? `${key}_W` : key).data;
    return Float64Array.from({ length: fanOut * columns }, (_, at) => {
      const [o, i] = [Math.floor(at / columns), at % columns];
      return i < fanIn ? weight[LAYOUTS[layout](o, i, block)]! : of(key.replace("_O", "") + "_b").data[o]!;
    });
  });

  it("has the outputs and kernels of Neural Tangents", () =>
    expectKernels(
      of,
      network,
      thetas,
      BLOCKS[name].map(([key]) => key),
    ));
});
