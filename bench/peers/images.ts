/**
 * @file The networks on images 32 x 32 x 3 that are measured, all with ReLU, biases and a dense layer on the average over all positions:
 *
 *     cnn      four 3 x 3 convolutions of M channels, strides 1, 2, 2, 2
 *     resnet   a wide ResNet of three blocks with M, 2 M and 4 M channels, on a convolution of 16 channels: 11 layers with weights
 */
import { cnn, resnet, type Network } from "../../src/entry/network.ts";
import { keptForm, positionsOf } from "../../src/ops/op.ts";

/** Names of networks. */
export const NETWORKS = ["cnn", "resnet"] as const;
export type NetworkName = (typeof NETWORKS)[number];

/** What they are called in tables. */
export const NETWORK_TITLES: Readonly<Record<NetworkName, string>> = {
  cnn: "Four convolutions",
  resnet: "ResNet of three blocks",
};

/** Layers with weights. */
export const DEPTHS: Readonly<Record<NetworkName, number>> = { cnn: 5, resnet: 11 };

/** Weight and bias variances; peers/common.py has the same. */
const OPTIONS = { weightVariance: 2, biasVariance: 0.1 };

const INPUTS = [32, 32, 3];

/** A network with so many channels (of the first block) and outputs. */
export const imageNetwork = (name: NetworkName, channels: number, outputs: number): Network =>
  name === "cnn"
    ? cnn(INPUTS, { ...OPTIONS, width: channels, depth: DEPTHS.cnn, strides: [1, 2, 2, 2], outputs })
    : resnet(INPUTS, { ...OPTIONS, width: channels, outputs });

/** P. */
export const imageParameters = (network: Network): number =>
  network.blocks.reduce((sum, { columns, fanOut }) => sum + columns * fanOut, 0);

/**
 * Multiply-adds of a way at its largest terms, with T positions of I inputs and O outputs in each block:
 *
 *     forward and backward      sum of N (1 + C) T I O
 *     rows of J                 sum of N C T I O
 *     contraction               sum of N^2 C^2 I O, or by pairs of positions N^2 T^2 (I + C^2 O) where natgrad takes that
 *     NTK-vector products       N^2 C passes back and there, 2 T I O each
 */
export function imageOperations(network: Network, N: number, variant: string): number {
  const { outputs: C, blocks } = network;
  return blocks.reduce((sum, block) => {
    const { columns: I, fanOut: O } = block;
    const T = positionsOf(block);
    if (variant === "ntk_vector_products") return sum + N ** 2 * C * 2 * T * I * O;
    const passes = N * (1 + C) * T * I * O;
    const contraction = N * C * T * I * O + (N * C) ** 2 * I * O;
    if (variant === "jacobian_contraction" || keptForm(block, C) === "rows") {
      return sum + passes + contraction;
    }
    return sum + passes + N ** 2 * T ** 2 * (I + C ** 2 * O);
  }, 0);
}

/** Samples [N, 32 * 32 * 3]: numbers that look like noise, the same everywhere. */
export const imageSamples = (N: number): Float32Array =>
  Float32Array.from({ length: N * 32 * 32 * 3 }, (_, i) => 1.4 * Math.sin(i * i));

/** Labels [N, C]: of one output 1 and -1 in turns, else the classes in turns. */
export const imageLabels = (N: number, C: number): Float32Array =>
  Float32Array.from({ length: N * C }, (_, i) => {
    if (C === 1) return i % 2 === 0 ? 1 : -1;
    return Math.floor(i / C) % C === i % C ? 1 : 0;
  });
