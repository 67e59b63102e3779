/**
 * @file The Jacobian of a network against central differences of its outputs, parameter by parameter, in float64.
 */
import { expect } from "vitest";
import { createLinearizer, type LayerLinearization } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import type { Network } from "../../src/network/network.ts";
import { randomState } from "../../src/random/random-state.ts";
import { float64Engine, relativeError } from "./tiny.ts";

/** Half the step of a difference. */
const STEP = 1e-5;

/** What differences get wrong: their third derivatives times the step squared, and rounding over the step. */
const DIFFERENCES = 1e-7;

/**
 * Checks the Jacobian by every parameter at normal weights of a seed: those of the op that is tested, and those before it,
 * which see its way back.
 */
export async function checkJacobian(network: Network, x: Matrix, seed: number): Promise<void> {
  const linearizer = await createLinearizer(await float64Engine(), network);
  const { normalsInto } = randomState(seed);
  const thetas = network.blocks.map(({ columns, fanOut }) => normalsInto(new Float64Array(columns * fanOut)));
  const weights = createWeights(network, thetas);
  const rows = (await linearizer.linearize(weights, x)).layers.map(rowsOf);
  const f = async () => (await linearizer.forward(weights, x)).data;
  for (const [l, theta] of thetas.entries()) {
    const { columns } = network.blocks[l]!;
    for (const [at, old] of theta.entries()) {
      theta[at] = old + STEP;
      const up = await f();
      theta[at] = old - STEP;
      const down = await f();
      theta[at] = old;
      const difference = up.map((value, row) => (value - down[row]!) / (2 * STEP));
      const own = rows[l]!.map((row) => row[at]!);
      const what = `theta ${l + 1} [${Math.floor(at / columns)}, ${at % columns}]`;
      expect(relativeError(own, difference, 1), what).toBeLessThan(DIFFERENCES);
    }
  }
}

/** The same along one random direction of each block's parameters: for networks of many of them. */
export async function checkJacobianAlong(network: Network, x: Matrix, seed: number): Promise<void> {
  const linearizer = await createLinearizer(await float64Engine(), network);
  const { normalsInto } = randomState(seed);
  const draw = () =>
    network.blocks.map(({ columns, fanOut }) => normalsInto(new Float64Array(columns * fanOut)));
  const [thetas, directions] = [draw(), draw()];
  const weights = createWeights(network, thetas);
  const rows = (await linearizer.linearize(weights, x)).layers.map(rowsOf);
  for (const [l, theta] of thetas.entries()) {
    const [start, direction] = [theta.slice(), directions[l]!];
    const f = async (step: number) => {
      for (const [at, old] of start.entries()) theta[at] = old + step * direction[at]!;
      return (await linearizer.forward(weights, x)).data.slice();
    };
    const [up, down] = [await f(STEP), await f(-STEP)];
    theta.set(start);
    const difference = up.map((value, row) => (value - down[row]!) / (2 * STEP));
    const own = rows[l]!.map((row) => row.reduce((sum, value, at) => sum + value * direction[at]!, 0));
    expect(relativeError(own, difference, 1), `theta ${l + 1}`).toBeLessThan(DIFFERENCES);
  }
}

/** Rows (n, c) of the Jacobian by one block, each [fanOut columns], whichever way it is kept. */
export function rowsOf({ inputs: H, signals: D, kept: T }: LayerLinearization): Float64Array[] {
  const C = D.rows / H.rows;
  const [O, I] = [D.cols / T, H.cols / T];
  return Array.from({ length: D.rows }, (_, row) => {
    const own = new Float64Array(O * I);
    const n = Math.floor(row / C);
    for (let t = 0; t < T; t++) {
      for (let o = 0; o < O; o++) {
        const signal = D.data[row * D.cols + t * O + o]!;
        for (let i = 0; i < I; i++) own[o * I + i]! += signal * H.data[n * H.cols + t * I + i]!;
      }
    }
    return own;
  });
}
