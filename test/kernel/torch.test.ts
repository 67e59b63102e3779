/**
 * @file A convolutional network of PyTorch (test/fixtures/peers, torch.npz) in float64: outputs, and the NTK of all and of each of its
 * blocks. There images are [channels, height, width] and weights [out, in / groups, height, width], standard parameterisation; here the
 * first layer of the network puts channels last, theta is [out, height width in / groups] with the bias last, and that of a
 * normalisation [features, 2], gain and shift.
 */
import { describe, expect, it } from "vitest";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { serial } from "../../src/network/layers.ts";
import { activationNamed } from "../../src/ops/activations/index.ts";
import { OPS } from "../../src/ops/index.ts";
import { peerFixture } from "../support/fixtures.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const {
  activation,
  averagePool,
  batchNorm,
  conv,
  dense,
  flatten,
  groupNorm,
  layerNorm,
  maxPool,
  relu,
  transpose,
} = OPS;

const fixture = await peerFixture("torch");
const of = (name: string): Matrix => fixture.get(`cnn_${name}`);
const phi = (name: string) => activation(activationNamed(name));
const standard = { parameterization: "standard", biasVariance: 1 } as const;
const around = (pixels: number) =>
  [
    [pixels, pixels],
    [pixels, pixels],
  ] as const;

const network = serial(
  [3, 8, 8],
  transpose(1, 2, 0),
  conv(4, 3, { ...standard, padding: around(1) }),
  batchNorm({
    mean: [...of("batchnorm_running_mean").data],
    variance: [...of("batchnorm_running_var").data],
  }),
  relu(),
  conv(8, 3, { ...standard, stride: 2, padding: around(1), groups: 2 }),
  groupNorm(2),
  phi("silu"),
  maxPool(3, { stride: 1, padding: around(1) }),
  conv(4, 3, { parameterization: "standard", dilation: 2, padding: around(2) }),
  layerNorm({ axes: 3 }),
  phi("tanh"),
  averagePool(2),
  transpose(2, 0, 1),
  flatten(),
  dense(3, standard),
);
/** Modules by block, and the pixels of a window or an image: PyTorch has channels before them. */
const MODULES = [
  ["conv1", 9],
  ["batchnorm", 1],
  ["conv2", 9],
  ["groupnorm", 1],
  ["conv3", 9],
  ["layernorm", 16],
  ["head", 1],
] as const;

/** Where PyTorch has place `i` of [pixels, channels]: in [channels, pixels]. */
const channelsFirst = (i: number, size: number, pixels: number): number => {
  const channels = size / pixels;
  return (i % channels) * pixels + Math.floor(i / channels);
};

const thetas = network.blocks.map(({ fanOut, columns }, l) => {
  const [module, pixels] = MODULES[l]!;
  const weight = of(`${module}_weight`).data;
  const bias = fixture.names.includes(`cnn_${module}_bias`) ? of(`${module}_bias`).data : undefined;
  const fanIn = columns - Number(bias !== undefined);
  return Float64Array.from({ length: fanOut * columns }, (_, at) => {
    const [o, i] = [Math.floor(at / columns), at % columns];
    // Gain and shift of a normalisation lie along its features.
    if (module.endsWith("norm")) return (i === 0 ? weight : bias!)[channelsFirst(o, fanOut, pixels)]!;
    return i === fanIn ? bias![o]! : weight[o * fanIn + channelsFirst(i, fanIn, pixels)]!;
  });
});

describe("a convolutional network of PyTorch", () => {
  it.each(["train", "test"])("has its outputs and kernels on the %s samples", async (side) => {
    const linearizer = await createLinearizer(await float64Engine(), network);
    const weights = createWeights(network, thetas);
    const { train, others } = await empiricalKernel(linearizer, weights, of("x_train"), [of("x_test")]);
    const kernel = side === "train" ? train : others[0]!;
    const close = (got: Matrix, wanted: string) =>
      expect(relativeError(got.data, of(wanted).data), wanted).toBeLessThan(TOLERANCE.peer);
    close(await linearizer.forward(weights, of(`x_${side}`)), `f_${side}`);
    close(await kernel.matrix(), `ntk_${side}`);
    for (const [l, [module]] of MODULES.entries())
      close(await kernel.blocks![l]!.ntk(), `${module}_ntk_${side}`);
  });
});
