/**
 * @file Elementwise ops on known values, with NumPy's broadcasting. Integers that depend on the number of samples, c + n N, are added, scaled and
 * compared where the answer is the same for every N >= 1.
 */
import { InputError } from "../../../error.ts";
import { count, type ElementName } from "../../model.ts";
import { arrayFor, computed, demandSize, isFloat, type Known } from "../known.ts";
import { broadcast, type Layout } from "../layout.ts";

type Pair = readonly [c: number, n: number];

/** Functions of one number. */
export const UNARY: Readonly<Record<string, (a: number) => number>> = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Cos: Math.cos,
  Exp: Math.exp,
  Floor: Math.floor,
  Log: Math.log,
  Neg: (a) => -a,
  Not: (a) => Number(a === 0),
  Reciprocal: (a) => 1 / a,
  Relu: (a) => Math.max(a, 0),
  Round: (a) => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a)),
  Sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  Sign: Math.sign,
  Sin: Math.sin,
  Sqrt: Math.sqrt,
  Tanh: Math.tanh,
};

/** Functions of two numbers. */
export const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Mod: (a, b) => a - b * Math.floor(a / b),
  Max: Math.max,
  Min: Math.min,
  Equal: (a, b) => Number(a === b),
  Greater: (a, b) => Number(a > b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  Less: (a, b) => Number(a < b),
  LessOrEqual: (a, b) => Number(a <= b),
  And: (a, b) => Number(a !== 0 && b !== 0),
  Or: (a, b) => Number(a !== 0 || b !== 0),
  Xor: (a, b) => Number((a !== 0) !== (b !== 0)),
};

const COMPARISONS = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor"];

/** The layout to which all broadcast. */
export const jointLayout = (items: readonly Layout[], what: string): Layout =>
  items.map((item): Layout => item).reduce((a, b) => broadcast(a, b, what));

/** An elementwise op of one value. */
export const unary = (op: string, a: Known): Known => ({
  ...computed(a.type, a.dims, () => a.values().map(UNARY[op]!), [a]),
  batch: a.batch,
  ...(a.slope && op === "Neg" ? { slope: a.slope.map((n) => -n) } : {}),
});

/** An elementwise op of two values. */
export function binary(op: string, a: Known, b: Known, what: string): Known {
  const layout = jointLayout([a, b], what);
  demandSize(layout.dims, what);
  const type: ElementName = COMPARISONS.includes(op) ? "bool" : a.type;
  const [left, right] = [indexInto(a.dims, layout.dims), indexInto(b.dims, layout.dims)];
  if (a.slope || b.slope) return sloped(op, a, b, { layout, type, left, right, what });
  const f = op === "Div" && !isFloat(a) ? (x: number, y: number) => Math.trunc(x / y) : BINARY[op]!;
  const values = () => {
    const [x, y] = [a.values(), b.values()];
    const out = arrayFor(type, count(layout.dims));
    for (let i = 0; i < out.length; i++) out[i] = f(x[left(i)]!, y[right(i)]!);
    return out;
  };
  return { ...computed(type, layout.dims, values, [a, b]), batch: layout.batch };
}

type Places = {
  layout: Layout;
  type: ElementName;
  left(i: number): number;
  right(i: number): number;
  what: string;
};

function sloped(op: string, a: Known, b: Known, { layout, type, left, right, what }: Places): Known {
  const size = count(layout.dims);
  const [values, slope] = [new Float64Array(size), new Float64Array(size)];
  for (let i = 0; i < size; i++) {
    const [p, q] = [left(i), right(i)];
    const pair = combine(op, [a.values()[p]!, a.slope?.[p] ?? 0], [b.values()[q]!, b.slope?.[q] ?? 0]);
    if (!pair)
      throw new InputError({
        what,
        wanted: "a shape for any number of samples",
        got: "one that is for some",
      });
    [values[i], slope[i]] = pair;
  }
  const depends = slope.some((n) => n !== 0);
  return {
    ...computed(type, layout.dims, () => values, [a, b]),
    batch: layout.batch,
    slope: depends ? slope : undefined,
  };
}

/** An op on sizes; undefined where the result is none, or differs with N. */
function combine(op: string, [c, n]: Pair, [d, m]: Pair): Pair | undefined {
  if (n === 0 && m === 0) return [op === "Div" ? Math.trunc(c / d) : BINARY[op]!(c, d), 0];
  if (op === "Add") return [c + d, n + m];
  if (op === "Sub") return [c - d, n - m];
  if (op === "Mul") return m === 0 ? [c * d, n * d] : n === 0 ? [c * d, c * m] : undefined;
  if (op === "Div") {
    if (m === 0 && c % d === 0 && n % d === 0) return [c / d, n / d];
    return c === 0 && d === 0 && n % m === 0 ? [n / m, 0] : undefined;
  }
  return compare(op, [c - d, n - m]);
}

/** Comparisons by the sign of a difference c + n N, where it is one for every N >= 1. */
function compare(op: string, [c, n]: Pair): Pair | undefined {
  const sign = c === 0 && n === 0 ? 0 : c + n > 0 && n >= 0 ? 1 : c + n < 0 && n <= 0 ? -1 : undefined;
  if (sign === undefined || !COMPARISONS.slice(0, 5).includes(op)) return undefined;
  return [BINARY[op]!(sign, 0), 0];
}

/** Where the numbers of a value of `dims` are, by the index in a value of `full` to which it broadcasts. */
export function indexInto(dims: readonly number[], full: readonly number[]): (i: number) => number {
  const start = full.length - dims.length;
  if (count(dims) === count(full)) return (i) => i;
  if (count(dims) === 1) return () => 0;
  const strides = full.map(() => 0);
  for (let axis = full.length - 1, stride = 1; axis >= start; axis--) {
    const size = dims[axis - start]!;
    if (size > 1) strides[axis] = stride;
    stride *= size;
  }
  return (i) => {
    let at = 0;
    for (let axis = full.length - 1, rest = i; axis >= start; axis--) {
      const size = full[axis]!;
      at += (rest % size) * strides[axis]!;
      rest = Math.floor(rest / size);
    }
    return at;
  };
}
