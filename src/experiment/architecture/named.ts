/**
 * @file The networks that have names: what their options mean, and how they begin with a sample.
 */
import type { SampleShape } from "../../data/dataset.ts";
import { cnn } from "../../network/cnn.ts";
import type { ImageOptions } from "../../network/images.ts";
import { mlp } from "../../network/mlp.ts";
import { myrtle } from "../../network/myrtle.ts";
import type { Network } from "../../network/network.ts";
import { resnet } from "../../network/resnet.ts";
import { transformer } from "../../network/transformer.ts";
import type { Parameterization } from "../../ops/parameterization.ts";
import { activationOf, type OwnParts } from "../own.ts";
import type { HeadOption, ModelFile } from "../model/model-option.ts";
import type { LayerList } from "./layer-file.ts";

/** The options that say what network it is. */
export type NetworkOptions = {
  readonly architecture: NetworkName | LayerList | ModelFile;
  /** Outputs of a new last layer of a model. */
  readonly head?: HeadOption | undefined;
  /** Globs of names of the blocks that move. Default: all. */
  readonly blocks?: readonly string[] | undefined;
  readonly n_layers: number;
  readonly width: number;
  readonly activation: string;
  /** Objects of the user's own, of which the options have the names. */
  readonly own?: OwnParts;
  readonly weight_variance: number;
  readonly bias_variance: number;
  readonly parameterization: Parameterization;
};

/** What a network begins and ends with. */
export type Ends = {
  /** M_0, numbers of a sample, and its shape where it has one. */
  readonly inputs: number;
  readonly sample?: SampleShape;
  /** C. */
  readonly outputs: number;
};

/** A network with a name. */
export type Named = {
  /** Defaults of the options. */
  readonly n_layers: number;
  readonly width: number;
  /** Default of the activation, where it is another than that of all. */
  readonly activation?: string;
  /** Numbers of weight layers that there are. */
  readonly depths: { readonly wanted: string; has(n: number): boolean };
  build(options: NetworkOptions, ends: Ends): Network;
};

/** The options that all networks have. */
const commonOf = (options: NetworkOptions, { outputs }: Ends) => ({
  outputs,
  activation: activationOf(options),
  weightVariance: options.weight_variance,
  biasVariance: options.bias_variance,
  parameterization: options.parameterization,
});

/** The options of networks on images. */
const onImages = (options: NetworkOptions, ends: Ends): ImageOptions & { width: number } => ({
  ...commonOf(options, ends),
  width: options.width,
  channelsFirst: ends.sample?.channelsFirst ?? false,
});

const shapeOf = ({ inputs, sample }: Ends): readonly number[] => sample?.shape ?? [inputs];

const above = (least: number) => ({ wanted: `a whole number >= ${least}`, has: (n: number) => n >= least });

/** ResNet-18, and wide ones of 6 n + 4 layers: three groups of n blocks, with the convolutions beside them counted once per group. */
const RESNET_18 = 18;
const wideBlocks = (n_layers: number): number => (n_layers - 4) / 6;

/** As many heads, up to four, as divide the width. */
const headsOf = (width: number): number => [4, 2, 1].find((heads) => width % heads === 0)!;

/** Every network by name; the first is the default. */
export const NAMED = {
  mlp: {
    n_layers: 3,
    width: 4096,
    depths: above(1),
    build: (options, ends) =>
      mlp(ends.inputs, { ...commonOf(options, ends), depth: options.n_layers, width: options.width }),
  },
  cnn: {
    n_layers: 5,
    width: 64,
    depths: above(2),
    build: (options, ends) => cnn(shapeOf(ends), { ...onImages(options, ends), depth: options.n_layers }),
  },
  myrtle: {
    n_layers: 5,
    width: 64,
    depths: { wanted: "5, 7 or 10", has: (n) => [5, 7, 10].includes(n) },
    build: (options, ends) => myrtle(shapeOf(ends), { ...onImages(options, ends), depth: options.n_layers }),
  },
  resnet: {
    n_layers: 10,
    width: 32,
    depths: {
      wanted: "18, or 6 n + 4 for a wide one (10, 16, 22, 28, ...)",
      has: (n) => n === RESNET_18 || (n >= 10 && Number.isInteger(wideBlocks(n))),
    },
    build(options, ends) {
      const { n_layers } = options;
      if (n_layers === RESNET_18)
        return resnet(shapeOf(ends), { ...onImages(options, ends), form: "standard" });
      const blocks = Array.from({ length: 3 }, () => wideBlocks(n_layers));
      return resnet(shapeOf(ends), { ...onImages(options, ends), blocks });
    },
  },
  transformer: {
    // Its blocks, as people count the layers of a transformer.
    n_layers: 2,
    width: 64,
    activation: "gelu",
    depths: above(1),
    build: (options, ends) =>
      transformer(shapeOf(ends), {
        ...onImages(options, ends),
        depth: options.n_layers,
        heads: headsOf(options.width),
      }),
  },
} as const satisfies Readonly<Record<string, Named>>;

/** The name of a network. */
export type NetworkName = keyof typeof NAMED;

/** Names of the networks. */
export const NETWORK_NAMES = Object.keys(NAMED) as readonly NetworkName[];
