/**
 * @file Initial weights, of two streams:
 *
 * - `numpy`, as the paper's NumPy program draws them: from NumPy's legacy RandomState, the weights of the last layer
 *   first, [fanOut, fanIn] row by row, down to the first layer's; then the biases in the same order.
 * - `jax`, as the JAX program and Neural Tangents draw them: `stax.serial` of Dense and Relu under `PRNGKey(seed)`.
 *
 * All are rounded to float32 and then multiplied by the standard deviation of the parameterisation, which is one for
 * the NTK's. Blocks that say where they start (gains and shifts) are not drawn: the streams go on as if they were not there.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { demandName } from "../error.ts";
import type { Engine, FloatArray } from "../engine/engine.ts";
import { randomState } from "../random/random-state.ts";
import { staxDenseKeys } from "../random/stax-init.ts";
import { normalInto } from "../random/threefry-normal.ts";
import { prngKey } from "../random/threefry.ts";
import type { BlockShape } from "../ops/op.ts";
import type { Network } from "./network.ts";

/** Streams of initial weights. */
export const PRNGS = ["numpy", "jax"] as const;

/** A stream of initial weights. */
export type Prng = (typeof PRNGS)[number];

/**
 * theta_l [fanOut, columns] of every layer, in the engine's precision.
 * @throws InputError when `seed` is not an integer in 0..2^32 - 1, or `prng` no stream.
 * @example
 * import { createEngine, createWeights, initialise, mlp } from "natgrad";
 *
 * const network = mlp(8, { depth: 2, width: 64 });
 * const engine = await createEngine();
 * const weights = createWeights(network, initialise(engine, network, 1)); // seed 1
 * console.log(weights.length); // 2
 * await engine.release();
 */
export function initialise(
  engine: Engine,
  network: Network,
  seed: number,
  prng: Prng = "numpy",
): FloatArray[] {
  const thetas = emptyWeights(engine, network);
  const drawing = draw(thetas, network, seed, prng);
  while (!drawing.next().done);
  return thetas;
}

/**
 * The same without keeping others waiting: tens of millions of numbers take seconds.
 * @throws InputError as {@link initialise} does, and the reason of the signal.
 */
export async function drawWeights(
  engine: Engine,
  network: Network,
  seed: number,
  { prng = "numpy", signal }: Stoppable & { prng?: Prng } = {},
): Promise<FloatArray[]> {
  const thetas = emptyWeights(engine, network);
  const drawing = draw(thetas, network, seed, prng);
  while (!drawing.next().done) await breathe(signal);
  return thetas;
}

const emptyWeights = (engine: Engine, { blocks }: Network): FloatArray[] =>
  blocks.map(({ fanOut, columns }) => engine.floats(fanOut * columns));

/** Numbers that are drawn at a time: about a millisecond. */
const PIECE = 2 ** 15;

/** Fills the weights of all layers, a piece at a time. */
function* draw(thetas: readonly FloatArray[], network: Network, seed: number, prng: Prng): Generator<void> {
  demandName("prng", PRNGS, prng);
  const blocks = network.blocks.map((shape, l) => ({ ...shape, theta: thetas[l]! }));
  for (const { theta, start, columns } of blocks) {
    if (start) for (let i = 0; i < theta.length; i++) theta[i] = start[i % columns]!;
  }
  const drawn = blocks.filter(({ start }) => !start);
  yield* (prng === "jax" ? fillAsJax : fillAsNumpy)(drawn, seed);
  for (const { theta, columns, fanIn, scales } of drawn) {
    if (scales.weightStd === 1 && scales.biasStd === 1) continue;
    for (let i = 0; i < theta.length; i++)
      theta[i]! *= i % columns < fanIn ? scales.weightStd : scales.biasStd;
    yield;
  }
}

/** A block whose weights are to be drawn. */
type Drawn = BlockShape & { readonly theta: FloatArray };

function* fillAsNumpy(blocks: readonly Drawn[], seed: number): Generator<void> {
  const { normalsInto } = randomState(seed);
  const lastToFirst = blocks.toReversed();
  for (const { fanIn, columns, fanOut, theta } of lastToFirst) {
    if (theta instanceof Float32Array && columns === fanIn) {
      for (let from = 0; from < theta.length; from += PIECE, yield) {
        normalsInto(theta.subarray(from, from + PIECE));
      }
      continue;
    }
    const row = new Float32Array(fanIn);
    for (let i = 0; i < fanOut; i++, yield) theta.set(normalsInto(row), i * columns);
  }
  for (const { fanIn, columns, fanOut, theta } of lastToFirst) {
    // Drawn with or without biases, as the program does; the stream ends here.
    const biases = normalsInto(new Float32Array(fanOut));
    if (columns > fanIn) for (const [i, b] of biases.entries()) theta[i * columns + fanIn] = b;
  }
}

function* fillAsJax(blocks: readonly Drawn[], seed: number): Generator<void> {
  const keys = staxDenseKeys(prngKey(seed), blocks.length);
  for (const [l, { fanIn, columns, fanOut, theta }] of blocks.entries()) {
    // W [fanIn, fanOut], some rows at a time.
    const count = Math.max(1, Math.floor(PIECE / fanOut));
    for (let from = 0; from < fanIn; from += count, yield) {
      const to = Math.min(from + count, fanIn);
      const part = new Float32Array((to - from) * fanOut);
      normalInto(keys[l]!.weights, part, { offset: from * fanOut });
      for (let o = 0; o < fanOut; o++) {
        for (let i = from; i < to; i++) theta[o * columns + i] = part[(i - from) * fanOut + o]!;
      }
    }
    if (columns === fanIn) continue;
    const bias = normalInto(keys[l]!.bias, new Float32Array(fanOut));
    for (let o = 0; o < fanOut; o++) theta[o * columns + fanIn] = bias[o]!;
  }
}
