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
      const item = made[i] ?? { kind: "unknown" };
      if (name !== "") items.set(name, item);
    }
  }
  if (b.missing.size > 0) {
    const got = [...b.missing].toSorted().join(", ");
    throw new InputError({ what: "ops", wanted: "those that natgrad has (docs/onnx.md)", got });
  }
  const last = items.get(result.name)!;
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

/** What a node makes. */
function itemsOf(b: Builder, node: OnnxNode, inputs: readonly (Item | undefined)[]): readonly Item[] {
  const { op } = node;
  const rule = Object.hasOwn(RULES, op) ? RULES[op] : undefined;
  if (!rule && !folds(op)) return [b.lack(op)];
  if (inputs.some((item) => item?.kind === "unknown")) return [{ kind: "unknown" }];
  const given = inputs as readonly Given[];
  if (given.every((item) => item?.kind !== "live") && folds(op) && !isUse(node, given)) {
    const known = fold(node, given as readonly (Known | undefined)[], b.opset);
    return known.map((item, i) => replayable(b, node, given, item, i));
  }
  if (!rule) return [b.lack(`${op} of samples`)];
  if (op in WEIGHTED && !given.every((item, i) => item || i > 1)) {
    throw new InputError({ what: named(node), wanted: "two inputs", got: "fewer" });
  }
  return rule(b, node, given);
}

/** Ops whose second input is a weight. */
const WEIGHTED = { MatMul: true, Gemm: true, Conv: true };

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
    return expandedRow(item, source, b.literal) ?? item;
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

/** A stored tensor that is repeated for every sample of a batch that the file fixes. */
function expandedRow(item: Known, source: Known, literal: number | undefined): Known | undefined {
  const dims = [1, ...item.dims.slice(1)];
  const once = item.dims[0] === literal && literal !== 1 && count(dims) === count(source.dims);
  return once ? { ...source, dims, batch: { axis: 0, before: 1, after: 1 } } : undefined;
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
