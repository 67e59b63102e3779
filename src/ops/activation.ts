/**
 * @file An elementwise nonlinearity as an op. An activation is three formulas: its value and derivative on a graph,
 * and its dual: the expectations of phi phi' and of phi-dot phi-dot' under a pair of centred Gaussians.
 */
import type { Graph, Value } from "../engine/graph.ts";
import { mul } from "../engine/ops.ts";
import { only, type Op } from "./op.ts";
import type { Tile } from "./tile.ts";

/** A nonlinearity phi. */
export type Activation = {
  readonly name: string;
  /** phi(u). */
  value(g: Graph, u: Value): Value;
  /** phi'(u). */
  derivative(g: Graph, u: Value): Value;
  /** phi'(u) of a number, as {@link Activation.derivative} on the host. */
  slope(u: number): number;
  /** The share of samples on which phi' is not 0 where u is a centred Gaussian. Default: 1. */
  readonly activeShare?: number;
  /** E[phi(u) phi(v)] for (u, v) centred Gaussian with variances p, q and covariance k. */
  dual(k: number, p: number, q: number): number;
  /** E[phi'(u) phi'(v)] for the same pair. */
  dualDerivative(k: number, p: number, q: number): number;
  /** Both duals over a tile, where there is a faster way than number by number ({@link dualMaps}). */
  maps?(tile: Tile): void;
};

/**
 * The op that applies `phi` to every value.
 * @example
 * import { activation, dense, matrix, ntk, serial } from "natgrad";
 * import { ops } from "natgrad/engine";
 *
 * const linear = activation({
 *   name: "twice",
 *   value: (g, u) => ops.scaleBy(g, u, 2),
 *   derivative: (g, u) => ops.add(g, ops.scaleBy(g, u, 0), g.constant([2])),
 *   slope: () => 2,
 *   dual: (k) => 4 * k, // E[2u 2v]
 *   dualDerivative: () => 4,
 * });
 * const network = serial(2, dense(64), linear, dense(1));
 * const theta = await ntk(network, matrix(1, 2, Float64Array.of(0.6, 0.8)));
 * console.log(theta.data); // 16: two layers, each 2 (weight variance) x 4 (slopes squared)
 */
export const activation = (phi: Activation): Op => ({
  name: phi.name,
  shape: (inputs) => only(phi.name, inputs),
  slope: phi.slope,
  ...(phi.activeShare === undefined ? {} : { activeShare: phi.activeShare }),
  forward: (g, { inputs }) => ({ output: phi.value(g, inputs[0]!) }),
  backward: (g, at, ct) => [mul(g, ct, phi.derivative(g, at.first(at.inputs[0]!)))],
  infinite: () => ({
    kind: "elementwise",
    variance: (p) => phi.dual(p, p, p),
    maps: phi.maps ?? ((tile) => dualMaps(phi, tile)),
  }),
});

/** The maps of an activation number by number, from its formulas. */
export function dualMaps(
  { dual, dualDerivative }: Pick<Activation, "dual" | "dualDerivative">,
  { rows, cols, cov, tangent, var1, var2 }: Tile,
): void {
  for (let i = 0, at = 0; i < rows; i++) {
    const p = var1[i]!;
    for (let j = 0; j < cols; j++, at++) {
      const k = cov[at]!;
      if (tangent) tangent[at]! *= dualDerivative(k, p, var2[j]!);
      cov[at] = dual(k, p, var2[j]!);
    }
  }
}
