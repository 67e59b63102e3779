/**
 * @file Which part of a value Slice and Split take, the same for known and live values: one run of every axis.
 */
import { InputError } from "../../error.ts";
import type { OnnxNode } from "../model.ts";
import { integersOf, intOf, intsOf, named } from "./arguments.ts";
import type { Known } from "./known.ts";
import { fromFront, mixing } from "./layout.ts";

/** Indices start, start + step, ... of an axis, `size` of them. */
export type Run = {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly size: number;
};

/** Clamps as ONNX and NumPy do. */
const clamp = (at: number, low: number, high: number): number => Math.min(Math.max(at, low), high);

/** The runs of a Slice of a value of these sizes; those that take all of an axis are left out. */
export function sliceRuns(
  node: OnnxNode,
  dims: readonly number[],
  inputs: readonly (Known | undefined)[],
  batch?: { readonly axis: number; readonly literal?: number | undefined },
): Run[] {
  const what = named(node);
  const given = (name: string, input: Known | undefined) =>
    input ? Array.from(input.values()) : intsOf(node, name);
  const starts = given("starts", inputs[0]);
  const ends = given("ends", inputs[1]);
  if (!starts || !ends || starts.length !== ends.length) {
    throw new InputError({
      what,
      wanted: "as many starts as ends",
      got: `${starts?.length} and ${ends?.length}`,
    });
  }
  const axes = given("axes", inputs[2]) ?? starts.map((_, i) => i);
  const steps = inputs[3] ? integersOf(inputs[3], what) : starts.map(() => 1);
  return starts.flatMap((from, i) => {
    const axis = fromFront(axes[i]!, dims.length, what);
    const [n, step] = [dims[axis]!, steps[i]!];
    if (axis === batch?.axis) {
      const all = ends[i]! >= 2 ** 31 - 1 || inputs[1]?.slope?.[i] === n || ends[i] === batch.literal;
      if (from === 0 && step === 1 && all) return [];
      throw mixing(what);
    }
    if (!Number.isInteger(step) || step === 0)
      throw new InputError({ what, wanted: "a step that is not 0", got: `${step}` });
    const at = (index: number) => (index < 0 ? index + n : index);
    const start = clamp(at(from), 0, step > 0 ? n : n - 1);
    const end = clamp(at(ends[i]!), step > 0 ? 0 : -1, n);
    const size = Math.max(0, Math.ceil((end - start) / step));
    return start === 0 && step === 1 && size === n ? [] : [{ axis, start, step, size }];
  });
}

/** The runs of the outputs of a Split. */
export function splitRuns(node: OnnxNode, dims: readonly number[], sizes: Known | undefined): Run[] {
  const what = named(node);
  const axis = fromFront(intOf(node, "axis", 0), dims.length, what);
  const n = dims[axis]!;
  const parts = node.outputs.length;
  const each = Math.ceil(n / parts);
  const given = sizes ? integersOf(sizes, what) : intsOf(node, "split");
  const lengths = given ?? node.outputs.map((_, i) => Math.min(each, n - i * each));
  const total = lengths.reduce((a, b) => a + b, 0);
  if (lengths.length !== parts || total !== n || lengths.some((size) => size < 0)) {
    throw new InputError({ what, wanted: `${parts} parts of ${n}`, got: `[${lengths.join(", ")}]` });
  }
  let start = 0;
  return lengths.map((size) => ({ axis, start: (start += size) - size, step: 1, size }));
}
