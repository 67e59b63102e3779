/**
 * @file Functions that exporters write as several nodes, as functions of a vector (the axes that they reduce) in float64. Those with an epsilon read
 * it off a small vector.
 */
import type { NormalAttributes } from "./graph.ts";

/** A function of a vector. */
export type VectorFunction = (x: Float64Array) => Float64Array;

/** erf by its Taylor series, and 1 beyond its reach: good to 1e-12. */
export function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Elementwise functions that are one op. */
const ELEMENTWISE: readonly [op: string, attributes: NormalAttributes, f: (x: number) => number][] = [
  ["Gelu", { approximate: "none" }, (x) => (x / 2) * (1 + erf(x / Math.SQRT2))],
  [
    "Gelu",
    { approximate: "tanh" },
    (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  ],
  ["Swish", { alpha: 1 }, (x) => x * sigmoid(x)],
  ["Mish", {}, (x) => x * Math.tanh(softplus(x))],
  ["Softplus", {}, softplus],
  ["HardSwish", {}, (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6],
  ["Sigmoid", {}, sigmoid],
  ["Relu", {}, (x) => Math.max(x, 0)],
];

const POINTS = Float64Array.from({ length: 33 }, (_, i) => (i - 16) / 3 + 0.01);

/** Numbers without a pattern, of mean square about 1 and another mean than 0. */
const vector = (length: number, scale: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => scale * (Math.sin(1 + 1.7 * i * i) * 1.3 + 0.3));

/** Within what rounding of float32 constants does. */
const agrees = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length &&
  a.every((value, i) => Math.abs(value - b[i]!) <= 1e-5 * Math.max(1, Math.abs(b[i]!)));

const mean = (x: Float64Array): number => x.reduce((a, b) => a + b, 0) / x.length;

/** (x - center) / sqrt(mean square of it + epsilon). */
const scaledBy =
  (centered: boolean, epsilon: number): VectorFunction =>
  (x) => {
    const center = centered ? mean(x) : 0;
    const root = Math.sqrt(mean(x.map((value) => (value - center) ** 2)) + epsilon);
    return x.map((value) => (value - center) / root);
  };

/** The epsilon with which a small vector would come out as it does; none where it is no such function. */
function epsilonOf(f: VectorFunction, length: number, centered: boolean): number | undefined {
  const x = vector(length, 1e-3);
  const y = f(x);
  if (y.length !== length) return undefined;
  const center = centered ? mean(x) : 0;
  const far = x.reduce(
    (best, value, i) => (Math.abs(value - center) > Math.abs(x[best]! - center) ? i : best),
    0,
  );
  const epsilon = ((x[far]! - center) / y[far]!) ** 2 - mean(x.map((value) => (value - center) ** 2));
  return epsilon > -1e-9 && epsilon < 1 ? Number(Math.max(0, epsilon).toPrecision(6)) : undefined;
}

const softmax: VectorFunction = (x) => {
  const most = x.reduce((a, b) => Math.max(a, b));
  const e = x.map((value) => Math.exp(value - most));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((value) => value / sum);
};

/** An op of one input. */
export type Recognised = { readonly op: string; readonly attributes: NormalAttributes };

/** The elementwise op that a function is. */
export function elementwiseOp(f: VectorFunction): Recognised | undefined {
  const y = f(POINTS);
  const found = ELEMENTWISE.find(([, , g]) => agrees(y, POINTS.map(g)));
  return found && { op: found[0], attributes: found[1] };
}

/** The op over the axes from `axis` on, of `length` numbers together, that a function is. */
export function vectorOp(
  f: VectorFunction,
  length: number,
  axis: number,
  rank: number,
): Recognised | undefined {
  if (length < 2) return undefined;
  const isAt = (g: VectorFunction) =>
    [1, 0.01, 10].every((scale) => agrees(f(vector(length, scale)), g(vector(length, scale))));
  for (const centered of [true, false]) {
    const epsilon = epsilonOf(f, length, centered);
    if (epsilon === undefined || !isAt(scaledBy(centered, epsilon))) continue;
    return { op: centered ? "LayerNormalization" : "RMSNormalization", attributes: { axis, epsilon } };
  }
  return axis === rank - 1 && isAt(softmax) ? { op: "Softmax", attributes: { axis } } : undefined;
}
