/**
 * @file Empirical kernels of networks with positions against Neural Tangents in float64 (test/fixtures/peers, networks.npz): outputs, the
 * NTK, and that of each layer. Weights W [height, width, in, out] there are theta [out, height width in] here, the bias last; images are
 * [height, width, channels] in both, and rows n C + c.
 */
import { describe, it } from "vitest";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { parallel, residual, sequence, serial, type Layer } from "../../src/network/layers.ts";
import { activationNamed, leakyRelu } from "../../src/ops/activations/index.ts";
import { OPS } from "../../src/ops/index.ts";
import type { Shape } from "../../src/ops/op.ts";
import { peerFixture, peerWeights } from "../support/fixtures.ts";
import { expectKernels } from "../support/peer-kernels.ts";

const {
  activation,
  averagePool,
  concatenate,
  conv,
  dense,
  flatten,
  globalAveragePool,
  globalSumPool,
  layerNorm,
  relu,
  sum,
  sumPool,
} = OPS;

const bias = { weightVariance: 2, biasVariance: 0.1 };
const plain = { weightVariance: 2, biasVariance: 0 };
const phi = (name: string) => activation(activationNamed(name));

/** Normalisation without gain and shift. */
const bare = { gain: false, shift: false, epsilon: 1e-12 };
const same = { ...bias, padding: "same" } as const;
const NETWORKS: Record<string, [shape: Shape, layers: readonly Layer[]]> = {
  cnn: [
    [8, 8, 3],
    [
      conv(4, 3, same),
      relu(),
      conv(6, 3, { ...same, stride: 2 }),
      relu(),
      averagePool(2),
      flatten(),
      dense(3, bias),
    ],
  ],
  cnn_circular: [
    [8, 8, 3],
    [
      conv(4, 3, { ...plain, padding: "circular" }),
      activation(leakyRelu(0.2)),
      conv(5, [3, 2], { ...plain, stride: [2, 1] }),
      phi("erf"),
      sumPool(2, { stride: [1, 2] }),
      globalSumPool(),
      dense(3, plain),
    ],
  ],
  cnn_edges: [
    [8, 8, 3],
    [
      conv(4, [5, 3], { ...same, stride: [1, 2] }),
      phi("gelu"),
      averagePool(3, { stride: 2, padding: "same", countPadding: false }),
      conv(4, 1, bias),
      averagePool(2, { stride: 1, padding: "same" }),
      flatten(),
      dense(3, bias),
    ],
  ],
  conv1d: [
    [9, 3],
    [
      conv(5, 3, { ...same, stride: 2 }),
      relu(),
      conv(4, 2, { ...bias, padding: "circular" }),
      phi("erf"),
      flatten(),
      dense(3, bias),
    ],
  ],
  resnet: [
    [8, 8, 3],
    [
      conv(4, 3, same),
      residual(relu(), conv(4, 3, same), relu(), conv(4, 3, same)),
      layerNorm(bare),
      relu(),
      globalAveragePool(),
      dense(3, bias),
    ],
  ],
  resnet_projection: [
    [8, 8, 3],
    [
      conv(4, 3, same),
      parallel(
        [
          sequence(relu(), conv(6, 3, { ...same, stride: 2 }), relu(), conv(6, 3, same)),
          conv(6, 1, { ...same, stride: 2 }),
        ],
        sum(),
      ),
      residual(layerNorm({ ...bare, axes: 3 }), phi("erf"), conv(6, 3, same)),
      globalAveragePool(),
      dense(3, bias),
    ],
  ],
  inception: [
    [8, 8, 3],
    [
      parallel(
        [sequence(conv(4, 3, same), relu()), sequence(conv(3, 1, same), phi("gelu_tanh"))],
        concatenate(),
      ),
      conv(4, 3, { ...bias, stride: 2 }),
      relu(),
      globalAveragePool(),
      dense(3, bias),
    ],
  ],
  tokens: [
    [5, 4],
    [dense(6, bias), phi("gelu"), dense(6, bias), phi("erf"), globalAveragePool(), dense(3, bias)],
  ],
};

const fixture = await peerFixture("networks");

describe.each(Object.entries(NETWORKS))("%s", (name, [shape, layers]) => {
  it("has the outputs and kernels of Neural Tangents", async () => {
    const network = serial(shape, ...layers);
    const weights = fixture.names.filter((each) => each.startsWith(`${name}_layer`) && each.endsWith("_W"));
    const blocks = weights.map((_, l) => `layer${l + 1}`);
    const of = (what: string): Matrix => fixture.get(`${name}_${what}`);
    await expectKernels(of, network, peerWeights(fixture, name, network), blocks);
  });
});
