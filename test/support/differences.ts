/**
 * @file The Jacobian of a network by its parameters against differences of its outputs, in float64.
 */
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import type { Network } from "../../src/network/network.ts";
import { isOuter } from "../../src/ops/op.ts";
import { randomState } from "../../src/random/random-state.ts";
import { float64Engine, relativeError } from "./tiny.ts";

/** Half of the distance between two sets of weights. */
const STEP = 1e-5;

/**
 * For each block J d along a random direction d of its parameters, and the difference of the outputs along it: the largest relative
 * error over the blocks.
 */
export async function differenceError(
  network: Network,
  seed: number,
  { samples = 3, x: given }: { samples?: number; x?: Matrix } = {},
): Promise<number> {
  const engine = await float64Engine();
  const linearizer = await createLinearizer(engine, network);
  const { normalsInto } = randomState(seed);
  const thetas = network.blocks.map(({ columns, fanOut }) => normalsInto(new Float64Array(columns * fanOut)));
  const weights = createWeights(network, thetas);
  const N = given?.rows ?? samples;
  const x = given ?? matrix(N, network.inputs, normalsInto(new Float64Array(N * network.inputs)));
  const layers = (await linearizer.linearize(weights, x)).layers.map((layer) => ({
    ...layer,
    H: layer.inputs.data.slice(),
    D: layer.signals.data.slice(),
  }));
  const f = async () => (await linearizer.forward(weights, x)).data.slice();
  let error = 0;
  for (const [l, { H, D, ...layer }] of layers.entries()) {
    const { columns: I, fanOut: O } = layer;
    const theta = thetas[l]!;
    const start = theta.slice();
    const d = normalsInto(new Float64Array(O * I));
    const at = async (factor: number) => {
      for (let i = 0; i < theta.length; i++) theta[i] = start[i]! + factor * d[i]!;
      return f();
    };
    const [up, down] = [await at(STEP), await at(-STEP)];
    theta.set(start);
    const product = Array.from({ length: N * network.outputs }, (_, row) => {
      const sample = Math.floor(row / network.outputs);
      let sum = 0;
      for (let o = 0; o < O; o++) {
        for (let i = 0; i < I; i++) {
          const own = isOuter(layer) ? D[row * O + o]! * H[sample * I + i]! : D[row * O * I + o * I + i]!;
          sum += own * d[o * I + i]!;
        }
      }
      return sum;
    });
    const difference = up.map((value, row) => (value - down[row]!) / (2 * STEP));
    error = Math.max(error, relativeError(product, difference));
  }
  return error;
}
