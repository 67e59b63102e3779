/**
 * @file Leaky ReLU and the absolute value: slopes `left` and `right` of zero, and 0 at zero. With R and R' the duals of ReLU
 * (relu.ts), and since relu(u) - relu(-u) = u,
 *
 *     E[phi phi']         = (right - left)^2 R(k) + left right k
 *     E[phi-dot phi-dot'] = (right - left)^2 R'(k) + left right
 */
import { add, relu, scaleBy, step } from "../../engine/ops.ts";
import type { Graph, Value } from "../../engine/graph.ts";
import { demandFinite } from "../../error.ts";
import type { Activation } from "../activation.ts";
import { RELU } from "../relu.ts";
import type { Tile } from "../tile.ts";
import { abs } from "./formulas.ts";

/** phi of these slopes. */
function piecewiseLinear(
  name: string,
  left: number,
  right: number,
  value: (g: Graph, u: Value) => Value,
): Activation {
  const square = (right - left) ** 2;
  const product = left * right;
  return {
    name,
    value,
    derivative: (g, u) => add(g, scaleBy(g, step(g, u), right), scaleBy(g, step(g, scaleBy(g, u, -1)), left)),
    slope: (u) => (u > 0 ? right : u < 0 ? left : 0),
    dual: (k, p, q) => square * RELU.dual(k, p, q) + product * k,
    dualDerivative: (k, p, q) => (p === 0 || q === 0 ? 0 : square * RELU.dualDerivative(k, p, q) + product),
    maps(tile) {
      const [cov, tangent] = [tile.cov.slice(), tile.tangent?.slice()];
      tile.workspace.relu(tile);
      for (let i = 0; i < cov.length; i++) tile.cov[i] = square * tile.cov[i]! + product * cov[i]!;
      if (tangent) combine(tile, tangent, square, product);
    },
  };
}

/** The tangent of a tile, which was multiplied by R', multiplied by square R' + product instead; 0 for samples of variance 0. */
function combine(
  { tangent, cols, var1, var2 }: Tile,
  before: Float64Array,
  square: number,
  product: number,
): void {
  for (let i = 0; i < before.length; i++) {
    const silent = var1[Math.floor(i / cols)] === 0 || var2[i % cols] === 0;
    tangent![i] = silent ? 0 : square * tangent![i]! + product * before[i]!;
  }
}

/**
 * u where u > 0, else slope u.
 * @throws InputError for a slope that is not finite.
 */
export function leakyRelu(slope = 0.01): Activation {
  demandFinite("slope", slope);
  return piecewiseLinear("leaky_relu", slope, 1, (g, u) =>
    g.precision === "float32"
      ? g.node("LeakyRelu", [u], [{ name: "alpha", value: { float: slope } }])
      : add(g, scaleBy(g, u, slope), scaleBy(g, relu(g, u), 1 - slope)),
  );
}

export const LEAKY_RELU: Activation = leakyRelu();

/** |u|. */
export const ABS: Activation = piecewiseLinear("abs", -1, 1, abs);
