/**
 * @file Alpha of the theory: where G = alpha I, in the limit of wide networks and without damping, the default learning rate
 * is 1 / alpha (paper, section 4).
 */
import type { Fisher, Shape, Singular } from "../fisher/fisher.ts";
import { residualColumns, type Loss } from "../loss/loss.ts";
import type { Network } from "../network/network.ts";

/** The sizes that alpha depends on; the width is that of the first layer. */
export const shapeOf = ({ blocks, outputs }: Network, loss: Loss, samples: number): Shape => ({
  samples,
  layers: blocks.length,
  width: blocks[0]!.fanOut,
  outputs,
  columns: residualColumns(loss, outputs),
});

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
