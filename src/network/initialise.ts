/**
 * @file Initial weights, of two streams:
 *
 * - `numpy`, as the paper's NumPy program draws them: from NumPy's legacy RandomState, the weights of the last layer
 *   first, [fanOut, fanIn] row by row, down to the first layer's; then the biases in the same order.
 * - `jax`, as the JAX program and Neural Tangents draw them: `stax.serial` of Dense and Relu under `PRNGKey(seed)`.
 *
 * All are rounded to float32 and then multiplied by the standard deviation of the parameterisation, which is one for
 * the NTK's.
 */
import { demandName } from "../error.ts";
import type { Engine, FloatArray } from "../graph/engine.ts";
import { randomState } from "../random/random-state.ts";
import { staxDenseInit } from "../random/stax-init.ts";
import type { Network } from "./network.ts";

/** Streams of initial weights. */
export const PRNGS = ["numpy", "jax"] as const;

/** A stream of initial weights. */
export type Prng = (typeof PRNGS)[number];

/**
 * theta_l [fanOut, rows] of every layer, in the engine's precision.
 * @throws InputError when `seed` is not an integer in 0..2^32 - 1, or `prng` no stream.
 */
export function initialise(
  engine: Engine,
  network: Network,
  seed: number,
  prng: Prng = "numpy",
): FloatArray[] {
  demandName("prng", PRNGS, prng);
  const thetas = network.weights.map(({ fanOut, rows }) => engine.floats(fanOut * rows));
  (prng === "jax" ? fillAsJax : fillAsNumpy)(thetas, network, seed);
  for (const [l, { rows, fanIn, scales }] of network.weights.entries()) {
    if (scales.weightStd === 1 && scales.biasStd === 1) continue;
    const theta = thetas[l]!;
    for (let i = 0; i < theta.length; i++) theta[i]! *= i % rows < fanIn ? scales.weightStd : scales.biasStd;
  }
  return thetas;
}

function fillAsNumpy(thetas: readonly FloatArray[], network: Network, seed: number): void {
  const { normalsInto } = randomState(seed);
  const lastToFirst = network.weights.map((shape, l) => ({ ...shape, theta: thetas[l]! })).toReversed();
  for (const { fanIn, rows, fanOut, theta } of lastToFirst) {
    if (theta instanceof Float32Array && rows === fanIn) {
      normalsInto(theta);
      continue;
    }
    const row = new Float32Array(fanIn);
    for (let i = 0; i < fanOut; i++) theta.set(normalsInto(row), i * rows);
  }
  for (const { fanIn, rows, fanOut, theta } of lastToFirst) {
    // Drawn with or without biases, as the program does; the stream ends here.
    const biases = normalsInto(new Float32Array(fanOut));
    if (rows > fanIn) for (const [i, b] of biases.entries()) theta[i * rows + fanIn] = b;
  }
}

function fillAsJax(thetas: readonly FloatArray[], network: Network, seed: number): void {
  const sizes = [network.inputs, ...network.weights.map(({ fanOut }) => fanOut)];
  for (const [l, { weights, bias }] of staxDenseInit(seed, sizes).entries()) {
    const { fanIn, rows, fanOut } = network.weights[l]!;
    const theta = thetas[l]!;
    for (let i = 0; i < fanIn; i++) {
      for (let o = 0; o < fanOut; o++) theta[o * rows + i] = weights[i * fanOut + o]!;
    }
    if (rows > fanIn) for (let o = 0; o < fanOut; o++) theta[o * rows + fanIn] = bias[o]!;
  }
}
