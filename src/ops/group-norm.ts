/**
 * @file Normalisation over all positions of some channels: group normalisation (Wu & He, arXiv 1803.08494) of values
 * [...positions, channels], and instance normalisation, where every channel is a group. Every channel has a gain and shift.
 */
import { demandWhole } from "../error.ts";
import { normalisation, type NormalisationOptions, type View } from "./normalisation.ts";
import { sizeOf, type Op, type Shape } from "./op.ts";

/**
 * The op (x - mean) / sqrt(variance + epsilon) gain + shift over each of `groups` equal parts of the channels and all positions. Gains
 * start at 1 and shifts at 0: theta [channels, 2].
 * @throws InputError for groups or an epsilon that are none; RangeError (the op) for channels that do not divide into groups.
 * @example
 * import { groupNorm } from "natgrad/network";
 *
 * console.log(groupNorm(4).shape([[8, 8, 16]])); // [ 8, 8, 16 ]
 */
export function groupNorm(groups: number, options: NormalisationOptions = {}): Op {
  demandWhole("groups", groups);
  const name = `groupNorm(${groups})`;
  return normalisation(
    { name, view: (shape) => grouped(name, shape, groups), centred: true, own: 1 },
    options,
  );
}

/**
 * The op (x - mean) / sqrt(variance + epsilon) gain + shift over all positions of each channel. Gains start at 1 and shifts at 0:
 * theta [channels, 2].
 * @throws InputError for an epsilon that is none; RangeError (the op) for values without positions.
 * @example
 * import { instanceNorm } from "natgrad/network";
 *
 * console.log(instanceNorm().shape([[8, 8, 16]])); // [ 8, 8, 16 ]
 */
export function instanceNorm(options: NormalisationOptions = {}): Op {
  const view = (shape: Shape): View => {
    if (shape.length > 1) return grouped("instanceNorm", shape, shape.at(-1)!);
    throw new RangeError(`instanceNorm: wanted values with 2 axes or more, got ${shape.length}`);
  };
  return normalisation({ name: "instanceNorm", view, centred: true, own: 1 }, options);
}

/** Channels as [groups, channels of a group], and all positions as one axis. */
function grouped(name: string, shape: Shape, groups: number): View {
  const channels = shape.at(-1) ?? 0;
  if (channels === 0 || channels % groups !== 0) {
    throw new RangeError(`${name}: wanted channels in ${groups} equal groups, got ${channels} channels`);
  }
  return { shape: [sizeOf(shape) / channels, groups, channels / groups], axes: [-3, -1] };
}
