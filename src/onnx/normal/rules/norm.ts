/**
 * @file Normalisation, softmax and reductions. A gain and a shift are parameters; mean and variance of a BatchNormalization are not.
 */
import { InputError } from "../../../error.ts";
import { count, type OnnxNode } from "../../model.ts";
import { floatOf, intOf, named } from "../arguments.ts";
import type { Builder } from "../builder.ts";
import { tensorOf, type Item, type Known, type Live } from "../known.ts";
import { fromFront, layoutText, leads, mixing, sampleAxis } from "../layout.ts";
import type { NormalAttributes } from "../graph.ts";
import { reducedAxes } from "../shapes.ts";
import { knownAt, live, type Given, type Rule } from "./rule.ts";

/** A gain and a shift as parameters of a node, with as many numbers as `dims` says. */
function affine(
  b: Builder,
  node: OnnxNode,
  gain: Known | undefined,
  shift: Known | undefined,
  dims: readonly number[],
) {
  const what = named(node);
  for (const known of [gain, shift]) {
    if (!known || count(known.dims) === count(dims)) continue;
    throw new InputError({ what, wanted: `[${dims.join(", ")}] gains`, got: `[${known.dims.join(", ")}]` });
  }
  return [
    ...(gain ? [b.use({ ...gain, dims }, "gain", what)] : []),
    ...(shift ? [b.use({ ...shift, dims }, "shift", what)] : []),
  ];
}

/** The channels of [N, channels, ...]. */
function channelsOf(x: Live, what: string): number {
  if (leads(x) && x.dims.length >= 2) return x.dims[1]!;
  throw new InputError({ what, wanted: "[N, channels, ...]", got: layoutText(x) });
}

/** Whether gains and shifts are all known. */
const areKnown = (inputs: readonly Given[]): boolean =>
  inputs.slice(1).every((item) => item?.kind !== "live");

/** Over the last axes, from `axis` on. */
function overLast(b: Builder, node: OnnxNode, op: string, inputs: readonly Given[]): Item {
  if (!areKnown(inputs)) return b.lack(`${node.op} with computed gains`);
  const x = live(b, node, inputs);
  const what = named(node);
  const axis = fromFront(intOf(node, "axis", -1), x.dims.length, what);
  if (x.batch && x.batch.axis >= axis) throw mixing(what);
  const attributes = { axis: sampleAxis(x, axis, what), epsilon: floatOf(node, "epsilon", 1e-5) };
  const parameters = affine(b, node, knownAt(inputs, 1), knownAt(inputs, 2), x.dims.slice(axis));
  return b.emit(node, op, [x], x, { attributes, parameters });
}

function overGroups(b: Builder, node: OnnxNode, inputs: readonly Given[], groups?: number): Item {
  if (!areKnown(inputs)) return b.lack(`${node.op} with computed gains`);
  const x = live(b, node, inputs);
  const channels = channelsOf(x, named(node));
  const attributes = { groups: groups ?? channels, epsilon: floatOf(node, "epsilon", 1e-5) };
  const [gain, shift] = [knownAt(inputs, 1), knownAt(inputs, 2)];
  if (gain && count(gain.dims) !== channels) return b.lack(`${node.op} with a gain per group`);
  const parameters = affine(b, node, gain, shift, [channels]);
  return b.emit(node, "GroupNormalization", [x], x, { attributes, parameters });
}

/** Softmax, of one axis since opset 13 and of all from an axis on before. */
const softmax: Rule = (b, node, inputs) => {
  const x = live(b, node, inputs);
  const what = named(node);
  const one = b.opset >= 13;
  const axis = fromFront(intOf(node, "axis", one ? -1 : 1), x.dims.length, what);
  const rest = x.dims.slice(axis);
  const long = rest.flatMap((size, i) => (size > 1 ? [axis + i] : []));
  if (!one && x.batch && x.batch.axis >= axis) throw mixing(what);
  if (one || long.length <= 1) {
    const at = one ? axis : (long[0] ?? axis);
    return [b.emit(node, node.op, [x], x, { attributes: { axis: sampleAxis(x, at, what) } })];
  }
  const flat = b.relaid(node, x, { dims: [...x.dims.slice(0, axis), count(rest)], batch: x.batch });
  const made = b.emit(node, node.op, [flat], flat, { attributes: { axis: sampleAxis(flat, axis, what) } });
  return [b.relaid(node, made, x)];
};

/** Keeps the axes that are reduced, with size 1. */
export function reduce(b: Builder, node: OnnxNode, op: string, x: Live, axes: readonly number[]): Live {
  const what = named(node);
  const own = axes.map((axis) => sampleAxis(x, axis, what)).toSorted((a, c) => a - c);
  const layout = { dims: x.dims.map((size, axis) => (axes.includes(axis) ? 1 : size)), batch: x.batch };
  return b.emit(node, op, [x], layout, { attributes: { axes: own } });
}

const reduction: Rule = (b, node, inputs) => {
  const x = live(b, node, inputs);
  const axes = reducedAxes(node, x.dims.length, knownAt(inputs, 1));
  if (axes.length === 0) return [x];
  const single =
    axes.every((axis) => x.dims[axis] === 1 && axis !== x.batch?.axis) && PLAIN.includes(node.op);
  const kept = single ? x : reduce(b, node, node.op, x, axes);
  if (intOf(node, "keepdims", 1) === 1) return [kept];
  const before = axes.filter((axis) => axis < (x.batch?.axis ?? 0)).length;
  const batch = x.batch && { ...x.batch, axis: x.batch.axis - before };
  return [b.relaid(node, kept, { dims: x.dims.filter((_, axis) => !axes.includes(axis)), batch })];
};

/** Those of which one number is itself. */
const PLAIN = ["ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"];

const REDUCTIONS = [
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSum",
  "ReduceLogSumExp",
  "ReduceMax",
  "ReduceMean",
  "ReduceMin",
  "ReduceProd",
  "ReduceSum",
  "ReduceSumSquare",
];

export const NORMS: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(REDUCTIONS.map((op) => [op, reduction])),
  Softmax: softmax,
  LogSoftmax: softmax,
  BatchNormalization(b, node, inputs) {
    const what = named(node);
    if (intOf(node, "training_mode", 0) !== 0) {
      throw new InputError({ what, wanted: "a model for inference", got: "training mode" });
    }
    const [mean, variance] = [knownAt(inputs, 3), knownAt(inputs, 4)];
    const [gain, shift] = [knownAt(inputs, 1), knownAt(inputs, 2)];
    if (!mean || !variance || !gain || !shift) return [b.lack("BatchNormalization with computed statistics")];
    const x = live(b, node, inputs);
    const channels = channelsOf(x, what);
    for (const known of [mean, variance]) {
      if (known.dims.join() !== `${channels}`)
        throw new InputError({
          what,
          wanted: `${channels} means and variances`,
          got: `[${known.dims.join(", ")}]`,
        });
    }
    const attributes = { epsilon: floatOf(node, "epsilon", 1e-5) };
    const parameters = affine(b, node, gain, shift, [channels]);
    return [
      b.emit(node, node.op, [x], x, {
        attributes,
        parameters,
        constants: [tensorOf(mean), tensorOf(variance)],
      }),
    ];
  },
  LayerNormalization: (b, node, inputs) => [overLast(b, node, "LayerNormalization", inputs)],
  RMSNormalization: (b, node, inputs) => [overLast(b, node, "RMSNormalization", inputs)],
  GroupNormalization: (b, node, inputs) => [overGroups(b, node, inputs, intOf(node, "num_groups", 1))],
  InstanceNormalization: (b, node, inputs) => [overGroups(b, node, inputs)],
  LRN(b, node, inputs) {
    const x = live(b, node, inputs);
    channelsOf(x, named(node));
    const attributes: NormalAttributes = {
      alpha: floatOf(node, "alpha", 1e-4),
      beta: floatOf(node, "beta", 0.75),
      bias: floatOf(node, "bias", 1),
      size: intOf(node, "size", 1),
    };
    return [b.emit(node, "LRN", [x], x, { attributes })];
  },
};
