/**
 * @file What a pass of samples through a network and back takes, and how many samples go through it at a time.
 */
import type { Network } from "../network/network.ts";
import { positionsOf } from "../ops/op.ts";
import { tileFor } from "./runs.ts";

type Sizes = Pick<Network, "blocks" | "outputs">;

/** Operations of a sample on its way through a network and back. */
export const passOperations = ({ blocks, outputs }: Sizes): number =>
  2 *
  (1 + outputs) *
  blocks.reduce((sum, block) => sum + positionsOf(block) * block.columns * block.fanOut, 0);

/**
 * Numbers per sample between the operations of a pass: on its way forward the inputs and outputs of every block, on its way back these for
 * every output. Where a block acts at T positions they are those of all of them, and its patches once more on the way back.
 */
export function passNumbers({ blocks, outputs: C }: Sizes): {
  readonly forward: number;
  readonly backward: number;
} {
  let [forward, backward] = [0, 0];
  for (const block of blocks) {
    const { columns: I, fanOut: O } = block;
    const T = positionsOf(block);
    forward += T * (I + O);
    backward += T === 1 ? I + C * O : T * (I + O) + C * T * (2 * I + O);
  }
  return { forward, backward };
}

/** Numbers of a tile where layers act at many positions: patches beyond that no longer pay, they only take memory. */
const NUMBERS = 2 ** 23;

/** Samples that go through a network at a time, by default. */
export function usualTile(network: Sizes): number {
  const usual = tileFor(passOperations(network));
  if (network.blocks.every((block) => positionsOf(block) === 1)) return usual;
  const { forward, backward } = passNumbers(network);
  return Math.max(1, Math.min(usual, Math.floor(NUMBERS / (forward + backward))));
}
