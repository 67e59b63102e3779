/**
 * @file Elementwise ops. A known operand of Add or Mul is a parameter where it is an initialiser of more than one number, else a constant; Sub and Div
 * by known numbers become Add and Mul.
 */
import { count, type OnnxNode } from "../../model.ts";
import { floatOf, intOf, named, stringOf } from "../arguments.ts";
import type { Builder } from "../builder.ts";
import { indexInto } from "../fold/elementwise.ts";
import { cast } from "../fold/fold.ts";
import { computed, demandSize, isFloat, type Item, type Known, type Live } from "../known.ts";
import { broadcast } from "../layout.ts";
import type { NormalAttributes } from "../graph.ts";
import {
  both,
  mapped,
  product,
  scaled,
  selected,
  sum,
  withConstant,
  withParameter,
  type Operand,
} from "./operands.ts";
import { knownAt, live, type Given, type Rule } from "./rule.ts";

/** Attributes of functions of one number, with their defaults. */
const UNARY: Readonly<Record<string, readonly (readonly [name: string, value: number])[]>> = {
  Abs: [],
  Acos: [],
  Acosh: [],
  Asin: [],
  Asinh: [],
  Atan: [],
  Atanh: [],
  Ceil: [],
  Celu: [["alpha", 1]],
  Cos: [],
  Cosh: [],
  Elu: [["alpha", 1]],
  Erf: [],
  Exp: [],
  Floor: [],
  HardSigmoid: [
    ["alpha", 0.2],
    ["beta", 0.5],
  ],
  HardSwish: [],
  LeakyRelu: [["alpha", 0.01]],
  Log: [],
  Mish: [],
  Neg: [],
  Reciprocal: [],
  Relu: [],
  Round: [],
  Selu: [
    ["alpha", 1.67326319217681884765625],
    ["gamma", 1.05070102214813232421875],
  ],
  Shrink: [
    ["lambd", 0.5],
    ["bias", 0],
  ],
  Sigmoid: [],
  Sign: [],
  Sin: [],
  Sinh: [],
  Softplus: [],
  Softsign: [],
  Sqrt: [],
  Swish: [["alpha", 1]],
  Tan: [],
  Tanh: [],
  ThresholdedRelu: [["alpha", 1]],
};

const unaryRule =
  (attributes: readonly (readonly [string, number])[]): Rule =>
  (b, node, inputs) => {
    const x = live(b, node, inputs);
    const values = Object.fromEntries(attributes.map(([name, value]) => [name, floatOf(node, name, value)]));
    return [b.emit(node, node.op, [x], x, { attributes: values })];
  };

/** A function of one number that has no attributes. */
export const apply = (
  b: Builder,
  node: OnnxNode,
  op: string,
  x: Live,
  attributes: NormalAttributes = {},
): Live => b.emit(node, op, [x], x, { attributes });

/** The rest of this file's ops. */
const OTHERS: Readonly<Record<string, Rule>> = {
  Add: (b, node, [x, y]) => [sum(b, node, x!, y!)],
  Sum: (b, node, inputs) => [inputs.map((item) => item!).reduce((x, y) => sum(b, node, x, y)) as Item],
  Mean(b, node, inputs) {
    const total = inputs.map((item) => item!).reduce((x, y) => sum(b, node, x, y));
    return [scaled(b, node, b.lift(node, total), 1 / inputs.length)];
  },
  Sub(b, node, [x, y]) {
    if (y!.kind === "known")
      return [
        withConstant(
          b,
          node,
          "Add",
          x as Live,
          mapped(y!, (v) => -v),
        ),
      ];
    if (x!.kind === "known") return [withConstant(b, node, "Add", apply(b, node, "Neg", y!), x!)];
    return [both(b, node, "Sub", x!, y!)];
  },
  Mul: (b, node, [x, y]) => [product(b, node, x!, y!)],
  Div(b, node, [x, y]) {
    if (y!.kind === "known")
      return [
        withConstant(
          b,
          node,
          "Mul",
          x as Live,
          mapped(y!, (v) => 1 / v),
        ),
      ];
    if (x!.kind === "known") return [withConstant(b, node, "Mul", apply(b, node, "Reciprocal", y!), x!)];
    return [both(b, node, "Div", x!, y!)];
  },
  Pow(b, node, [x, y]) {
    if (x!.kind === "known" || y!.kind === "live" || count(y!.dims) !== 1) return [b.lack("Pow")];
    const exponent = y!.values()[0]!;
    return [exponent === 1 ? x! : apply(b, node, "Pow", x!, { exponent })];
  },
  Max: (b, node, inputs) => [extreme(b, node, inputs)],
  Min: (b, node, inputs) => [extreme(b, node, inputs)],
  Clip(b, node, inputs) {
    const limit = (at: number, name: string, none: number) =>
      inputs[at] ? knownAt(inputs, at)?.values()[0] : floatOf(node, name, none);
    const [min, max] = [limit(1, "min", -Infinity), limit(2, "max", Infinity)];
    if (min === undefined || max === undefined) return [b.lack("Clip")];
    return [apply(b, node, "Clip", live(b, node, inputs), { min, max })];
  },
  Gelu: (b, node, inputs) => [
    apply(b, node, "Gelu", live(b, node, inputs), { approximate: stringOf(node, "approximate", "none") }),
  ],
  PRelu(b, node, inputs) {
    const x = live(b, node, inputs);
    const slope = knownAt(inputs, 1);
    return [slope ? withParameter(b, node, "PRelu", x, slope, "slope") : b.lack("PRelu")];
  },
  Where(b, node, [condition, x, y]) {
    if (condition!.kind === "live")
      return [selected(b, node, condition!, b.lift(node, x!), b.lift(node, y!))];
    return [chosen(b, node, condition!, x!, y!)];
  },
  Cast: (b, node, inputs) => [recast(b, node, inputs, intOf(node, "to", 1))],
  CastLike(b, node, [x, like]) {
    if (x!.kind === "known") return [cast(x!, like!.type)];
    return [recast(b, node, [x], isFloat(like!) ? 1 : 7)];
  },
  Identity: (b, node, inputs) => [live(b, node, inputs)],
};

/** Comparisons: parts of functions that are recognised (recognise.ts). */
const comparison: Rule = (b, node, [x, y]) => {
  const made =
    y!.kind === "known" && count(y!.dims) === 1 && x!.kind === "live"
      ? withConstant(b, node, node.op, x!, y!)
      : both(b, node, node.op, b.lift(node, x!), b.lift(node, y!));
  return [{ ...made, type: "bool" }];
};

const COMPARISONS = ["Greater", "GreaterOrEqual", "Less", "LessOrEqual"];

/** Rules of elementwise ops. */
export const ELEMENTWISE: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(Object.entries(UNARY).map(([op, attributes]) => [op, unaryRule(attributes)])),
  ...Object.fromEntries(COMPARISONS.map((op) => [op, comparison])),
  ...OTHERS,
};

/** Max and Min: with one known number they are a Clip. */
function extreme(b: Builder, node: OnnxNode, inputs: readonly Given[]): Item {
  const { op } = node;
  return inputs
    .map((item) => item!)
    .reduce((x, y): Operand => {
      if (x.kind === "live" && y.kind === "live") return both(b, node, op, x, y);
      const [value, known] = x.kind === "live" ? [x, y] : [y as Live, x];
      if (known.kind === "known" && count(known.dims) === 1) {
        const limit = known.values()[0]!;
        const [min, max] = op === "Max" ? [limit, Infinity] : [-Infinity, limit];
        return apply(b, node, "Clip", b.lift(node, value), { min, max });
      }
      return both(b, node, op, b.lift(node, x), b.lift(node, y));
    });
}

/** Where with a known condition: x keep + y (1 - keep), and an infinite fill is added. */
function chosen(b: Builder, node: OnnxNode, condition: Known, x: Operand, y: Operand): Item {
  const keepX = mapped({ ...condition, type: "float32" }, (v) => Number(v !== 0));
  const keepY = mapped({ ...condition, type: "float32" }, (v) => Number(v === 0));
  const part = (operand: Operand, keep: Known): Operand =>
    operand.kind === "live" ? withConstant(b, node, "Mul", operand, keep) : fill(operand, keep, named(node));
  if (x.kind === "live" && y.kind === "live") {
    return both(b, node, "Add", part(x, keepX) as Live, part(y, keepY) as Live);
  }
  const [value, known, keep, drop] =
    x.kind === "live" ? [x, y as Known, keepX, keepY] : [y as Live, x, keepY, keepX];
  const filled = fill(known, drop, named(node));
  // Minus infinity plus anything finite is itself, and times 0 it would be none.
  const endless = filled.values().some((v) => !Number.isFinite(v));
  return withConstant(b, node, "Add", endless ? value : withConstant(b, node, "Mul", value, keep), filled);
}

/** A known value where `keep` is 1, and 0 elsewhere. */
function fill(known: Known, keep: Known, what: string): Known {
  const { dims, batch } = broadcast(known, keep, what);
  demandSize(dims, what);
  const [at, on] = [indexInto(known.dims, dims), indexInto(keep.dims, dims)];
  const values = () => {
    const [numbers, kept] = [known.values(), keep.values()];
    return Float64Array.from({ length: count(dims) }, (_, i) => (kept[on(i)] === 0 ? 0 : numbers[at(i)]!));
  };
  return { ...computed("float32", dims, values, [known]), batch };
}

/** Casts among floats, and among integers, change nothing here. */
function recast(b: Builder, node: OnnxNode, inputs: readonly Given[], to: number): Item {
  const x = live(b, node, inputs);
  const toFloat = to === 1 || to === 11;
  const toInteger = to === 6 || to === 7;
  if (toFloat && isFloat(x)) return x;
  if (toInteger && !isFloat(x)) return x;
  return b.lack(`Cast from ${x.type} to type ${to}`);
}
