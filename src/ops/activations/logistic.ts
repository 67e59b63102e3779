/**
 * @file Activations made of the logistic function s(u) = 1 / (1 + exp(-u)): sigmoid, tanh, SiLU u s(u), softplus, and GELU with tanh, u s(w)
 * with w = sqrt(8 / pi) (u + 0.044715 u^3). Their duals have no closed form; they come from expansion.ts.
 */
import { add, mul, scaleBy } from "../../engine/ops.ts";
import type { Graph, Value } from "../../engine/graph.ts";
import type { Activation } from "../activation.ts";
import { dualsByExpansion } from "../expansion.ts";
import { plus, sigmoid, sigmoidSlope, softplus, tanh } from "./formulas.ts";

/** s and its derivative on the host. */
const s = (u: number): number => 1 / (1 + Math.exp(-u));
const slope = (u: number): number => {
  const e = Math.exp(-Math.abs(u));
  return e / (1 + e) ** 2;
};

/** 1 / (1 + exp(-u)). */
export const SIGMOID: Activation = {
  name: "sigmoid",
  value: sigmoid,
  derivative: sigmoidSlope,
  ...dualsByExpansion(s, slope),
};

/** tanh(u); its derivative is 4 s'(2 u). */
export const TANH: Activation = {
  name: "tanh",
  value: tanh,
  derivative: (g, u) => scaleBy(g, sigmoidSlope(g, scaleBy(g, u, 2)), 4),
  ...dualsByExpansion(Math.tanh, (u) => 4 * slope(2 * u)),
};

/** u s(u), also called swish. */
export const SILU: Activation = {
  name: "silu",
  value: (g, u) => mul(g, u, sigmoid(g, u)),
  derivative: (g, u) => add(g, sigmoid(g, u), mul(g, u, sigmoidSlope(g, u))),
  ...dualsByExpansion(
    (u) => u * s(u),
    (u) => s(u) + u * slope(u),
  ),
};

/** log(1 + exp(u)). */
export const SOFTPLUS: Activation = {
  name: "softplus",
  value: softplus,
  derivative: sigmoid,
  ...dualsByExpansion((u) => Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u))), s),
};

const [SCALE, CUBIC] = [Math.sqrt(8 / Math.PI), 0.044715];
const argument = (u: number): number => SCALE * (u + CUBIC * u ** 3);
const argumentSlope = (u: number): number => SCALE * (1 + 3 * CUBIC * u ** 2);

/** w of a graph, and its derivative. */
const w = (g: Graph, u: Value): Value => mul(g, u, plus(g, scaleBy(g, mul(g, u, u), SCALE * CUBIC), SCALE));
const wSlope = (g: Graph, u: Value): Value => plus(g, scaleBy(g, mul(g, u, u), 3 * SCALE * CUBIC), SCALE);

/** u (1 + tanh(w / 2)) / 2, the usual approximation of GELU (Hendrycks & Gimpel, arXiv 1606.08415). */
export const GELU_TANH: Activation = {
  name: "gelu_tanh",
  value: (g, u) => mul(g, u, sigmoid(g, w(g, u))),
  derivative(g, u) {
    const at = w(g, u);
    return add(g, sigmoid(g, at), mul(g, mul(g, u, wSlope(g, u)), sigmoidSlope(g, at)));
  },
  ...dualsByExpansion(
    (u) => u * s(argument(u)),
    (u) => s(argument(u)) + u * argumentSlope(u) * slope(argument(u)),
  ),
};
