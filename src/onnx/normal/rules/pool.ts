/**
 * @file Pooling over windows, and over all positions.
 */
import { InputError } from "../../../error.ts";
import type { OnnxNode } from "../../model.ts";
import { intOf, intsOf, named } from "../arguments.ts";
import type { Builder } from "../builder.ts";
import type { Live } from "../known.ts";
import { layoutText, leads } from "../layout.ts";
import { live, type Given, type Rule } from "./rule.ts";
import { windows } from "./window.ts";

function images(b: Builder, node: OnnxNode, inputs: readonly Given[]): Live {
  const x = live(b, node, inputs);
  if (leads(x) && x.dims.length >= 3) return x;
  throw new InputError({ what: named(node), wanted: "[N, channels, positions, ...]", got: layoutText(x) });
}

const pool: Rule = (b, node, inputs) => {
  const x = images(b, node, inputs);
  const space = x.dims.slice(2);
  const kernel = intsOf(node, "kernel_shape") ?? [];
  if (!kernel.every((size) => size > 0))
    throw new InputError({ what: named(node), wanted: "a window", got: `[${kernel.join(", ")}]` });
  const { sizes, strides, dilations, pads } = windows(node, space, kernel);
  const counted = intOf(node, "count_include_pad", 0);
  // What a rounded-up size reaches beyond is padding at the end; in an average that counts its padding it is not counted.
  const reach = space.map((size, axis) => {
    const last = (sizes[axis]! - 1) * strides[axis]! + dilations[axis]! * (kernel[axis]! - 1) + 1;
    return last - size - pads[axis]!;
  });
  const ceil = reach.some((over, axis) => over > pads[axis + space.length]!) ? 1 : 0;
  const average = node.op === "AveragePool";
  const ends = average && counted === 1 ? pads.slice(space.length) : reach.map((over) => Math.max(0, over));
  const attributes = {
    kernel,
    strides,
    dilations,
    pads: [...pads.slice(0, space.length), ...ends],
    ...(average ? { count_include_pad: counted, ceil_mode: counted === 1 ? ceil : 0 } : {}),
  };
  const layout = { dims: [1, x.dims[1]!, ...sizes], batch: x.batch };
  return [b.emit(node, node.op, [x], layout, { attributes })];
};

const globalPool: Rule = (b, node, inputs) => {
  const x = images(b, node, inputs);
  const layout = { dims: [1, x.dims[1]!, ...x.dims.slice(2).map(() => 1)], batch: x.batch };
  return [b.emit(node, node.op, [x], layout)];
};

export const POOLS: Readonly<Record<string, Rule>> = {
  AveragePool: pool,
  MaxPool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
};
