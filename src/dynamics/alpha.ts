/**
 * @file Alpha of the theory: where G = alpha I, in the limit of wide networks and without damping, the default learning rate
 * is 1 / alpha (paper, section 4).
 */
import type { Fisher, Shape, Singular } from "../fisher/fisher.ts";
import { residualColumns, type Loss } from "../loss/loss.ts";
import { neighboursIn, type Network } from "../network/network.ts";
import { isOuter } from "../ops/op.ts";

/** The sizes that alpha depends on; the width is that of the first layer. */
export const shapeOf = (network: Network, loss: Loss, samples: number): Shape => ({
  samples,
  layers: network.blocks.length,
  neighbours: neighboursIn(network),
  chain: isDenseChain(network),
  width: network.blocks[0]!.fanOut,
  outputs: network.outputs,
  columns: residualColumns(loss, network.outputs),
});

/** Whether a network is a chain of dense layers on vectors, with nothing between them that looks at several values at a time. */
const isDenseChain = ({ nodes, blocks }: Network): boolean =>
  blocks.every(isOuter) &&
  nodes.at(-1)?.block !== undefined &&
  nodes.every(({ inputs, op }, k) => inputs.length === 1 && inputs[0] === k && op.infinite !== undefined);

/**
 * Alpha of a method on so many samples; undefined where the method has none.
 * @throws InputError where the method does not exist for the depth, unless `singular` is "least_norm".
 */
export const alphaOf = (
  method: Fisher,
  network: Network,
  loss: Loss,
  samples: number,
  singular: Singular = "refuse",
): number | undefined => method.alpha(shapeOf(network, loss, samples), { singular });
