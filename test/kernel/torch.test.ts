/**
 * @file A convolutional network and a transformer of PyTorch in float64 (test/fixtures/peers, torch.npz): outputs, the NTK, and that of each
 * block.
 */
import { describe, it } from "vitest";
import { expectKernels } from "../support/peer-kernels.ts";
import { TORCH_NETWORKS } from "../support/torch-networks.ts";

describe.each(Object.entries(TORCH_NETWORKS))("the %s of PyTorch", (_, { network, modules, thetas, of }) => {
  it("has its outputs and kernels", () =>
    expectKernels(
      of,
      network,
      thetas(),
      modules.map(({ name }) => name),
    ));
});
