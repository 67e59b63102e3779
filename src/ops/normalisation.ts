/**
 * @file What normalisations share: numbers brought to mean 0 and variance 1 over some axes, n = (x - mean) r with
 * r = 1 / sqrt(variance + epsilon), and the way back through both,
 *
 *     ct_x = r (ct_n - mean(ct_n) - n mean(ct_n n)),
 *
 * all means over the same axes. Without the mean (RMS norm) r is that of mean(x^2), and mean(ct_n) is left out.
 */
import { demand } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { add, map, mul, reduce, reshape, sub } from "../engine/ops.ts";
import { affine, type AffineOptions } from "./affine.ts";
import { viewed } from "./axes.ts";
import { only, type Op, type Point, type Shape } from "./op.ts";

/** Options of normalisations. */
export type NormalisationOptions = AffineOptions & {
  /** Added to the variance. Default: 1e-5. */
  epsilon?: number;
};

/** In which shape numbers are normalised, and over which of its axes, counted from the end. */
export type View = { readonly shape: Shape; readonly axes: readonly number[] };

/** How a normalisation is done. */
type Kind = {
  readonly name: string;
  /** @throws RangeError for values that it does not take. */
  readonly view: (shape: Shape) => View;
  /** Whether the mean is subtracted. */
  readonly centred: boolean;
  /** How many of the last axes have gains and shifts of their own. */
  readonly own: number;
};

/**
 * The op of a normalisation.
 * @throws InputError for an epsilon that is no number >= 0.
 */
export function normalisation(
  { name, view, centred, own }: Kind,
  { epsilon = 1e-5, ...which }: NormalisationOptions,
): Op {
  demand(Number.isFinite(epsilon) && epsilon >= 0, "epsilon", "a finite number >= 0", epsilon);

  /** n and r in the shape of the view. */
  const normal = (g: Graph, x: Value, from: Shape): { n: Value; r: Value } => {
    const { shape, axes } = view(from);
    const whole = shape.join() === from.join() ? x : reshape(g, x, -1, ...shape);
    const d = centred ? sub(g, whole, reduce(g, "ReduceMean", whole, axes)) : whole;
    const variance = reduce(g, "ReduceMean", mul(g, d, d), axes);
    const r = map(g, "Reciprocal", map(g, "Sqrt", add(g, variance, g.constant([epsilon]))));
    return { n: mul(g, d, r), r };
  };

  const back = (g: Graph, at: Point, ct: Value): Value => {
    const from = at.shapes[0]!;
    const { shape, axes } = view(from);
    const { n, r } = normal(g, at.first(at.inputs[0]!), from);
    const own = viewed(at, ct, from, shape);
    const along = mul(g, n, reduce(g, "ReduceMean", mul(g, own, n), axes));
    const rest = centred ? sub(g, own, reduce(g, "ReduceMean", own, axes)) : own;
    return viewed(at, mul(g, r, sub(g, rest, along)), shape, from);
  };

  return normalising(name, own, which, {
    check: view,
    value(g, x, from) {
      const { n } = normal(g, x, from);
      return view(from).shape.join() === from.join() ? n : reshape(g, n, -1, ...from);
    },
    back,
  });
}

/** What stands before gains and shifts: n, and the cotangent of x from that of n. */
type Core = {
  /** @throws RangeError for values that it does not take. */
  check(shape: Shape): void;
  value(g: Graph, x: Value, shape: Shape): Value;
  back(g: Graph, at: Point, ct: Value): Value;
};

/** The op of n, and of n gain + shift where there are such. */
export function normalising(name: string, own: number, which: AffineOptions, core: Core): Op {
  const shape = (inputs: readonly Shape[]): Shape => {
    const given = only(name, inputs);
    core.check(given);
    return given;
  };
  const { value } = core;
  const parameters = affine(own, which);
  if (!parameters) {
    return {
      name,
      shape,
      forward: (g, { inputs, shapes }) => ({ output: value(g, inputs[0]!, shapes[0]!) }),
      backward: (g, at, ct) => [core.back(g, at, ct)],
    };
  }
  return {
    name,
    shape,
    block: (inputs) => parameters.block(shape(inputs)),
    forward: (g, { inputs, shapes, weights }) => ({
      output: parameters.apply(g, value(g, inputs[0]!, shapes[0]!), shapes[0]!, weights!),
    }),
    backward: (g, at, ct) => [core.back(g, at, parameters.back(g, ct, at.shapes[0]!, at.weights!))],
    jacobian: (g, at, ct) => parameters.jacobian(g, at, ct, value(g, at.first(at.inputs[0]!), at.shapes[0]!)),
  };
}
