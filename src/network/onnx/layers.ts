/**
 * @file Nodes with kernels, normalisation, windows and tables as ops.
 */
import { count } from "../../onnx/model.ts";
import type { NormalNode, ParameterUse, Role } from "../../onnx/normal/graph.ts";
import { batchNorm } from "../../ops/batch-norm.ts";
import { conv } from "../../ops/conv.ts";
import { dense } from "../../ops/dense.ts";
import { embedding, head } from "../../ops/embedding.ts";
import { mul } from "../../ops/arithmetic.ts";
import { pow } from "../../ops/elementwise.ts";
import { globalAveragePool, globalMaxPool } from "../../ops/global-pool.ts";
import { groupNorm } from "../../ops/group-norm.ts";
import { layerNorm, rmsNorm } from "../../ops/layer-norm.ts";
import { matmul } from "../../ops/matmul.ts";
import type { NormalisationOptions } from "../../ops/normalisation.ts";
import type { Op } from "../../ops/op.ts";
import { gain, shift } from "../../ops/parameter.ts";
import { averagePool, maxPool } from "../../ops/pool.ts";
import { reshape } from "../../ops/reshape.ts";
import { add } from "../../ops/arithmetic.ts";
import { areTogether, columnSource, kernelSource, storedIndex, useOf } from "./blocks.ts";
import { constantValue, type Conversion, type Convert } from "./conversion.ts";
import { withParameter } from "./elementwise.ts";
import type { Order } from "./layouts.ts";

const numberOf = ({ attributes }: NormalNode, name: string): number => attributes[name] as number;
const listOf = ({ attributes }: NormalNode, name: string): readonly number[] => attributes[name] as number[];

/** Weights as they are, without multipliers, and biases. */
const plain = (hasBias: boolean) =>
  ({ parameterization: "standard", biasVariance: Number(hasBias) }) as const;

/** [before, after] of each axis. */
const pairs = (pads: readonly number[]): [number, number][] =>
  pads.slice(0, pads.length / 2).map((before, axis) => [before, pads[axis + pads.length / 2]!]);

/** Which way round a kernel lies in its block: two uses of one weight may see it transposed. */
const turnOf = ({ perm }: ParameterUse): string => `matrix ${perm ? "turned" : "stored"}`;
const otherTurn = ({ perm }: ParameterUse): string => `matrix ${perm ? "stored" : "turned"}`;

/** A product with a kernel, its bias in the same block where they are always together. */
function product(c: Conversion, value: number, kernel: ParameterUse, bias: ParameterUse | undefined): number {
  const [outputs, inputs] = kernel.dims as [number, number];
  const own = bias && areTogether(c.graph, kernel, bias) ? bias : undefined;
  const uses = own ? [kernel, own] : [kernel];
  if (c.known(uses, turnOf(kernel)) === undefined && c.known([kernel], otherTurn(kernel)) !== undefined) {
    const turned = c.block(head(outputs, { scale: 1 }), value, [kernel], otherTurn(kernel), () => [0, 0]);
    return bias ? withParameter(c, turned, bias, c.b.shape(turned).length, "first", shift) : turned;
  }
  const source = kernelSource(c.graph, kernel, own);
  const made = c.block(dense(outputs, plain(own !== undefined)), value, uses, turnOf(kernel), source);
  if (!bias || own) return made;
  return withParameter(c, made, bias, inputs === 0 ? 1 : c.b.shape(made).length, "first", shift);
}

const convolution: Convert = (c, node) => {
  const kernel = useOf(node, "kernel")!;
  const bias = useOf(node, "bias");
  const [outputs, channels, ...size] = kernel.dims as [number, number, ...number[]];
  const own = bias && areTogether(c.graph, kernel, bias) ? bias : undefined;
  const K = count(size);
  // Columns (window, channels) of theta; the file has (channels, window).
  const order = (i: number) => (i % channels) * K + Math.floor(i / channels);
  const op = conv(outputs, size, {
    ...plain(own !== undefined),
    stride: listOf(node, "strides"),
    dilation: listOf(node, "dilations"),
    padding: pairs(listOf(node, "pads")),
    groups: numberOf(node, "group"),
  });
  const uses = own ? [kernel, own] : [kernel];
  const value = c.values.get(node.inputs[0]!, "last");
  const made = c.block(op, value, uses, "convolution", kernelSource(c.graph, kernel, own, order));
  if (!bias || own) return [made, "last"];
  const dims = [outputs, ...size.map(() => 1)];
  return [withParameter(c, made, { ...bias, dims }, dims.length, "last", shift), "last"];
};

/** A normalisation with its gain and shift in one block where they are always together. */
function normalised(
  c: Conversion,
  node: NormalNode,
  order: Order,
  op: (which: NormalisationOptions) => Op,
): readonly [number, Order] {
  const uses = (["gain", "shift"] as const).flatMap((role) => useOf(node, role) ?? []);
  const value = c.values.get(node.inputs[0]!, order);
  const epsilon = numberOf(node, "epsilon");
  const [first, second] = uses;
  if (!second || areTogether(c.graph, first!, second)) {
    const has = (role: Role) => uses.some((use) => use.role === role);
    const made = op({ epsilon, gain: has("gain"), shift: has("shift") });
    if (!first) return [c.b.apply(made, [value]), order];
    return [
      c.block(made, value, uses, `norm ${uses.map(({ role }) => role).join()}`, columnSource(c.graph, uses)),
      order,
    ];
  }
  // Channels are one axis in a normalisation's gains.
  const rank = node.shape.length;
  const wide = (use: ParameterUse) =>
    order === "last" ? { ...use, dims: [...use.dims, ...node.shape.slice(1).map(() => 1)] } : use;
  return [
    uses.reduce(
      (x, use) => withParameter(c, x, wide(use), rank, order, use.role === "gain" ? gain : shift),
      c.b.apply(op({ epsilon, gain: false, shift: false }), [value]),
    ),
    order,
  ];
}

/** Windows of pooling. */
const windowsOf = (node: NormalNode) => ({
  stride: listOf(node, "strides"),
  dilation: listOf(node, "dilations"),
  padding: pairs(listOf(node, "pads")),
});

const overPositions =
  (op: () => Op): Convert =>
  (c, node) => {
    const pooled = c.b.apply(op(), [c.values.get(node.inputs[0]!, "last")]);
    return [c.b.apply(reshape(...node.shape), [pooled]), "first"];
  };

/** Nodes of layers. */
export const LAYERS: Readonly<Record<string, Convert>> = {
  Dense: (c, node) => [
    product(c, c.values.get(node.inputs[0]!, "first"), useOf(node, "kernel")!, useOf(node, "bias")),
    "first",
  ],
  MatMul: (c, { inputs }) => [
    c.b.apply(
      matmul(),
      inputs.map((id) => c.values.get(id, "first")),
    ),
    "first",
  ],
  Conv: convolution,
  Embedding(c, node) {
    const table = useOf(node, "table")!;
    const [vocabulary, width, ...more] = table.dims as [number, number];
    if (width === undefined || more.length > 0) return undefined;
    const at = storedIndex(table, c.graph);
    // theta is [width, vocabulary], a table [vocabulary, width].
    const own = otherTurn(table);
    const value = c.values.get(node.inputs[0]!, "first");
    const op = embedding(vocabulary, width, { scale: 1 });
    return [c.block(op, value, [table], own, (o, i) => [table.parameter, at(i * width + o)]), "first"];
  },
  LayerNormalization: (c, node) => {
    const axes = node.shape.length - numberOf(node, "axis");
    return normalised(c, node, "first", (which) => layerNorm({ ...which, axes }));
  },
  RMSNormalization: (c, node) => {
    const axes = node.shape.length - numberOf(node, "axis");
    return normalised(c, node, "first", (which) => rmsNorm({ ...which, axes }));
  },
  GroupNormalization: (c, node) =>
    normalised(c, node, "last", (which) => groupNorm(numberOf(node, "groups"), which)),
  BatchNormalization: (c, node) => {
    const [mean, variance] = node.constants.map(({ data }) => data) as [Float32Array, Float32Array];
    return normalised(c, node, "last", (which) => batchNorm({ mean, variance }, which));
  },
  MaxPool: (c, node) => [
    c.b.apply(maxPool(listOf(node, "kernel"), windowsOf(node)), [c.values.get(node.inputs[0]!, "last")]),
    "last",
  ],
  AveragePool(c, node) {
    if (numberOf(node, "ceil_mode") === 1) return undefined;
    const countPadding = numberOf(node, "count_include_pad") === 1;
    const op = averagePool(listOf(node, "kernel"), { ...windowsOf(node), countPadding });
    return [c.b.apply(op, [c.values.get(node.inputs[0]!, "last")]), "last"];
  },
  GlobalAveragePool: overPositions(globalAveragePool),
  GlobalMaxPool: overPositions(globalMaxPool),
  /** x / (bias + alpha / size (sum of x^2 over `size` channels))^beta; the sum is a product with a band of ones. */
  LRN(c, node) {
    const size = numberOf(node, "size");
    const C = node.shape[0]!;
    const before = Math.floor((size - 1) / 2);
    const after = size - 1 - before;
    // Channel j counts in the sum of channel i.
    const band = Float32Array.from({ length: C * C }, (_, k) => {
      const [j, i] = [Math.floor(k / C), k % C];
      return Number(j >= i - before && j <= i + after);
    });
    const x = c.values.get(node.inputs[0]!, "last");
    const sums = c.b.apply(matmul(), [c.b.apply(mul(), [x, x]), constantValue(c, [C, C], band)]);
    const scaled = c.b.apply(mul({ shape: [], data: [numberOf(node, "alpha") / size] }), [sums]);
    const base = c.b.apply(add({ shape: [], data: [numberOf(node, "bias")] }), [scaled]);
    return [c.b.apply(mul(), [x, c.b.apply(pow(-numberOf(node, "beta")), [base])]), "last"];
  },
};
