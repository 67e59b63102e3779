/**
 * @file A model with a new last layer: its network, where its weights start, and their names.
 */
import type { Stoppable } from "../../breathe.ts";
import type { Engine, FloatArray } from "../../engine/engine.ts";
import { withHead, type Headed } from "../../network/head.ts";
import { drawWeights } from "../../network/initialise.ts";
import type { Network } from "../../network/network.ts";
import type { OnnxNetwork } from "../../network/onnx/read.ts";

/**
 * The network with a last layer of so many outputs, whose weights have variance 1/fan-in; so have its biases, where the last block has some.
 * @throws InputError where the last op with weights is no dense layer on a vector.
 */
export function headed(network: Network, outputs: number): Headed {
  const { fanIn, columns } = network.blocks.at(-1)!;
  const biasVariance = columns > fanIn ? 1 / fanIn : 0;
  return withHead(network, outputs, { parameterization: "standard", weightVariance: 1, biasVariance });
}

/** theta of the blocks: those of the model, and a last one that is drawn. */
export async function headedWeights(
  { network: old, weights }: OnnxNetwork,
  outputs: number,
  engine: Engine,
  seed: number,
  { signal }: Stoppable = {},
): Promise<FloatArray[]> {
  const { network, from } = headed(old, outputs);
  const drawn = await drawWeights(engine, { ...network, blocks: network.blocks.slice(-1) }, seed, { signal });
  const thetas = weights(engine);
  return from.map((block) => (block === undefined ? drawn[0]! : thetas[block]!));
}

/** Names of the parameters in each block; a new one is the head. */
export const headedNames = (
  { network, names }: OnnxNetwork,
  outputs: number,
): readonly (readonly string[])[] =>
  headed(network, outputs).from.map((block) => (block === undefined ? ["head"] : names[block]!));
