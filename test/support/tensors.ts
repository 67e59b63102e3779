/**
 * @file Ops of a network by themselves: their values on given inputs, and small tensors in plain loops to compare them with.
 */
import { createGraph } from "../../src/engine/graph.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { appendLayer, type Layer } from "../../src/network/layers.ts";
import { createBuilder, type Network } from "../../src/network/network.ts";
import { dense } from "../../src/ops/dense.ts";
import { sizeOf, type Op, type Shape } from "../../src/ops/op.ts";
import { reshape } from "../../src/ops/reshape.ts";
import { sum } from "../../src/ops/sum.ts";
import { randomState } from "../../src/random/random-state.ts";
import { float64Engine } from "./tiny.ts";

/** Numbers with a shape, last axis fastest. */
export type Tensor = { readonly shape: Shape; readonly data: Float64Array };

/** Every index of a shape, in the order of its numbers. */
export function indicesOf(shape: Shape): number[][] {
  return Array.from({ length: sizeOf(shape) }, (_, at) => {
    const index: number[] = [];
    for (const size of shape.toReversed()) {
      index.unshift(at % size);
      at = Math.floor(at / size);
    }
    return index;
  });
}

/** The tensor whose numbers are a function of their indices. */
export const tensor = (shape: Shape, of: (index: number[]) => number): Tensor => ({
  shape,
  data: Float64Array.from(indicesOf(shape), of),
});

/** The number at an index; axes are aligned from the end, and sizes of one are repeated, as in NumPy. */
export function at({ shape, data }: Tensor, index: readonly number[]): number {
  const own = index.slice(index.length - shape.length);
  return data[shape.reduce((place, size, i) => place * size + (size === 1 ? 0 : own[i]!), 0)]!;
}

/** A tensor of normal numbers, or of a function of them. */
export function normals(seed: number, shape: Shape, of: (x: number) => number = (x) => x): Tensor {
  return {
    shape,
    data: randomState(seed)
      .normalsInto(new Float64Array(sizeOf(shape)))
      .map(of),
  };
}

/** The value of an op on inputs [N, ...shape], and with theta [O, I] where it has parameters. */
export async function valueOf(
  op: Op,
  inputs: readonly Tensor[],
  theta?: ArrayLike<number>,
  engine?: Engine,
): Promise<Float64Array> {
  const on = engine ?? (await float64Engine());
  const shapes = inputs.map(({ shape }) => shape.slice(1));
  const g = createGraph(on.precision);
  const values = inputs.map(({ shape }, i) => g.input(`x${i}`, ["N", ...shape.slice(1)]));
  const block = op.block?.(shapes);
  const size = block && ([block.fanOut, block.columns] as const);
  const weights = size && { base: g.input("theta", size) };
  const { output } = op.forward(g, { inputs: values, shapes, ...(weights ? { weights } : {}) });
  g.output("y", output, ["N", ...op.shape(shapes)]);
  const program = await on.compile(g);
  const feeds = Object.fromEntries(inputs.map(({ shape, data }, i) => [`x${i}`, on.tensor(data, shape)]));
  const given = size ? { theta: on.tensor(Float64Array.from(theta!), size) } : {};
  const { y } = await program.run({ ...feeds, ...given }, { y: null });
  await program.release();
  return Float64Array.from(y!.data as ArrayLike<number>);
}

/**
 * Dense layers, a layer on what they make in given shapes, and a dense layer with `outputs` outputs: the way back of that layer and its
 * parameters are all in the Jacobian. `before` is applied to each input: to make it positive, for example.
 */
export function around(layer: Layer, shapes: readonly Shape[], outputs: number, before?: Op): Network {
  const b = createBuilder(3);
  const inputs = shapes.map((shape) => {
    const value = b.apply(dense(sizeOf(shape), { biasVariance: 0.1 }), [0]);
    return b.apply(reshape(...shape), [before ? b.apply(before, [value]) : value]);
  });
  const flat = appendLayer(b, layer, inputs).map((made) => {
    const value = b.apply(reshape(sizeOf(b.shape(made))), [made]);
    return b.apply(dense(outputs), [value]);
  });
  return b.finish(flat.length === 1 ? flat[0]! : b.apply(sum(), flat));
}
