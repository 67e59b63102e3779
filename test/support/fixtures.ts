/**
 * @file Arrays of the peer fixtures (test/fixtures/peers/README.md), as matrices.
 */
import { readFileSync } from "node:fs";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { readNpz } from "../../src/linalg/npz.ts";
import { dense } from "../../src/ops/dense.ts";
import { serial } from "../../src/network/layers.ts";
import { type Network } from "../../src/network/network.ts";
import { relu } from "../../src/ops/relu.ts";

/** Looks arrays up by name; vectors become columns of one row. */
export type Fixture = { readonly names: readonly string[]; get(name: string): Matrix };

/** Opens `test/fixtures/peers/<name>.npz`. */
export async function peerFixture(name: string): Promise<Fixture> {
  const path = new URL(`../fixtures/peers/${name}.npz`, import.meta.url);
  const arrays = await readNpz(new Uint8Array(readFileSync(path)), name);
  return {
    names: [...arrays.keys()],
    get(key) {
      const array = arrays.get(key);
      if (!array) throw new Error(`fixture ${name}: no array ${key}`);
      const [rows = 1, ...rest] = array.shape;
      const cols = rest.reduce((a, b) => a * b, 1);
      const shape: [number, number] = array.shape.length === 1 ? [1, rows] : [rows, cols];
      return matrix(...shape, Float64Array.from(array.data));
    },
  };
}

/** Variances of the peers' networks. */
export const variances = (bias: string) => ({ weightVariance: 2, biasVariance: bias === "bias" ? 0.1 : 0 });

/** The network of a fixture, and its parameters as theta [fanOut, columns]. */
export function peerNetwork(
  fixture: Fixture,
  name: string,
  depth: number,
  outputs: number,
  bias: string,
): { network: Network; thetas: Float64Array[] } {
  const widths = [7, 8, 7, 8].slice(0, depth - 1);
  const hidden = widths.flatMap((width) => [dense(width, variances(bias)), relu()]);
  const network = serial(5, ...hidden, dense(outputs, variances(bias)));
  return { network, thetas: peerWeights(fixture, name, network) };
}

/** The parameters of a network in a fixture, W [..., fanOut] and b [fanOut] of each layer, as theta [fanOut, columns]. */
export const peerWeights = (fixture: Fixture, name: string, { blocks }: Network): Float64Array[] =>
  blocks.map(({ fanIn, fanOut, columns }, l) => {
    const W = fixture.get(`${name}_layer${l + 1}_W`).data;
    const theta = new Float64Array(fanOut * columns);
    for (let o = 0; o < fanOut; o++) {
      for (let i = 0; i < fanIn; i++) theta[o * columns + i] = W[i * fanOut + o]!;
      if (columns > fanIn) theta[o * columns + fanIn] = fixture.get(`${name}_layer${l + 1}_b`).data[o]!;
    }
    return theta;
  });
