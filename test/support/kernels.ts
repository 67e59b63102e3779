/**
 * @file Kernels with all of their matrices at hand.
 */
import type { BlockParts } from "../../src/kernel/block.ts";
import { blocksOf, type Kernel } from "../../src/kernel/kernel.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";

/** The blocks of a kernel, with what is lazy in them. */
export async function partsOf(kernel: Kernel): Promise<BlockParts[]> {
  const parts: BlockParts[] = [];
  for (const { factors, units, reduced, expanded, ntk: _, ...info } of blocksOf(kernel)) {
    parts.push({
      ...info,
      ...(await factors()),
      ...(units ? { units: await units() } : {}),
      ...(reduced ? { reduced: await reduced() } : {}),
      ...(expanded ? { expanded: await expanded() } : {}),
    });
  }
  return parts;
}

/** Theta. */
export const ntk = (kernel: Kernel): Promise<Matrix> => kernel.matrix();
