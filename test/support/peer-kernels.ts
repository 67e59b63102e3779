/**
 * @file A network against another program's numbers: its outputs, its NTK, and that of each of its blocks.
 */
import { expect } from "vitest";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import type { Network } from "../../src/network/network.ts";
import { float64Engine, relativeError } from "./tiny.ts";
import { TOLERANCE } from "./tolerance.ts";

/**
 * Compares on training and test samples in float64. `of`: an array of the peer; `blocks`: the name that each block has there, in the order
 * of the network.
 */
export async function expectKernels(
  of: (name: string) => Matrix,
  network: Network,
  thetas: readonly Float64Array[],
  blocks: readonly string[],
): Promise<void> {
  const linearizer = await createLinearizer(await float64Engine(), network);
  const weights = createWeights(network, thetas);
  const { train, others } = await empiricalKernel(linearizer, weights, of("x_train"), [of("x_test")]);
  for (const [side, kernel] of [
    ["train", train],
    ["test", others[0]!],
  ] as const) {
    const close = (got: Matrix, wanted: string) =>
      expect(relativeError(got.data, of(wanted).data), wanted).toBeLessThan(TOLERANCE.peer);
    close(await linearizer.forward(weights, of(`x_${side}`)), `f_${side}`);
    close(await kernel.matrix(), `ntk_${side}`);
    expect(kernel.blocks).toHaveLength(blocks.length);
    for (const [l, block] of blocks.entries()) {
      close(await kernel.blocks![l]!.ntk(), `${block}_ntk_${side}`);
    }
  }
}
