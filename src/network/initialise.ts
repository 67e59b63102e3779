/**
 * @file Initial weights as the paper's NumPy program draws them: from NumPy's legacy stream, the weights of the last
 * layer first, [fanOut, fanIn] row by row, down to the first layer's; then the biases in the same order. All have
 * unit variance (the NTK parameterisation scales them in the forward pass) and are rounded to float32.
 */
import type { Engine, FloatArray } from "../graph/engine.ts";
import { randomState } from "../random/random-state.ts";
import type { Network } from "./network.ts";

/**
 * theta_l [fanOut, rows] of every layer, in the engine's precision.
 * @throws InputError when `seed` is not an integer in 0..2^32 - 1.
 */
export function initialise(engine: Engine, network: Network, seed: number): FloatArray[] {
  const { normalsInto } = randomState(seed);
  const thetas = network.weights.map(({ fanOut, rows }) => engine.floats(fanOut * rows));
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
  return thetas;
}
