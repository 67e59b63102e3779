/**
 * @file Elementwise ops of two operands: of values, which are fitted to each other, and of a value and a known operand, which is a parameter or a constant.
 */
import { count, type OnnxNode, type Tensor } from "../../model.ts";
import { named } from "../arguments.ts";
import type { Builder } from "../builder.ts";
import type { Role } from "../graph.ts";
import { computed, isFloat, rowOf, tensorOf, type Known, type Live } from "../known.ts";
import { broadcast, fitted, leads, sampleShape, type Layout } from "../layout.ts";

/** An operand that is known or live. */
export type Operand = Known | Live;

/** Whether a known operand of Add or Mul is a parameter: stored, of floats, more than one, and no mask. */
const isParameter = (known: Known): boolean =>
  isFloat(known) &&
  known.origin !== undefined &&
  count(known.dims) > 1 &&
  !known.batch &&
  known.values().every((value) => Math.abs(value) < 1e4);

/** x + y. */
export function sum(b: Builder, node: OnnxNode, x: Operand, y: Operand): Operand {
  return commuting(b, node, "Add", "bias", x, y);
}

/** x y. */
export const product = (b: Builder, node: OnnxNode, x: Operand, y: Operand): Operand =>
  commuting(b, node, "Mul", "gain", x, y);

function commuting(
  b: Builder,
  node: OnnxNode,
  op: "Add" | "Mul",
  role: Role,
  x: Operand,
  y: Operand,
): Operand {
  if (x.kind === "known" && y.kind === "known") {
    return both(b, node, op, b.lift(node, x), b.lift(node, y));
  }
  if (x.kind === "live" && y.kind === "live") return both(b, node, op, x, y);
  const [value, known] = x.kind === "live" ? [x, y as Known] : [y as Live, x];
  if (known.replay) return both(b, node, op, value, known.replay());
  return isParameter(known)
    ? withParameter(b, node, op, value, known, role)
    : withConstant(b, node, op, value, known);
}

/** An op of two live values, fitted to each other. */
export function both(b: Builder, node: OnnxNode, op: string, x: Live, y: Live): Live {
  const layout = broadcast(x, y, named(node));
  return b.emit(node, op, [b.fit(node, x, layout), b.fit(node, y, layout)], layout);
}

/** Where with a condition of the samples. */
export function selected(b: Builder, node: OnnxNode, condition: Live, x: Live, y: Live): Live {
  const layout = [condition, x, y].map((a): Layout => a).reduce((p, q) => broadcast(p, q, named(node)));
  const fitted = [condition, x, y].map((a) => b.fit(node, a, layout));
  return b.emit(node, "Where", fitted, layout, { type: x.type });
}

/** A known operand in the shape in which it meets one sample. */
function meeting(b: Builder, x: Layout, known: Known, what: string) {
  const rows = leads(x) && known.dims.length === x.dims.length && known.dims[0] !== 1;
  const own = (rows ? rowOf(known, b.literal ?? known.dims[0]) : undefined) ?? known;
  const layout = broadcast(x, own, what);
  return { layout, dims: trimmed(fitted(own, layout)), own };
}

/** Sizes of 1 in front say nothing. */
function trimmed(dims: readonly number[]): readonly number[] {
  const start = dims.findIndex((size) => size !== 1);
  return start < 0 ? [] : dims.slice(start);
}

/** An op with a known operand that is no parameter. */
export function withConstant(b: Builder, node: OnnxNode, op: string, x: Live, known: Known): Live {
  const { layout, dims, own } = meeting(b, x, known, named(node));
  const identity = op === "Add" ? 0 : op === "Mul" ? 1 : undefined;
  const same = sampleShape(layout).join() === sampleShape(x).join();
  if (same && own.values().every((value) => value === identity)) return { ...x, ...layout };
  const constant: Tensor = { ...tensorOf(own), dims };
  return b.emit(node, op, [b.fit(node, x, layout)], layout, { constants: [constant] });
}

/** An op with a known operand that is a parameter. */
export function withParameter(
  b: Builder,
  node: OnnxNode,
  op: string,
  x: Live,
  known: Known,
  role: Role,
): Live {
  const { layout, dims, own } = meeting(b, x, known, named(node));
  const parameters = [b.use({ ...own, dims }, role, named(node))];
  return b.emit(node, op, [b.fit(node, x, layout)], layout, { parameters });
}

/** Times a number. */
export const scaled = (b: Builder, node: OnnxNode, x: Live, factor: number): Live =>
  withConstant(
    b,
    node,
    "Mul",
    x,
    computed(x.type, [], () => Float64Array.of(factor)),
  );

/** A function of every number of a known value. */
export const mapped = (a: Known, f: (value: number) => number): Known => ({
  ...computed(a.type, a.dims, () => a.values().map(f), [a]),
  batch: a.batch,
});
