/**
 * @file The networks of test/fixtures/peers, torch.npz, built of natgrad's ops, and how PyTorch's numbers lie in theirs. A module there is a
 * block here. Of all its numbers, weight rows first and then bias, theta [O, I] is
 *
 *     layer   weight [O, channels, pixels], bias [O]:            theta [O, (pixels, channels), bias last]
 *     norm    gain and shift [channels, pixels] each:            theta [(pixels, channels), 2]
 *     table   vectors [I, O] of words or places:                 theta [O, I]
 *
 * with images [channels, height, width] there and [height, width, channels] here. A dense layer has one pixel, but for the last one of the
 * convolutional network: four.
 */
import { parallel, residual, sequence, serial, type Layer } from "../../src/network/layers.ts";
import { attention } from "../../src/network/attention.ts";
import type { Network } from "../../src/network/network.ts";
import { activationNamed } from "../../src/ops/activations/index.ts";
import { OPS } from "../../src/ops/index.ts";
import type { BlockShape } from "../../src/ops/op.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { peerFixture } from "./fixtures.ts";

const fixture = await peerFixture("torch");

/** A module of PyTorch and the block that it is. */
export type Module = {
  readonly name: string;
  readonly block: BlockShape;
  /** theta of its numbers, weight first. */
  theta(numbers: ArrayLike<number>): Float64Array;
  /** A matrix [I, I] of PyTorch in the order of the columns of theta, for layers. */
  amongInputs(matrix: ArrayLike<number>): Float64Array;
  /** Of an array [groups, ...] of the fixture what is this block's: all of it, or where a group is a block of its own that group's. */
  part(array: Matrix): Float64Array;
};

/** A network of the fixture. */
export type TorchNetwork = {
  readonly network: Network;
  readonly modules: readonly Module[];
  /** Whether the fixture has K-FAC's factors of a module as one pair. */
  hasFactors(module: Module): boolean;
  /** Its parameters. */
  thetas(): Float64Array[];
  /** An array of this network. */
  of(name: string): Matrix;
};

type Layout = "layer" | "norm" | "table";

/** Where [channels, pixels] has place `i` of [pixels, channels]. */
const channelsFirst = (i: number, size: number, pixels: number): number => {
  const channels = size / pixels;
  return (i % channels) * pixels + Math.floor(i / channels);
};

/** Where the numbers of a module have theta[o, i]. */
const LAYOUTS: Record<Layout, (o: number, i: number, block: BlockShape, pixels: number) => number> = {
  layer: (o, i, { fanIn, fanOut }, pixels) =>
    i < fanIn ? o * fanIn + channelsFirst(i, fanIn, pixels) : fanOut * fanIn + o,
  norm: (o, i, { fanOut }, pixels) => i * fanOut + channelsFirst(o, fanOut, pixels),
  table: (o, i, { fanOut }) => i * fanOut + o,
};

/** One of several equal groups of output channels. */
type Group = { readonly index: number; readonly of: number };

const WHOLE: Group = { index: 0, of: 1 };

const groupOf = ({ data }: Matrix, { index, of }: Group): Float64Array =>
  Float64Array.from(data).slice((index * data.length) / of, ((index + 1) * data.length) / of);

function moduleOf(name: string, block: BlockShape, layout: Layout, pixels: number, group: Group): Module {
  const { fanIn, fanOut, columns } = block;
  return {
    name,
    block,
    part: (array) => groupOf(array, group),
    theta: (numbers) =>
      Float64Array.from({ length: fanOut * columns }, (_, at) => {
        return numbers[LAYOUTS[layout](Math.floor(at / columns), at % columns, block, pixels)]!;
      }),
    amongInputs: (inputs) => {
      const there = (i: number): number => (i < fanIn ? channelsFirst(i, fanIn, pixels) : i);
      return Float64Array.from({ length: columns * columns }, (_, at) => {
        return inputs[there(Math.floor(at / columns)) * columns + there(at % columns)]!;
      });
    },
  };
}

/** `modules`: the name and layout of each block, the pixels of its window or image, and the group that it is. */
function torchNetwork(
  name: string,
  network: Network,
  modules: readonly (readonly [name: string, layout: Layout, pixels?: number, group?: Group])[],
): TorchNetwork {
  const of = (what: string): Matrix => fixture.get(`${name}_${what}`);
  const numbersOf = ({ name: what, part }: Module): number[] =>
    ["weight", "bias"].flatMap((each) =>
      fixture.names.includes(`${name}_${what}_${each}`) ? [...part(of(`${what}_${each}`))] : [],
    );
  const all = modules.map(([what, layout, pixels = 1, group = WHOLE], l) =>
    moduleOf(what, network.blocks[l]!, layout, pixels, group),
  );
  return {
    network,
    modules: all,
    hasFactors: ({ name: what, block }) =>
      block.form !== "rows" && fixture.names.includes(`${name}_${what}_A_expand`),
    thetas: () => all.map((module) => module.theta(numbersOf(module))),
    of,
  };
}

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
