/**
 * @file Functions of one value that activations are made of, as nodes of a graph. ONNX Runtime has no Erf and no Softplus in float64 on the
 * CPU, and its float64 Sigmoid is rounded to multiples of 1e-16: there they are composed of what it has, to the last digits
 * of small values too. In float32 its own operators are used.
 *
 * erf and erfc by the rational approximations of Cody (Math. Comp. 23, 1969), with y = x^2 and z = |x|:
 *
 *     erf x = x P(y) / Q(y)                      for z <= 0.46875
 *     erfc z = exp(-y) R(z) / S(z)               beyond, to 2e-16 up to z = 4 and 1e-13 up to z = 5.5
 */
import type { Graph, Value } from "../../engine/graph.ts";
import { add, mul, relu, scaleBy, step } from "../../engine/ops.ts";

/** One node of one input. */
const unary =
  (op: string) =>
  (g: Graph, u: Value): Value =>
    g.node(op, [u]);

export const abs = unary("Abs");
export const cos = unary("Cos");
export const exp = unary("Exp");
export const sin = unary("Sin");
export const tanh = unary("Tanh");

/** u + a constant. */
export const plus = (g: Graph, u: Value, constant: number): Value => add(g, u, g.constant([constant]));

/** a / b. */
export const over = (g: Graph, a: Value, b: Value): Value => g.node("Div", [a, b]);

/** exp(-|u|), which never overflows. */
export const decay = (g: Graph, u: Value): Value => exp(g, scaleBy(g, abs(g, u), -1));

/** A polynomial by Horner's rule; coefficients of the highest power first, two at least. */
export function horner(g: Graph, u: Value, [first, ...rest]: readonly number[]): Value {
  const last = rest.length - 1;
  let sum = scaleBy(g, u, first!);
  for (const [i, c] of rest.entries()) {
    sum = plus(g, sum, c);
    if (i < last) sum = mul(g, sum, u);
  }
  return sum;
}

/** 1 / (1 + exp(-u)). */
export function sigmoid(g: Graph, u: Value): Value {
  if (g.precision === "float32") return g.node("Sigmoid", [u]);
  const e = decay(g, u);
  const positive = step(g, u);
  // 1 / (1 + e) where u > 0, else e / (1 + e).
  const numerator = add(g, e, mul(g, positive, plus(g, scaleBy(g, e, -1), 1)));
  return over(g, numerator, plus(g, e, 1));
}

/** The derivative of {@link sigmoid}: e / (1 + e)^2 with e = exp(-|u|). */
export function sigmoidSlope(g: Graph, u: Value): Value {
  const e = decay(g, u);
  const whole = plus(g, e, 1);
  return over(g, e, mul(g, whole, whole));
}

/** log(1 + exp(u)) = max(u, 0) + log(1 + e) with e = exp(-|u|). */
export function softplus(g: Graph, u: Value): Value {
  const e = decay(g, u);
  const whole = plus(g, e, 1);
  const log = g.node("Log", [whole]);
  if (g.precision === "float32") return add(g, relu(g, u), log);
  // What rounding makes of e in 1 + e is divided out (Kahan): e log(w) / (w - 1), and e where w = 1.
  const kept = plus(g, whole, -1);
  const one = g.node("LessOrEqual", [kept, g.constant([0])]);
  const ratio = g.node("Where", [one, g.constant([1]), over(g, log, kept)]);
  return add(g, relu(g, u), mul(g, e, ratio));
}

/** Where the first of Cody's approximations ends. */
const CENTRE = 0.46875;
/** Where the second stands still: exp(-y) is 0 there. */
const FAR = 30;

const P = [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694];
const Q = [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171];
const R = [
  2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
  881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
];
const S = [
  1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
  4362.619090143247, 3439.3676741437216, 1230.3393548037495,
];

/** Both approximations, each right on its side: erf x near zero, erfc |x| beyond, and where "near" is. */
function cody(g: Graph, x: Value): { near: Value; centre: Value; tail: Value } {
  const size = abs(g, x);
  const inner = g.node("Max", [g.node("Min", [x, g.constant([CENTRE])]), g.constant([-CENTRE])]);
  const y = mul(g, inner, inner);
  const z = g.node("Min", [size, g.constant([FAR])]);
  return {
    // A NaN is not near: it reaches the result through the exponential.
    near: g.node("LessOrEqual", [size, g.constant([CENTRE])]),
    centre: mul(g, inner, over(g, horner(g, y, P), horner(g, y, Q))),
    tail: mul(g, exp(g, scaleBy(g, mul(g, x, x), -1)), over(g, horner(g, z, R), horner(g, z, S))),
  };
}

/** erf(x) = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
export function erf(g: Graph, x: Value): Value {
  if (g.precision === "float32") return g.node("Erf", [x]);
  const { near, centre, tail } = cody(g, x);
  const beyond = mul(g, g.node("Sign", [x]), plus(g, scaleBy(g, tail, -1), 1));
  return g.node("Where", [near, centre, beyond]);
}

/** The normal distribution Phi(u) = erfc(-u / sqrt(2)) / 2, to the last digits of its left tail too. */
export function normalCdf(g: Graph, u: Value): Value {
  const x = scaleBy(g, u, Math.SQRT1_2);
  if (g.precision === "float32") return scaleBy(g, plus(g, g.node("Erf", [x]), 1), 0.5);
  const { near, centre, tail } = cody(g, x);
  const right = g.node("Greater", [x, g.constant([0])]);
  const beyond = g.node("Where", [right, plus(g, scaleBy(g, tail, -1), 2), tail]);
  return scaleBy(g, g.node("Where", [near, plus(g, centre, 1), beyond]), 0.5);
}

/** exp(-u^2 / 2) / sqrt(2 pi). */
export const normalDensity = (g: Graph, u: Value): Value =>
  scaleBy(g, exp(g, scaleBy(g, mul(g, u, u), -0.5)), 1 / Math.sqrt(2 * Math.PI));
