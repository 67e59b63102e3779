/**
 * @file Functions of every number that models are written with, and that no infinitely wide network has a rule for here. Those that
 * have one are activations (activation.ts).
 */
import { demandFinite, InputError } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { div, equal, map, mul, scaleBy, step, sub } from "../engine/ops.ts";
import { only, type Op } from "./op.ts";

/** A function of x, and the cotangent of x from that of y. */
type Formula = {
  readonly value: (g: Graph, x: Value) => Value;
  readonly back: (g: Graph, ct: Value, x: Value, y: Value) => Value;
};

const elementwise = (name: string, { value, back }: Formula): Op => ({
  name,
  shape: (inputs) => only(name, inputs),
  forward: (g, { inputs }) => ({ output: value(g, inputs[0]!) }),
  backward: (g, at, ct) => [back(g, ct, at.first(at.inputs[0]!), at.first(at.output))],
});

/**
 * The op -x.
 * @example
 * import { neg } from "natgrad/network";
 *
 * console.log(neg().shape([[3, 4]])); // [ 3, 4 ]
 */
export const neg = (): Op =>
  elementwise("neg", {
    value: (g, x) => map(g, "Neg", x),
    back: (g, ct) => map(g, "Neg", ct),
  });

/**
 * The op sqrt(x).
 * @example
 * import { sqrt } from "natgrad/network";
 *
 * console.log(sqrt().name); // sqrt
 */
export const sqrt = (): Op =>
  elementwise("sqrt", {
    value: (g, x) => map(g, "Sqrt", x),
    back: (g, ct, _x, y) => scaleBy(g, div(g, ct, y), 0.5),
  });

/**
 * The op exp(x).
 * @example
 * import { exp } from "natgrad/network";
 *
 * console.log(exp().name); // exp
 */
export const exp = (): Op =>
  elementwise("exp", {
    value: (g, x) => map(g, "Exp", x),
    back: (g, ct, _x, y) => mul(g, ct, y),
  });

/**
 * The op log(x), of base e.
 * @example
 * import { log } from "natgrad/network";
 *
 * console.log(log().name); // log
 */
export const log = (): Op =>
  elementwise("log", {
    value: (g, x) => map(g, "Log", x),
    back: (g, ct, x) => div(g, ct, x),
  });

/**
 * The op 1 / x.
 * @example
 * import { reciprocal } from "natgrad/network";
 *
 * console.log(reciprocal().name); // reciprocal
 */
export const reciprocal = (): Op =>
  elementwise("reciprocal", {
    value: (g, x) => map(g, "Reciprocal", x),
    back: (g, ct, _x, y) => map(g, "Neg", mul(g, ct, mul(g, y, y))),
  });

/**
 * The op |x|, with slope 0 at 0.
 * @example
 * import { abs } from "natgrad/network";
 *
 * console.log(abs().name); // abs
 */
export const abs = (): Op =>
  elementwise("abs", {
    value: (g, x) => map(g, "Abs", x),
    // WebGPU has no Sign.
    back: (g, ct, x) => mul(g, ct, sub(g, step(g, x), step(g, map(g, "Neg", x)))),
  });

/**
 * The op x^exponent.
 * @throws InputError for an exponent that is not finite.
 * @example
 * import { pow } from "natgrad/network";
 *
 * console.log(pow(3).name); // pow(3)
 */
export function pow(exponent: number): Op {
  demandFinite("pow", exponent);
  const power = (g: Graph, x: Value, to: number): Value => g.node("Pow", [x, g.constant([to])]);
  return elementwise(`pow(${exponent})`, {
    value: (g, x) => power(g, x, exponent),
    // Of a constant 0 everywhere, also where x^-1 is infinite.
    back: (g, ct, x) =>
      exponent === 0 ? scaleBy(g, ct, 0) : mul(g, ct, scaleBy(g, power(g, x, exponent - 1), exponent)),
  });
}

/**
 * The op that brings numbers into [least, most]; its slope is 1 in there, ends included, and 0 elsewhere.
 * @throws InputError unless least <= most.
 * @example
 * import { clip } from "natgrad/network";
 *
 * console.log(clip({ least: 0, most: 6 }).name); // clip(0, 6)
 */
export function clip({ least = -Infinity, most = Infinity }: { least?: number; most?: number }): Op {
  if (!(least <= most)) throw new InputError(`clip: wanted least <= most, got ${least} and ${most}`);
  return elementwise(`clip(${least}, ${most})`, {
    value(g, x) {
      const above = least === -Infinity ? x : g.node("Max", [x, g.constant([least])]);
      return most === Infinity ? above : g.node("Min", [above, g.constant([most])]);
    },
    back: (g, ct, x, y) => mul(g, ct, equal(g, x, y)),
  });
}
