/**
 * @file A convolutional network and a transformer of PyTorch in float64 (test/fixtures/peers, torch.npz): outputs, the NTK, and that of each
 * block.
 */
import { describe, expect, it } from "vitest";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";
import { TORCH_NETWORKS } from "../support/torch-networks.ts";

describe.each(Object.entries(TORCH_NETWORKS))("the %s of PyTorch", (_, { network, modules, thetas, of }) => {
  it.each(["train", "test"])("has its outputs and kernels on the %s samples", async (side) => {
    const linearizer = await createLinearizer(await float64Engine(), network);
    const weights = createWeights(network, thetas());
    const { train, others } = await empiricalKernel(linearizer, weights, of("x_train"), [of("x_test")]);
    const kernel = side === "train" ? train : others[0]!;
    const close = (got: Matrix, wanted: string) =>
      expect(relativeError(got.data, of(wanted).data), wanted).toBeLessThan(TOLERANCE.peer);
    close(await linearizer.forward(weights, of(`x_${side}`)), `f_${side}`);
    close(await kernel.matrix(), `ntk_${side}`);
    expect(kernel.blocks).toHaveLength(modules.length);
    for (const [l, { name }] of modules.entries()) {
      close(await kernel.blocks![l]!.ntk(), `${name}_ntk_${side}`);
    }
  });
});
