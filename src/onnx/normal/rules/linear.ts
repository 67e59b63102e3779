/**
 * @file Matrix products and convolutions. With a known matrix or kernel the weight is a parameter: Dense (token-wise) with its kernel as [outputs, inputs],
 * Conv as [outputs, inputs / group, ...].
 */
import { InputError } from "../../../error.ts";
import { count, type OnnxNode } from "../../model.ts";
import { floatOf, intOf, intsOf, named } from "../arguments.ts";
import type { Builder } from "../builder.ts";
import { turned } from "../fold/movement.ts";
import { computed, isFloat, rowOf, type Known, type Live } from "../known.ts";
import { broadcast, layoutText, leads, mixing, sampleShape, type Layout } from "../layout.ts";
import type { ParameterUse } from "../graph.ts";
import { scaled, withParameter } from "./operands.ts";
import { knownAt, live, type Rule } from "./rule.ts";
import { turn } from "./shape.ts";
import { windows } from "./window.ts";

/** x W^T over the last axis. */
function dense(b: Builder, node: OnnxNode, x: Live, kernel: Known, bias?: Known): Live {
  const what = named(node);
  const last = x.dims.length - 1;
  if (x.batch?.axis === last) throw mixing(what);
  const [outputs, inputs] = kernel.dims as [number, number];
  if (x.dims[last] !== inputs) {
    throw new InputError({ what, wanted: `${inputs} inputs on the last axis`, got: layoutText(x) });
  }
  const layout = { dims: x.dims.with(last, outputs), batch: x.batch };
  const parameters: ParameterUse[] = [b.use(kernel, "kernel", what)];
  if (bias) parameters.push(b.use({ ...bias, dims: [outputs] }, "bias", what));
  return b.emit(node, "Dense", [x], layout, { parameters });
}

/** A product of two live values. */
function matMul(b: Builder, node: OnnxNode, x: Live, y: Live): Live {
  const what = named(node);
  if (x.dims.length < 2 || y.dims.length < 2)
    throw new InputError({ what, wanted: "matrices", got: "a vector" });
  const [m, k] = x.dims.slice(-2) as [number, number];
  const [inner, n] = y.dims.slice(-2) as [number, number];
  if (x.batch?.axis === x.dims.length - 1 || y.batch?.axis === y.dims.length - 2) throw mixing(what);
  if (k !== inner) {
    throw new InputError({ what, wanted: "matrices that fit", got: `${layoutText(x)} and ${layoutText(y)}` });
  }
  // Axes of the product broadcast as those of [..., m, 1] and [..., 1, n].
  const layout = broadcast(
    { dims: x.dims.with(x.dims.length - 1, 1), batch: x.batch },
    { dims: y.dims.with(y.dims.length - 2, 1), batch: y.batch },
    what,
  );
  if (layout.dims.at(-2) !== m || layout.dims.at(-1) !== n)
    throw new InputError({ what, wanted: "matrices that fit", got: `${layoutText(x)} and ${layoutText(y)}` });
  if (leads(layout) && layout.dims.length === 2) return ofVectors(b, node, x, y, layout);
  const fit = (a: Live) => {
    const dims = leads(layout) && a.dims.length === layout.dims.length ? a.dims.slice(1) : a.dims;
    return b.relaid(node, a, { dims });
  };
  return b.emit(node, "MatMul", [fit(x), fit(y)], layout);
}

/** [N, K] times a matrix that is the same for all samples: of one sample, [1, K] times it. */
function ofVectors(b: Builder, node: OnnxNode, x: Live, y: Live, layout: Layout): Live {
  const row = b.relaid(node, x, { dims: [1, ...sampleShape(x)] });
  const made = b.emit(node, "MatMul", [row, y], { dims: [1, ...sampleShape(layout)] });
  return b.relaid(node, made, layout);
}

const swap = (rank: number): number[] => [
  ...Array.from({ length: rank - 2 }, (_, i) => i),
  rank - 1,
  rank - 2,
];

/** Whether a known left factor is no weight: it has the samples, or is computed. */
const isValue = (a: Known): boolean => a.batch !== undefined || a.origin?.kind !== "initialiser";

export const LINEAR: Readonly<Record<string, Rule>> = {
  MatMul(b, node, [x, y]) {
    if (y!.kind === "known" && x!.kind === "live" && y!.dims.length === 2) {
      return [dense(b, node, x!, turned(y!, [1, 0], named(node)))];
    }
    if (x!.kind === "known" && y!.kind === "known" && isValue(x!) && y!.dims.length === 2) {
      return [dense(b, node, b.lift(node, rowOf(x!, b.literal) ?? x!), turned(y!, [1, 0], named(node)))];
    }
    // W h for [..., K, M] h: the transpose of Dense on the transposed h.
    if (
      x!.kind === "known" &&
      x!.dims.length === 2 &&
      y!.kind === "live" &&
      y!.dims.length > 2 &&
      isFloat(x!)
    ) {
      const perm = swap(y!.dims.length);
      return [turn(b, node, dense(b, node, turn(b, node, y!, perm), x!), perm)];
    }
    return [matMul(b, node, live(b, node, [x]), live(b, node, [y]))];
  },

  Gemm(b, node, inputs) {
    const what = named(node);
    const [alpha, beta] = [floatOf(node, "alpha", 1), floatOf(node, "beta", 1)];
    const first = knownAt(inputs, 0);
    const a = live(b, node, [(first && rowOf(first, b.literal)) ?? inputs[0]]);
    const x = intOf(node, "transA", 0) === 1 ? turn(b, node, a, [1, 0]) : a;
    const matrix = knownAt(inputs, 1);
    const shift = knownAt(inputs, 2);
    if (matrix?.dims.length !== 2) return [b.lack("Gemm of two computed matrices")];
    if (inputs[2] && !shift) return [b.lack("Gemm with a computed bias")];
    const kernel = intOf(node, "transB", 0) === 1 ? matrix : turned(matrix, [1, 0], what);
    const simple = shift && alpha === 1 && beta === 1 && count(shift.dims) === kernel.dims[0];
    const product = dense(b, node, x, kernel, simple ? shift : undefined);
    if (simple || !shift || beta === 0) return [alpha === 1 ? product : scaled(b, node, product, alpha)];
    const own =
      beta === 1
        ? shift
        : computed(shift.type, shift.dims, () => shift.values().map((v) => beta * v), [shift]);
    return [withParameter(b, node, "Add", scaled(b, node, product, alpha), own, "bias")];
  },

  Conv(b, node, inputs) {
    const what = named(node);
    const x = live(b, node, inputs);
    const kernel = knownAt(inputs, 1);
    if (!kernel || (inputs[2] && !knownAt(inputs, 2))) return [b.lack("Conv with a computed kernel")];
    const group = intOf(node, "group", 1);
    const [outputs, channels] = kernel.dims as [number, number];
    if (
      !leads(x) ||
      x.dims.length !== kernel.dims.length ||
      x.dims[1] !== channels * group ||
      outputs % group !== 0
    ) {
      const got = `${layoutText(x)} and a kernel [${kernel.dims.join(", ")}] of ${group} groups`;
      throw new InputError({ what, wanted: "[N, channels, ...] and a kernel that fits", got });
    }
    const shape = intsOf(node, "kernel_shape");
    if (shape && shape.join() !== kernel.dims.slice(2).join())
      throw new InputError({
        what,
        wanted: `kernel_shape ${kernel.dims.slice(2).join()}`,
        got: shape.join(),
      });
    const { sizes, strides, dilations, pads } = windows(node, x.dims.slice(2), kernel.dims.slice(2));
    const parameters = [b.use(kernel, "kernel", what)];
    const bias = knownAt(inputs, 2);
    if (bias) parameters.push(b.use(bias, "bias", what));
    const layout = { dims: [1, outputs, ...sizes], batch: x.batch };
    return [
      b.emit(node, "Conv", [x], layout, { attributes: { strides, dilations, pads, group }, parameters }),
    ];
  },
};
