/**
 * @file What a rule of an op is: it makes nodes of the normal form from a node of the file that has samples in it.
 */
import { InputError } from "../../../error.ts";
import type { OnnxNode } from "../../model.ts";
import { named } from "../arguments.ts";
import type { Builder } from "../builder.ts";
import type { Item, Known, Live } from "../known.ts";

/** Inputs of a node: none of them is unknown, and at least one is live. */
export type Given = Known | Live | undefined;

/** A rule; items are those of the node's outputs. */
export type Rule = (b: Builder, node: OnnxNode, inputs: readonly Given[]) => readonly Item[];

/**
 * A live input.
 * @throws InputError where it is left out.
 */
export function live(b: Builder, node: OnnxNode, inputs: readonly Given[], at = 0): Live {
  const item = inputs[at];
  if (item) return b.lift(node, item);
  throw new InputError({ what: named(node), wanted: `input ${at}`, got: "none" });
}

/** A known input; undefined where it is left out or has samples in it. */
export const knownAt = (inputs: readonly Given[], at: number): Known | undefined => {
  const item = inputs[at];
  return item?.kind === "known" ? item : undefined;
};
