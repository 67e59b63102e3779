/**
 * @file Decodes an ONNX model: bytes to {@link OnnxModel}. Nothing in a file is trusted: sizes are checked before arrays are made, the
 * graph is sorted here, and every fault is one line.
 *
 * Format: https://github.com/onnx/onnx/blob/main/docs/IR.md
 */
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from "onnx-buf";
import { demand, InputError } from "../error.ts";
import { hasGraph, readAttribute } from "./attribute.ts";
import type { ReadExternal } from "./external.ts";
import type { Attribute, OnnxModel, OnnxNode, OnnxValue, Tensor } from "./model.ts";
import { inOrder } from "./order.ts";
import { parse } from "./parse.ts";
import { elementName, elementOf, READABLE, readTensor } from "./tensor.ts";

/** Options of {@link decodeOnnx}. */
export type DecodeOptions = {
  /** Reads data that lie in files beside the model. */
  readonly external?: ReadExternal;
};

/**
 * Decodes an ONNX model.
 * @throws InputError for bytes that are no model or a truncated one, versions and types that are not read, graphs with cycles or loose ends,
 * numbers that do not fit their shapes, external data that is not there.
 */
export async function decodeOnnx(bytes: Uint8Array, { external }: DecodeOptions = {}): Promise<OnnxModel> {
  demand(bytes instanceof Uint8Array, "model", "the bytes of an ONNX file (a Uint8Array)", bytes);
  const { model, graph, ir, opset } = parse(bytes);
  refuseSparse(graph);
  const stored = byName(graph.initializer);
  const inputs = graph.input.filter(({ name }) => !stored.has(name));
  refuseTwins(inputs.map(({ name }) => name));
  const given = new Set([...stored.keys(), ...inputs.map(({ name }) => name)]);
  const outputs = graph.output.map(({ name }) => name);
  if (outputs.length === 0) throw new InputError({ what: "graph", wanted: "an output", got: "none" });

  const protos = inOrder(graph.node.map(wired), given, outputs).map(({ proto }) => proto);
  refuseSubgraphs(protos);
  const used = new Set([...protos.flatMap(({ input }) => input), ...outputs]);
  const tensors = graph.initializer.filter(({ name }) => used.has(name));
  refuseTypes(tensors);

  const initialisers = new Map<string, Tensor>();
  for (const tensor of tensors) {
    initialisers.set(tensor.name, await readTensor(tensor, `initialiser ${tensor.name}`, external));
  }
  const nodes: OnnxNode[] = [];
  for (const proto of protos) nodes.push(await readNode(proto, external));
  return {
    ir,
    opset,
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(" "),
    inputs: inputs.filter(({ name }) => used.has(name)).map((value) => readValue(value, "input")),
    outputs: graph.output.map((value) => readValue(value, "output")),
    nodes,
    initialisers,
  };
}

const wired = (proto: NodeProto) => ({ proto, inputs: proto.input, outputs: proto.output });

function byName(tensors: readonly TensorProto[]): Map<string, TensorProto> {
  refuseTwins(tensors.map(({ name }) => name));
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

function refuseTwins(names: readonly string[]): void {
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice === undefined) return;
  throw new InputError({ what: "graph", wanted: "every value made once", got: `${twice || '""'} twice` });
}

function refuseSparse({ sparseInitializer }: GraphProto): void {
  if (sparseInitializer.length === 0) return;
  const names = sparseInitializer.map(({ values }) => values?.name ?? "");
  throw new InputError({
    what: "initialisers",
    wanted: "dense tensors",
    got: `sparse ones: ${listed(names)}`,
  });
}

function refuseSubgraphs(nodes: readonly NodeProto[]): void {
  const ops = nodes.filter(({ attribute }) => attribute.some(hasGraph)).map(({ opType }) => opType);
  if (ops.length === 0) return;
  const got = `${listed([...new Set(ops)])}, which hold graphs of their own`;
  throw new InputError({ what: "ops", wanted: "one graph without branches and loops", got });
}

/** All types that are not read, with their initialisers, in one line. */
function refuseTypes(tensors: readonly TensorProto[]): void {
  const others = tensors.filter(({ dataType }) => !elementOf(dataType));
  if (others.length === 0) return;
  const types = [...new Set(others.map(({ dataType }) => elementName(dataType)))];
  const got = `${types.join(", ")} (${listed(others.map(({ name }) => name))})`;
  throw new InputError({ what: "initialisers", wanted: READABLE, got });
}

/** Some names, and how many more there are. */
const listed = (names: readonly string[], most = 3): string =>
  names.length <= most
    ? names.join(", ")
    : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;

async function readNode(proto: NodeProto, external?: ReadExternal): Promise<OnnxNode> {
  const { name, domain, opType, input, output } = proto;
  const op = domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`;
  const attributes = new Map<string, Attribute>();
  for (const attribute of proto.attribute) {
    const what = `${op} ${name || output[0]}, ${attribute.name}`;
    attributes.set(attribute.name, await readAttribute(attribute, what, external));
  }
  return { name: name || (output[0] ?? ""), op, inputs: input, outputs: output, attributes };
}

function readValue({ name, type }: ValueInfoProto, kind: "input" | "output"): OnnxValue {
  const what = `${kind} ${name}`;
  if (type?.value.case !== "tensorType") {
    const got = type?.value.case?.replace("Type", "") ?? "no type";
    throw new InputError({ what, wanted: "a tensor", got });
  }
  const { elemType, shape } = type.value.value;
  const element = elementOf(elemType);
  if (!element) throw new InputError({ what, wanted: READABLE, got: elementName(elemType) });
  const dims = shape?.dim.map(({ value }) =>
    value.case === "dimValue" ? size(what, value.value) : value.value,
  );
  return { name, type: element, dims };
}

function size(what: string, value: bigint): number {
  if (value >= 0n && value <= Number.MAX_SAFE_INTEGER) return Number(value);
  throw new InputError({ what, wanted: "sizes that can be", got: `${value}` });
}
