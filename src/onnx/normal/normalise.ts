/**
 * @file Brings a decoded model to its normal form (graph.ts): one pass over its nodes that folds what is known and follows the samples through the
 * rest, then what was decomposed is put together (recognise.ts) and biases join what they follow (join.ts).
 */
import { InputError } from "../../error.ts";
import { count, type OnnxModel, type OnnxNode, type OnnxValue } from "../model.ts";
import { named } from "./arguments.ts";
import { createBuilder, type Builder } from "./builder.ts";
import { fold, folds } from "./fold/fold.ts";
import type { NormalGraph } from "./graph.ts";
import { join } from "./join.ts";
import { isFloat, rowOf, stored, type Item, type Known, type Live } from "./known.ts";
import { leads, layoutText, sampleShape } from "./layout.ts";
import { recognise } from "./recognise.ts";
import type { Given } from "./rules/rule.ts";
import { RULES } from "./rules/rules.ts";

/** Options of {@link normalise}. */
export type NormaliseOptions = {
  /** The output that is the network's, where a model has several. */
  readonly output?: string;
  /** Sizes of dimensions that the model leaves open beside the batch, by name. */
  readonly sizes?: Readonly<Record<string, number>>;
};

/**
 * Normalises a model.
 * @throws InputError for several inputs or outputs, sizes that are open, ops that are not known (all in one line), ops that mix samples, shapes that
 * disagree.
 */
export function normalise(model: OnnxModel, { output, sizes = {} }: NormaliseOptions = {}): NormalGraph {
  const input = onlyInput(model.inputs);
  const result = chosenOutput(model.outputs, output);
  const { dims, literal } = inputSizes(input, sizes);
  const b = createBuilder(model.opset, literal);
  const batch = { axis: 0, before: 1, after: 1 };
  const first: Live = { kind: "live", id: 0, type: input.type, dims: [1, ...dims], batch };
  const items = new Map<string, Item>([[input.name, first]]);
  for (const [name, tensor] of model.initialisers) items.set(name, stored(name, "initialiser", tensor));
  for (const node of model.nodes) {
    const made = itemsOf(
      b,
      node,
      node.inputs.map((name) => items.get(name)),
    );
    for (const [i, name] of node.outputs.entries()) {
      const item = made[i] ?? { kind: "unknown", lack: `output ${i} of ${node.op}` };
      if (name !== "") items.set(name, item);
    }
  }
  const last = items.get(result.name)!;
  if (last.kind === "unknown" && last.lack !== undefined) b.lack(last.lack);
  if (b.missing.size > 0) {
    const got = [...b.missing].toSorted().join(", ");
    throw new InputError({ what: "ops", wanted: "those that natgrad has (docs/onnx.md)", got });
  }
  const value = lastValue(last, result.name);
  const graph: NormalGraph = {
    input: { name: input.name, type: input.type, shape: dims },
    output: { name: result.name, value: value.id, shape: sampleShape(value) },
    nodes: b.nodes,
    parameters: b.parameters,
  };
  return join(recognise(graph));
}

/** The input that is the samples. */
function onlyInput(inputs: readonly OnnxValue[]): OnnxValue {
  if (inputs.length === 1) return inputs[0]!;
  const got = inputs.map(({ name }) => name).join(", ") || "none";
  throw new InputError({ what: "inputs", wanted: "one, the batch of samples", got });
}

function chosenOutput(outputs: readonly OnnxValue[], name: string | undefined): OnnxValue {
  const chosen =
    name === undefined && outputs.length === 1 ? outputs[0] : outputs.find((o) => o.name === name);
  if (chosen) return chosen;
  const names = outputs.map((o) => o.name).join(", ");
  throw new InputError({ what: "output", wanted: `one of ${names}`, got: name ?? "none" });
}

/** Sizes of one sample, and the batch where the file fixes it. */
function inputSizes({ name, dims }: OnnxValue, sizes: Readonly<Record<string, number>>) {
  const what = `input ${name}`;
  const [batch, ...rest] = (dims ?? []).map((size, axis) =>
    axis > 0 && typeof size === "string" ? (Object.hasOwn(sizes, size) ? sizes[size]! : size) : size,
  );
  const isSize = (size: unknown) => typeof size === "number" && Number.isSafeInteger(size) && size > 0;
  if (!dims || dims.length === 0 || batch === 0 || !rest.every(isSize)) {
    const got = dims ? `[${dims.map((size) => size ?? "?").join(", ")}]` : "any shape";
    throw new InputError({ what, wanted: "samples of a fixed size, [N, ...]", got });
  }
  return { dims: rest as number[], literal: typeof batch === "number" ? batch : undefined };
}

/** What a node makes, with any fault as one of the model's. */
function itemsOf(b: Builder, node: OnnxNode, inputs: readonly (Item | undefined)[]): readonly Item[] {
  try {
    return made(b, node, inputs);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    const wanted = "inputs and attributes that it takes";
    throw new InputError({ what: named(node), wanted, got }, { cause: error });
  }
}

function made(b: Builder, node: OnnxNode, inputs: readonly (Item | undefined)[]): readonly Item[] {
  const { op } = node;
  const rule = Object.hasOwn(RULES, op) ? RULES[op] : undefined;
  if (!rule && !folds(op)) {
    const lacking = b.lack(op);
    return node.outputs.map(() => lacking);
  }
  const unknown = inputs.filter((item) => item?.kind === "unknown");
  if (unknown.length > 0) {
    for (const { lack } of unknown) if (lack !== undefined) b.lack(lack);
    return node.outputs.map(() => ({ kind: "unknown" }));
  }
  const given = inputs as readonly Given[];
  demandInputs(node, given);
  if (given.every((item) => item?.kind !== "live") && folds(op) && !isUse(node, given)) {
    const known = fold(node, given as readonly (Known | undefined)[], b.opset);
    return known.map((item, i) => replayable(b, node, given, item, i));
  }
  if (!rule) return [b.lack(`${op} of samples`)];
  return rule(b, node, given);
}

/** Ops with more than one input that they cannot do without. */
const INPUTS: Readonly<Record<string, number>> = {
  BatchNormalization: 5,
  Constant: 0,
  InstanceNormalization: 3,
  GroupNormalization: 3,
  Range: 3,
  Where: 3,
  ...Object.fromEntries(
    "Add And CastLike Conv Div Equal Expand Gather Gemm Greater GreaterOrEqual Less LessOrEqual MatMul Mod Mul Or PRelu Pow Reshape Sub Tile Xor"
      .split(" ")
      .map((op) => [op, 2]),
  ),
};

function demandInputs(node: OnnxNode, given: readonly Given[]): void {
  const least = INPUTS[node.op] ?? 1;
  const missing = Array.from({ length: least }, (_, i) => i).find((i) => given[i] === undefined);
  if (missing === undefined) return;
  throw new InputError({
    what: named(node),
    wanted: `${least} inputs`,
    got: `none as number ${missing + 1}`,
  });
}

/** Whether known values meet a weight here: a first state of zeros times its matrix, which is no constant. */
const isUse = ({ op }: OnnxNode, [a, w]: readonly Given[]): boolean =>
  op === "MatMul" &&
  a?.kind === "known" &&
  w?.kind === "known" &&
  w.origin?.kind === "initialiser" &&
  (a.batch !== undefined || a.origin?.kind !== "initialiser");

/** A part of an initialiser remembers how it is one of a parameter. */
function replayable(b: Builder, node: OnnxNode, given: readonly Given[], item: Known, i: number): Known {
  const [source] = given;
  if (node.op === "Expand" && source?.kind === "known" && source.origin && !item.origin && !item.batch) {
    return { ...item, row: rowBefore(item, source) };
  }
  if (source?.kind === "known" && source.replay && item.replay === source.replay) {
    // The same part in other sizes, or with its axes in another order.
    const part = source.replay;
    return { ...item, replay: () => RULES[node.op]!(b, node, [part(), ...given.slice(1)])[i]! as Live };
  }
  const isPart = ["Slice", "Gather", "Split"].includes(node.op) && !item.origin;
  if (!isPart || source?.kind !== "known" || source.origin?.kind !== "initialiser" || !isFloat(source))
    return item;
  const replay = () => {
    const first = b.lift(node, rowOf(source, b.literal) ?? source);
    const made = RULES[node.op]!(b, node, [first, ...given.slice(1)])[i]!;
    return made as Live;
  };
  return { ...item, replay };
}

/** A stored tensor that was repeated along axis 0 alone: for every sample of a batch that the file fixes. */
function rowBefore(item: Known, source: Known): Known | undefined {
  const dims = [1, ...item.dims.slice(1)];
  const alone = count(dims) === count(source.dims);
  return alone ? { ...source, dims, batch: { axis: 0, before: 1, after: 1 } } : undefined;
}

/** The network's output, which must be of the samples. */
function lastValue(item: Item, name: string): Live {
  const what = `output ${name}`;
  if (item.kind !== "live" || !item.batch) {
    throw new InputError({ what, wanted: "a value of the samples", got: "one that is the same for all" });
  }
  if (leads(item)) return item;
  throw new InputError({ what, wanted: "[N, ...]", got: layoutText(item) });
}
