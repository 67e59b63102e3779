/**
 * @file What an ONNX model holds, also one that cannot be a network: inputs, outputs, ops and whether each is known, and of a network its blocks.
 */
import { InputError } from "../../error.ts";
import { decodeOnnx } from "../../onnx/decode.ts";
import { count, type OnnxModel, type OnnxValue } from "../../onnx/model.ts";
import { isKnownOp, RULES } from "../../onnx/normal/rules/rules.ts";
import { positionsOf } from "../../ops/op.ts";
import { CONVERTS, networkOf, type ReadOnnxOptions } from "./read.ts";

/** An op of a model. */
export type DescribedOp = {
  readonly op: string;
  /** How many nodes have it. */
  readonly nodes: number;
  readonly known: boolean;
};

/** A block of the network. */
export type DescribedBlock = {
  readonly parameters: readonly string[];
  readonly fanOut: number;
  readonly columns: number;
  readonly positions: number;
};

/** What a model holds. */
export type OnnxDescription = {
  readonly producer: string;
  readonly ir: number;
  readonly opset: number;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Most frequent first. */
  readonly ops: readonly DescribedOp[];
  readonly nodes: number;
  /** Numbers in initialisers that are used. */
  readonly numbers: number;
  readonly network?: {
    readonly inputs: number;
    readonly outputs: number;
    readonly parameters: number;
    readonly blocks: readonly DescribedBlock[];
  };
  /** Why there is no network. */
  readonly fault?: InputError;
};

/** Ops of a file that become others, or none. */
const REWRITTEN = new Set(
  "Cast CastLike Constant Dropout Flatten Gemm Identity InstanceNormalization Mean Shape Size Split Squeeze Sum Swish Unsqueeze Where".split(
    " ",
  ),
);

/** Whether natgrad has an op, where it is given what it takes. */
export const hasOp = (op: string): boolean =>
  isKnownOp(op) && (REWRITTEN.has(op) || op in CONVERTS || !Object.hasOwn(RULES, op));

/**
 * Describes an ONNX model.
 * @throws InputError for bytes that are no model.
 */
export async function describeOnnx(
  bytes: Uint8Array,
  options: ReadOnnxOptions = {},
): Promise<OnnxDescription> {
  const model = await decodeOnnx(bytes, options);
  const { producer, ir, opset, inputs, outputs, nodes, initialisers } = model;
  const numbers = [...initialisers.values()].reduce((sum, { dims }) => sum + count(dims), 0);
  const about = { producer, ir, opset, inputs, outputs, ops: opsOf(model), nodes: nodes.length, numbers };
  try {
    const { network, names } = networkOf(model, options);
    const blocks = network.blocks.map((shape, l) => ({
      parameters: names[l]!,
      fanOut: shape.fanOut,
      columns: shape.columns,
      positions: positionsOf(shape),
    }));
    const parameters = blocks.reduce((sum, { fanOut, columns }) => sum + fanOut * columns, 0);
    return { ...about, network: { inputs: network.inputs, outputs: network.outputs, parameters, blocks } };
  } catch (error) {
    if (error instanceof InputError) return { ...about, fault: error };
    throw error;
  }
}

function opsOf({ nodes }: OnnxModel): DescribedOp[] {
  const counts = new Map<string, number>();
  for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  return Array.from(counts, ([op, nodes]) => ({ op, nodes, known: hasOp(op) })).toSorted(
    (a, b) => b.nodes - a.nodes || (a.op < b.op ? -1 : 1),
  );
}
