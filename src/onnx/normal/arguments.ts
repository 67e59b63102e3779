/**
 * @file Attributes of a node by name, with their defaults, and of the right type; and integers that are known inputs.
 */
import { InputError } from "../../error.ts";
import type { OnnxNode, Tensor } from "../model.ts";
import type { Known } from "./known.ts";
import type { Size } from "./layout.ts";

/** What errors call a node. */
export const named = ({ op, name }: OnnxNode): string => `${op} ${name}`;

type Kinds = {
  int: number;
  float: number;
  string: string;
  ints: readonly number[];
  floats: readonly number[];
  tensor: Tensor;
};

function attribute<K extends keyof Kinds>(node: OnnxNode, name: string, kind: K): Kinds[K] | undefined {
  const value = node.attributes.get(name);
  if (value === undefined) return undefined;
  if (kind in value) return (value as unknown as Record<K, Kinds[K]>)[kind];
  throw new InputError({
    what: `${named(node)}, ${name}`,
    wanted: kind,
    got: Object.keys(value).join(),
  });
}

export const intOf = (node: OnnxNode, name: string, otherwise: number): number =>
  attribute(node, name, "int") ?? otherwise;
export const floatOf = (node: OnnxNode, name: string, otherwise: number): number =>
  attribute(node, name, "float") ?? otherwise;
export const stringOf = (node: OnnxNode, name: string, otherwise: string): string =>
  attribute(node, name, "string") ?? otherwise;
export const intsOf = (node: OnnxNode, name: string): readonly number[] | undefined =>
  attribute(node, name, "ints");
export const floatsOf = (node: OnnxNode, name: string): readonly number[] | undefined =>
  attribute(node, name, "floats");
export const tensorAttribute = (node: OnnxNode, name: string): Tensor | undefined =>
  attribute(node, name, "tensor");

/** Integers of an input, which must not depend on the number of samples. */
export function integersOf(known: Known, what: string): number[] {
  if (known.slope?.some((n) => n !== 0)) {
    throw new InputError({ what, wanted: "integers that are known", got: "one that depends on the batch" });
  }
  return Array.from(known.values());
}

/** Sizes of an input. */
export const sizesOf = (known: Known): Size[] =>
  Array.from(known.values(), (c, i) => ({ c, n: known.slope?.[i] ?? 0 }));
