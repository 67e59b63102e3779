/**
 * @file The networks of test/fixtures/peers, torch.npz, built of natgrad's ops. Images are [channels, height, width] there and come with
 * channels last after the first op; the numbers of their modules are in torch-modules.ts.
 */
import { attention } from "../../src/network/attention.ts";
import { parallel, residual, sequence, serial, type Layer } from "../../src/network/layers.ts";
import type { Network } from "../../src/network/network.ts";
import { activationNamed } from "../../src/ops/activations/index.ts";
import { OPS } from "../../src/ops/index.ts";
import { fixture, torchNetwork, type TorchNetwork } from "./torch-modules.ts";

const {
  activation,
  averagePool,
  batchNorm,
  concatenate,
  conv,
  dense,
  embedding,
  flatten,
  groupNorm,
  layerNorm,
  maxPool,
  reduceMean,
  relu,
  shift,
  slice,
  transpose,
} = OPS;

const phi = (name: string) => activation(activationNamed(name));
const standard = { parameterization: "standard", biasVariance: 1 } as const;
const around = (pixels: number) => ({
  padding: [
    [pixels, pixels],
    [pixels, pixels],
  ] as const,
});

/** Strides, groups, dilation, maximum pooling and three normalisations. `second`: the layer that is conv2. */
const cnnWith = (second: Layer): Network =>
  serial(
    [3, 8, 8],
    transpose(1, 2, 0),
    conv(4, 3, { ...standard, ...around(1) }),
    batchNorm({
      mean: [...fixture.get("cnn_batchnorm_running_mean").data],
      variance: [...fixture.get("cnn_batchnorm_running_var").data],
    }),
    relu(),
    second,
    groupNorm(2),
    phi("silu"),
    maxPool(3, { ...around(1), stride: 1 }),
    conv(4, 3, { parameterization: "standard", ...around(2), dilation: 2 }),
    layerNorm({ axes: 3 }),
    phi("tanh"),
    averagePool(2),
    flatten(),
    dense(3, standard),
  );
const first = [
  ["conv1", "layer", 9],
  ["batchnorm", "norm"],
] as const;
const last = [
  ["groupnorm", "norm"],
  ["conv3", "layer", 9],
  ["layernorm", "norm", 16],
  ["head", "layer", 4],
] as const;
const strided = { ...standard, ...around(1), stride: 2 };

const cnn = torchNetwork("cnn", cnnWith(conv(8, 3, { ...strided, groups: 2 })), [
  ...first,
  ["conv2", "layer", 9],
  ...last,
]);

/** The same with the two groups of conv2 as two layers side by side, each a block of its own. */
export const CNN_BY_GROUPS = torchNetwork(
  "cnn",
  cnnWith(
    parallel(
      [0, 1].map((index) =>
        sequence(slice({ axis: -1, start: 2 * index, end: 2 * index + 2 }), conv(4, 3, strided)),
      ),
      concatenate(),
    ),
  ),
  [...first, ["conv2", "layer", 9, { index: 0, of: 2 }], ["conv2", "layer", 9, { index: 1, of: 2 }], ...last],
);

/** Embedded words and learned positions, a block with two heads, a mean over tokens. */
const transformer = torchNetwork(
  "transformer",
  serial(
    5,
    embedding(6, 6),
    shift([5, 6]),
    residual(layerNorm(), attention({ ...standard, heads: 2 })),
    residual(layerNorm(), dense(8, standard), phi("gelu"), dense(6, standard)),
    layerNorm(),
    reduceMean({ axes: [0] }),
    dense(3, standard),
  ),
  [
    ["embedding", "table"],
    ["positions", "table"],
    ["norm1", "norm"],
    ["query", "layer"],
    ["key", "layer"],
    ["value", "layer"],
    ["out", "layer"],
    ["norm2", "norm"],
    ["up", "layer"],
    ["down", "layer"],
    ["norm3", "norm"],
    ["head", "layer"],
  ],
);

/** Both networks. */
export const TORCH_NETWORKS: Record<string, TorchNetwork> = { cnn, transformer };
