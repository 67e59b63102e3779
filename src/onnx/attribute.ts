/**
 * @file Attributes of ONNX nodes as numbers, strings and tensors.
 */
import { AttributeProto_AttributeType as Type, type AttributeProto } from "onnx-buf";
import { InputError } from "../error.ts";
import type { ReadExternal } from "./external.ts";
import type { Attribute } from "./model.ts";
import { readTensor } from "./tensor.ts";

const text = new TextDecoder();

/**
 * Reads an attribute.
 * @param what what errors call it
 * @throws InputError for a type that has no value here: a graph, a sparse tensor, ...
 */
export async function readAttribute(
  attribute: AttributeProto,
  what: string,
  external?: ReadExternal,
): Promise<Attribute> {
  const { type, f, i, s, t, floats, ints, strings } = attribute;
  if (type === Type.INT) return { int: Number(i) };
  if (type === Type.FLOAT) return { float: f };
  if (type === Type.STRING) return { string: text.decode(s) };
  if (type === Type.INTS) return { ints: ints.map(Number) };
  if (type === Type.FLOATS) return { floats };
  if (type === Type.STRINGS) return { strings: strings.map((bytes) => text.decode(bytes)) };
  if (type === Type.TENSOR && t) return { tensor: await readTensor(t, what, external) };
  const got = Type[type]?.toLowerCase().replaceAll("_", " ") ?? `type ${type}`;
  throw new InputError({
    what,
    wanted: "numbers, strings or a tensor",
    got: got.replace(/^undefined$/, "no type"),
  });
}

/** Whether an attribute holds graphs of its own, as those of If, Loop and Scan. */
export const hasGraph = ({ type }: AttributeProto): boolean => type === Type.GRAPH || type === Type.GRAPHS;
