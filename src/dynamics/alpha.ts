/**
 * @file The default learning rate 1 / alpha. Where G = alpha I in the limit of wide networks and without damping, alpha is that of the
 * theory (paper, section 4). The theory has none for K-FAC and unit-wise steps on networks that are no chains of dense layers: there
 * alpha is measured, tr G / n on the network's own kernel at the start.
 */
import type { Stoppable } from "../breathe.ts";
import { InputError } from "../error.ts";
import { empiricalKernel } from "../kernel/empirical.ts";
import type { Linearizer, PassOptions } from "../jacobian/linearize.ts";
import type { Weights } from "../jacobian/weights.ts";
import { rowRange } from "../linalg/matrix.ts";
import type { TrainingData } from "./evaluation.ts";
import { isotropy } from "./isotropy.ts";
import type { Fisher, Shape, Singular } from "../fisher/fisher.ts";
import { residualColumns, type Loss } from "../loss/loss.ts";
import { activeShareOf } from "../network/active-share.ts";
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
  activeShare: activeShareOf(network),
});

/** Whether a network is a chain of dense layers on vectors, with nothing between them that looks at several values at a time. */
const isDenseChain = ({ nodes, blocks }: Network): boolean =>
  blocks.every(isOuter) &&
  nodes.at(-1)?.block !== undefined &&
  nodes.every(({ inputs, op }, k) => inputs.length === 1 && inputs[0] === k && op.infinite !== undefined);

/**
 * Alpha of a method on so many samples; undefined where the method has none.
 * @param drawn whether the weights were drawn, as those of a chain of dense layers are in the theory
 * @throws InputError where the method does not exist for the depth, unless `singular` is "least_norm".
 */
export const alphaOf = (
  method: Fisher,
  network: Network,
  loss: Loss,
  samples: number,
  singular: Singular = "refuse",
  drawn = true,
): number | undefined => {
  const shape = shapeOf(network, loss, samples);
  return method.alpha(drawn ? shape : { ...shape, chain: false }, { singular });
};

/** Whether a method without an alpha of the theory has one that can be measured: gradient descent has none at all. */
export const hasAlpha = ({ curvature }: Fisher): boolean => curvature !== "none";

/** What alpha is measured on. */
export type MeasuredOn = {
  readonly method: Fisher;
  readonly linearizer: Linearizer;
  readonly weights: Weights;
  readonly data: Pick<TrainingData, "xTrain" | "yTrain">;
  readonly loss: Loss;
};

/** Options of {@link measuredAlpha}. */
export type MeasureOptions = Stoppable &
  Pick<PassOptions, "tile"> & {
    /** Of a step: the first of the training samples. */
    readonly samples: number;
    readonly damping?: number;
    readonly singular?: Singular;
  };

/**
 * tr G / n (tr S^T G / n under a loss with a curvature) of the network's own kernel on training samples.
 * @throws InputError where it is no positive number, and what {@link isotropy} throws.
 */
export async function measuredAlpha(
  { method, linearizer, weights, data, loss }: MeasuredOn,
  { samples, damping = 0, singular = "refuse", tile, signal }: MeasureOptions,
): Promise<number> {
  const [x, y] = [rowRange(data.xTrain, 0, samples), rowRange(data.yTrain, 0, samples)];
  const passing = { signal, ...(tile === undefined ? {} : { tile }) };
  const f = await linearizer.forward(weights, x, passing);
  const { train } = await empiricalKernel(linearizer, weights, x, [], { ...passing, needs: method.needs });
  const { alpha } = await isotropy(method, train, { damping, singular, signal, at: { loss, f, y } });
  if (alpha > 0 && Number.isFinite(alpha)) return alpha;
  throw new InputError(
    `learningRate: wanted a number for ${method.name}, whose measured alpha is ${alpha}, got none`,
  );
}
