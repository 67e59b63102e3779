/**
 * @file The same numbers of a sample in another shape.
 */
import { agree, demandWhole } from "../error.ts";
import { reshape as reshapeValue } from "../engine/ops.ts";
import { only, sizeOf, type Op, type Shape } from "./op.ts";

/**
 * The op that gives its input this shape; it must have as many numbers.
 * @throws InputError for sizes that are no whole numbers above 0.
 */
export function reshape(...shape: number[]): Op {
  for (const size of shape) demandWhole("reshape", size);
  const name = `reshape(${shape.join(", ")})`;
  return reshaping(name, (inputs) => {
    agree(name, `${sizeOf(shape)} numbers per sample`, `${sizeOf(only(name, inputs))} numbers per sample`);
    return shape;
  });
}

/** An op that gives its input a shape of as many numbers. */
export const reshaping = (name: string, shape: (inputs: readonly Shape[]) => Shape): Op => ({
  name,
  shape,
  forward: (g, { inputs, shapes }) => ({ output: reshapeValue(g, inputs[0]!, -1, ...shape(shapes)) }),
  backward: (_g, at, ct) => [at.cotangent(at.matrix(ct, shape(at.shapes)), at.shapes[0]!)],
  infinite: () => ({ kind: "elementwise", variance: (p) => p, maps() {} }),
});
