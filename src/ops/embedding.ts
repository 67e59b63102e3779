/**
 * @file A table of vectors, theta [O, V] with one column per token, looked up, and, transposed, used as the last layer of a language
 * model:
 *
 *     embedding: u[t] = a theta e(x[t])                 e(v): the v-th unit vector of V
 *     head:      u[t] = a theta^T h[t]
 *
 * The first has H = a e(x[t]) and D = ct, outer products as a dense layer's. Of the second, ct is on the side of V, so that the row of
 * the Jacobian is written out: a sum over t of h[t] (x) ct[t]. Both may share one table (Press & Wolf, arXiv 1608.05859).
 */
import { demand, demandWhole } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { add, cast, equal, gatherBy, matMul, reduce, reshape, scaleBy, transpose } from "../engine/ops.ts";
import { printed, viewed } from "./axes.ts";
import { only, PLAIN_SCALES, sizeOf, type BlockShape, type Op, type Shape } from "./op.ts";

/** Options of {@link embedding} and {@link head}. */
export type TableOptions = {
  /** a. Default: 1 of an embedding, 1 / sqrt(O) of a head. */
  scale?: number;
  /** Standard deviation of the table at the start. Default: 1. */
  deviation?: number;
};

/**
 * The op that looks tokens up: values [...], whole numbers from 0 to V - 1, become [..., width]. Its derivatives by them are 0.
 * @throws InputError for sizes, a scale or a deviation that are none.
 * @example
 * import { dense, serial } from "natgrad";
 * import { embedding, globalAveragePool } from "natgrad/network";
 *
 * const network = serial(5, embedding(100, 16), globalAveragePool(), dense(2)); // 5 tokens of 100
 * console.log(network.blocks[0]?.fanOut, network.blocks[0]?.columns, network.blocks[0]?.positions); // 16 100 5
 */
export function embedding(vocabulary: number, width: number, options: TableOptions = {}): Op {
  demandWhole("vocabulary", vocabulary);
  demandWhole("width", width);
  checkTable(options);
  const name = `embedding(${vocabulary}, ${width})`;
  const { scale = 1 } = options;
  const lookUp = (g: Graph, table: Value, ids: Value, rank: number): Value =>
    // [rows of the table, N, ...] to [N, ..., rows of the table].
    transpose(g, gatherBy(g, table, ids, 1), [...Array.from({ length: rank + 1 }, (_, i) => i + 1), 0]);
  return {
    name,
    shape: (inputs) => [...only(name, inputs), width],
    block: (inputs) => ({
      ...tableBlock(vocabulary, width, scale, options),
      positions: sizeOf(only(name, inputs)),
    }),
    forward(g, { inputs, shapes, weights }) {
      const { base, factors } = weights!;
      const rank = shapes[0]!.length;
      const ids = cast(g, inputs[0]!, "int64");
      const found = lookUp(g, base, ids, rank);
      if (!factors) return { output: scaleBy(g, found, scale) };
      const rest = matMul(g, lookUp(g, factors.left, ids, rank), factors.right);
      return { output: scaleBy(g, add(g, found, rest), scale) };
    },
    backward(g, at, ct) {
      const shape = at.shapes[0]!;
      return [viewed(at, scaleBy(g, reduce(g, "ReduceSum", ct, [-1]), 0), [...shape, 1], shape)];
    },
    jacobian(g, at, ct) {
      const shape = at.shapes[0]!;
      const T = sizeOf(shape);
      const axes = T === 1 ? [] : [T];
      const tokens = g.constant(
        Array.from({ length: vocabulary }, (_, v) => v),
        [vocabulary],
      );
      const ids = reshape(g, at.first(at.inputs[0]!), -1, ...axes, 1);
      const H = scaleBy(g, equal(g, ids, tokens), scale);
      return { kind: "outer", H, D: viewed(at, ct, [...shape, width], [...axes, width]) };
    },
  };
}

/**
 * The op that gives every token a number from values [..., O]: [..., V], by the table of an {@link embedding}, which it may share:
 * `builder.apply(head(V), [value], { shares: 0 })`.
 * @throws InputError for sizes, a scale or a deviation that are none; RangeError (the op) for values without an axis.
 * @example
 * import { createBuilder, embedding, globalAveragePool, head } from "natgrad/network";
 *
 * const b = createBuilder(5);
 * const pooled = b.apply(globalAveragePool(), [b.apply(embedding(100, 16), [0])]);
 * const network = b.finish(b.apply(head(100), [pooled], { shares: 0 }));
 * console.log(network.outputs, network.blocks.length); // 100 1
 */
export function head(vocabulary: number, options: TableOptions = {}): Op {
  demandWhole("vocabulary", vocabulary);
  const name = `head(${vocabulary})`;
  const sizesOf = (inputs: readonly Shape[]) => {
    const shape = only(name, inputs);
    const O = shape.at(-1);
    if (O === undefined) throw new RangeError(`${name}: wanted values with an axis, got ${printed(shape)}`);
    const { scale = 1 / Math.sqrt(O) } = options;
    return { shape, O, T: sizeOf(shape) / O, result: [...shape.slice(0, -1), vocabulary], scale };
  };
  checkTable(options);
  return {
    name,
    shape: (inputs) => sizesOf(inputs).result,
    block(inputs) {
      const { O, scale } = sizesOf(inputs);
      return { ...tableBlock(vocabulary, O, scale, options), form: "rows" };
    },
    forward(g, { inputs, shapes, weights }) {
      return { output: matMul(g, scaleBy(g, inputs[0]!, sizesOf(shapes).scale), weights!.base) };
    },
    backward(g, at, ct) {
      const back = matMul(g, ct, transpose(g, at.weights!.base, [1, 0]));
      return [scaleBy(g, back, sizesOf(at.shapes).scale)];
    },
    jacobian(g, at, ct) {
      const { O, T, result, scale } = sizesOf(at.shapes);
      const h = reshape(g, scaleBy(g, at.first(at.inputs[0]!), scale), -1, T, O);
      const own = viewed(at, ct, result, [T, vocabulary]);
      return { kind: "rows", J: matMul(g, transpose(g, h, [0, 2, 1]), own) };
    },
  };
}

function checkTable({ scale = 1, deviation = 1 }: TableOptions): void {
  demand(Number.isFinite(scale) && scale > 0, "scale", "a number > 0", scale);
  demand(Number.isFinite(deviation) && deviation >= 0, "deviation", "a finite number >= 0", deviation);
}

function tableBlock(
  vocabulary: number,
  width: number,
  scale: number,
  { deviation = 1 }: TableOptions,
): BlockShape {
  const scales = { ...PLAIN_SCALES, weight: scale, weightStd: deviation };
  return { fanIn: vocabulary, columns: vocabulary, fanOut: width, scales };
}
