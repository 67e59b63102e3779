/**
 * @file One small network per op, for what holds of all of them.
 */
import type { Engine } from "../../src/engine/engine.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { attention } from "../../src/network/attention.ts";
import { initialise } from "../../src/network/initialise.ts";
import { sequence, serial, type Layer } from "../../src/network/layers.ts";
import { createBuilder, type Network } from "../../src/network/network.ts";
import { split } from "../../src/network/split.ts";
import { OPS } from "../../src/ops/index.ts";
import type { Shape } from "../../src/ops/op.ts";
import { around } from "./tensors.ts";

const { concatenate, dense, embedding, expand, flatten, gather, globalAveragePool, head } = OPS;

/** Ops whose values are finite for any input, and the shapes that go in. */
const LAYERS: readonly (readonly [string, Layer, ...Shape[]])[] = [
  ["neg", OPS.neg(), [3]],
  ["exp", OPS.exp(), [3]],
  ["abs", OPS.abs(), [3]],
  ["pow", OPS.pow(2), [3]],
  ["log", sequence(OPS.exp(), OPS.log()), [3]],
  ["sqrt", sequence(OPS.exp(), OPS.sqrt()), [3]],
  ["reciprocal", sequence(OPS.exp(), OPS.reciprocal()), [3]],
  ["clip", OPS.clip({ least: -0.5, most: 0.5 }), [5]],
  ["add", OPS.add(), [2, 3], [3]],
  ["sub", OPS.sub(), [2, 3], [3]],
  ["mul", OPS.mul(), [2, 3], [3]],
  ["div", OPS.div({ shape: [3], data: [1, 2, 3] }), [2, 3]],
  ["where", OPS.where({ shape: [3], data: [1, 0, 1] }, 0.5), [2, 3]],
  ["matmul", OPS.matmul(), [2, 3], [3, 2]],
  ["softmax", OPS.softmax(), [2, 3]],
  ["logSoftmax", OPS.logSoftmax({ axis: 0 }), [2, 3]],
  ["concatenate", concatenate({ axis: 0 }), [1, 3], [2, 3]],
  ["slice", OPS.slice({ start: 1 }), [3, 2]],
  ["slice with a step", OPS.slice({ step: 2 }), [4, 2]],
  ["gather", gather({ indices: [1, 1, 0] }), [3, 2]],
  ["gather of one", gather({ indices: -1 }), [3, 2]],
  ["pad", OPS.pad({ before: [1, 0], after: [0, 1] }), [2, 2]],
  ["expand", expand(3, 2), [1, 2]],
  ["reduceMean", OPS.reduceMean({ axes: [0] }), [3, 2]],
  ["reduceSum", OPS.reduceSum({ axes: [-1] }), [3, 2]],
  ["reduceMax", OPS.reduceMax({ axes: [0] }), [3, 2]],
  ["layerNorm", OPS.layerNorm(), [2, 4]],
  ["rmsNorm", OPS.rmsNorm(), [2, 4]],
  ["groupNorm", OPS.groupNorm(2), [2, 4]],
  ["instanceNorm", OPS.instanceNorm(), [3, 2]],
  ["batchNorm", OPS.batchNorm({ mean: [0, 1], variance: [1, 2] }), [3, 2]],
  ["shift", OPS.shift([2, 3]), [2, 3]],
  ["gain", OPS.gain([3]), [2, 3]],
  ["head", head(3), [2, 2]],
  ["split", sequence(split({ sizes: [1, 2] }), concatenate()), [3]],
  ["attention", attention({ heads: 2, causal: true }), [3, 4]],
];

/** Name and network, each on three numbers, 0, 1 or 2. */
export const opNetworks = (outputs: number): (readonly [string, Network])[] => [
  ...LAYERS.map(([name, layer, ...shapes]) => [name, around(layer, shapes, outputs)] as const),
  ["embedding", serial(3, embedding(3, 2), flatten(), dense(outputs))],
  ["tied head", tied(outputs)],
];

/** An embedding and a head that share a table. */
function tied(outputs: number): Network {
  const b = createBuilder(3);
  const embedded = b.apply(embedding(3, 2), [0]);
  const pooled = b.apply(globalAveragePool(), [embedded]);
  const logits = b.apply(head(3), [pooled], { shares: 0 });
  return b.finish(b.apply(dense(outputs), [logits]));
}

/** Two samples for them. */
const opSamples = matrix(2, 3, Float64Array.of(0, 2, 1, 2, 2, 1));

/** Outputs, and what the rows of the Jacobian are made of, of such a network on an engine. */
export async function numbersOf(engine: Engine, network: Network): Promise<number[]> {
  const linearizer = await createLinearizer(engine, network);
  const weights = createWeights(network, initialise(engine, network, 3));
  const { outputs, layers } = await linearizer.linearize(weights, opSamples);
  return [...outputs.data, ...layers.flatMap(({ inputs, signals }) => [...inputs.data, ...signals.data])];
}
