/**
 * @file Random tiny networks for property tests, both as natgrad's and as the plain twin's.
 */
import fc from "fast-check";
import { createEngine, type Engine } from "../../src/engine/engine.ts";
import { createLinearizer, type Linearizer } from "../../src/jacobian/linearize.ts";
import { createWeights, type Weights } from "../../src/jacobian/weights.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { mlp } from "../../src/network/mlp.ts";
import { type Network } from "../../src/network/network.ts";
import { randomState } from "../../src/random/random-state.ts";
import type { Rows, TinyNetwork } from "./twin.ts";

/** Sizes and seed of a tiny problem. */
export type TinyCase = {
  depth: number;
  inputs: number;
  width: number;
  outputs: number;
  samples: number;
  bias: boolean;
  seed: number;
};

/** Depth 1 to 4, 1 to 4 outputs, with and without biases. */
export const tinyCase = (limits: Partial<Record<"minWidth" | "maxWidth" | "maxSamples", number>> = {}) =>
  fc.record({
    depth: fc.integer({ min: 1, max: 4 }),
    inputs: fc.integer({ min: 1, max: 4 }),
    width: fc.integer({ min: limits.minWidth ?? 1, max: limits.maxWidth ?? 5 }),
    outputs: fc.integer({ min: 1, max: 4 }),
    samples: fc.integer({ min: 1, max: limits.maxSamples ?? 4 }),
    bias: fc.boolean(),
    seed: fc.integer({ min: 0, max: 1e6 }),
  });

/** A tiny problem in both worlds. */
export type Tiny = {
  engine: Engine;
  network: Network;
  linearizer: Linearizer;
  weights: Weights;
  twin: TinyNetwork;
  train: Matrix;
  test: Matrix;
  labels: Matrix;
};

let engine: Promise<Engine> | undefined;

/** One float64 engine for all. */
export const float64Engine = (): Promise<Engine> =>
  (engine ??= createEngine({ precision: "float64", threads: 1 }));

/** Normal samples of a network. */
export const samplesFor = ({ inputs }: Network, seed: number, count = 3): Matrix =>
  matrix(count, inputs, randomState(seed).normalsInto(new Float64Array(count * inputs)));

export const toRows = (m: Matrix): Rows =>
  Array.from({ length: m.rows }, (_, i) => [...m.data.subarray(i * m.cols, (i + 1) * m.cols)]);

/** Draws a problem. */
export async function tiny({ depth, inputs, width, outputs, samples, bias, seed }: TinyCase): Promise<Tiny> {
  const engine = await float64Engine();
  const { normalsInto } = randomState(seed);
  const biasVariance = bias ? 0.3 : 0;
  const weightVariance = 1.7;
  const network = mlp(inputs, { depth, width, outputs, weightVariance, biasVariance });
  const thetas = network.blocks.map(({ fanOut, columns }) => normalsInto(new Float64Array(fanOut * columns)));
  const draw = (rows: number, cols: number): Matrix =>
    matrix(rows, cols, normalsInto(new Float64Array(rows * cols)));
  return {
    engine,
    network,
    linearizer: await createLinearizer(engine, network),
    weights: createWeights(network, thetas),
    twin: {
      widths: [inputs, ...network.blocks.map(({ fanOut }) => fanOut)],
      weightVariance,
      biasVariance,
      theta: network.blocks.map(({ fanOut, columns }, l) =>
        toRows(matrix(fanOut, columns, thetas[l]!.slice())),
      ),
    },
    train: draw(samples, inputs),
    test: draw(2, inputs),
    labels: draw(samples, outputs),
  };
}

/** Values below this are zero for {@link relativeError}: a dead network has nothing to compare. */
const NOTHING = 1e-9;

/** Largest absolute difference over largest absolute value, or over `floor` where that is larger. */
export function relativeError(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  floor: number = NOTHING,
): number {
  if (got.length !== wanted.length) return Infinity;
  let difference = 0;
  let size = 0;
  for (let i = 0; i < wanted.length; i++) {
    difference = Math.max(difference, Math.abs(got[i]! - wanted[i]!));
    size = Math.max(size, Math.abs(wanted[i]!));
  }
  return difference / Math.max(size, floor, NOTHING);
}
