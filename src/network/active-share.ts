/**
 * @file On which share of the samples the units of a network are active, by what its activations state.
 */
import type { Network } from "./network.ts";

/** The mean over hidden blocks of the share of samples on which signals reach their units; 1/2, as under ReLU, without hidden blocks. */
export function activeShareOf({ nodes, output }: Network): number {
  // By value: the share on which a signal reaches it from the outputs. Node k makes value k + 1.
  const reached: number[] = Array.from({ length: nodes.length + 1 }, () => 0);
  reached[output] = 1;
  for (const [k, { op, inputs, block }] of [...nodes.entries()].toReversed()) {
    const share = block === undefined ? Math.min(op.activeShare ?? 1, reached[k + 1]!) : 1;
    for (const id of inputs) reached[id] = Math.max(reached[id]!, share);
  }
  const hidden = nodes.flatMap(({ block }, k) =>
    block === undefined || k + 1 === output ? [] : [reached[k + 1]!],
  );
  return hidden.length === 0 ? 1 / 2 : hidden.reduce((sum, share) => sum + share, 0) / hidden.length;
}
