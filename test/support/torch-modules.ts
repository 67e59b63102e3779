/**
 * @file How the numbers of PyTorch (test/fixtures/peers, torch.npz) lie in the parameters of a network of natgrad. A module there is a
 * block here; of all its numbers, weight rows first and then bias, theta [O, I] is
 *
 *     layer   weight [O, channels, pixels], bias [O]:            theta [O, (pixels, channels), bias last]
 *     norm    gain and shift [channels, pixels] each:            theta [(pixels, channels), 2]
 *     table   vectors [I, O] of words or places:                 theta [O, I]
 *
 * with images [channels, height, width] there and [height, width, channels] here. A dense layer has one pixel, but for the last one of the
 * convolutional network: four.
 */
import type { Network } from "../../src/network/network.ts";
import type { BlockShape } from "../../src/ops/op.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { peerFixture } from "./fixtures.ts";

/** torch.npz. */
export const fixture = await peerFixture("torch");

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
export function torchNetwork(
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
