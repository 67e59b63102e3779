/**
 * @file Parameters outside of layers: shifts and gains of a shape, tables of tokens, and tables that two ops share.
 */
import { describe, expect, it } from "vitest";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { append, createWeights } from "../../src/jacobian/weights.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { initialise } from "../../src/network/initialise.ts";
import { serial } from "../../src/network/layers.ts";
import { createBuilder, type Network } from "../../src/network/network.ts";
import { OPS } from "../../src/ops/index.ts";
import type { Op, Shape } from "../../src/ops/op.ts";
import { checkJacobian, rowsOf } from "../support/differences.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { around, at, normals, tensor, valueOf, type Tensor } from "../support/tensors.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const { dense, embedding, exp, flatten, gain, head, relu, reduceMean, shift } = OPS;

const x = matrix(2, 3, normals(8, [2, 3]).data);
const agrees = (got: ArrayLike<number>, wanted: Tensor): void =>
  expect(relativeError(got, wanted.data)).toBeLessThan(TOLERANCE.twin);

/** P [..., O] of theta [O, I]. */
const parameterOf = (theta: Tensor, shape: Shape): Tensor => {
  const I = theta.shape[1]!;
  return tensor(shape, (index) => {
    const i = shape.slice(0, -1).reduce((place, size, k) => place * size + index[k]!, 0);
    return theta.data[index.at(-1)! * I + i]!;
  });
};

describe.each<[string, (shape: Shape) => Op, (u: number, p: number) => number, number]>([
  ["shift", shift, (u, p) => u + p, 0],
  ["gain", gain, (u, p) => u * p, 1],
])("%s", (_, op, formula, start) => {
  it.each<[Shape, Shape, Shape]>([
    [[3], [3], [3]],
    [
      [4, 3],
      [4, 3],
      [4, 3],
    ],
    [[4, 3], [3], [4, 3]],
    [
      [4, 3],
      [4, 1],
      [4, 3],
    ],
    [[3], [2, 3], [2, 3]],
    [
      [1, 3],
      [2, 2, 1],
      [2, 2, 3],
    ],
  ])("of values %j has parameters %j", async (from, shape, result) => {
    const layer = op(shape);
    expect(layer.shape([from])).toEqual(result);
    const { fanOut, columns } = layer.block!([from]);
    const [given, theta] = [normals(1, [2, ...from]), normals(2, [fanOut, columns])];
    const P = parameterOf(theta, shape);
    const wanted = tensor([2, ...result], ([n, ...index]) => {
      const own = index.slice(index.length - from.length).map((i, k) => (from[k] === 1 ? 0 : i));
      return formula(at(given, [n!, ...own]), at(P, index));
    });
    agrees(await valueOf(layer, [given], theta.data), wanted);
    for (const C of [1, 3]) await checkJacobian(around(layer, [from], C), x, 3);
  });

  it("starts where it changes nothing, or is drawn", async () => {
    const engine = await float64Engine();
    const [, own] = initialise(engine, serial(2, dense(3), op([3]), dense(1)), 1);
    expect([...own!]).toEqual([start, start, start]);
  });
});

describe("a drawn shift", () => {
  it("has the deviation that it is given", async () => {
    const engine = await float64Engine();
    const networkOf = (deviation: number) => serial(2, dense(3), shift([3], { deviation }), relu(), dense(1));
    const [, one] = initialise(engine, networkOf(1), 1);
    const [, small] = initialise(engine, networkOf(0.25), 1);
    expect([...small!]).toEqual(Array.from(one!, (value) => value / 4));
    expect(new Set(one).size).toBe(3);
  });
});

/** Tokens of 5. */
const tokens = matrix(3, 4, Float64Array.of(0, 4, 2, 2, 1, 1, 1, 0, 3, 2, 4, 0));

describe("embedding", () => {
  it("looks tokens up", async () => {
    const theta = normals(2, [3, 5]);
    const ids = { shape: [3, 2, 2], data: tokens.data };
    const wanted = tensor([3, 2, 2, 3], ([n, i, j, o]) => 0.5 * at(theta, [o!, at(ids, [n!, i!, j!])]));
    agrees(await valueOf(embedding(5, 3, { scale: 0.5 }), [ids], theta.data), wanted);
  });

  it.each([1, 3])("has the derivatives of its %i outputs", async (C) => {
    await checkJacobian(serial(4, embedding(5, 3, { scale: 0.7 }), flatten(), dense(C)), tokens, 3);
    await checkJacobian(serial([2, 2], embedding(5, 2), exp(), flatten(), dense(C)), tokens, 3);
    const one = matrix(4, 1, Float64Array.of(4, 0, 1, 4));
    await checkJacobian(serial(1, embedding(5, 3), flatten(), dense(C)), one, 3);
  });

  it("has no derivative by its tokens", async () => {
    // The tokens are 3 for any weights before them.
    const constant = { shape: [1], data: [3] };
    const network = serial(
      3,
      dense(1),
      OPS.clip({ least: 3, most: 3 }),
      embedding(5, 2),
      flatten(),
      dense(2),
    );
    expect(constant.data).toEqual([3]);
    await checkJacobian(network, x, 3);
  });

  it("looks up what steps have added to its table", async () => {
    const engine = await float64Engine();
    const network = serial(1, embedding(5, 3), flatten(), dense(2));
    const linearizer = await createLinearizer(engine, network);
    const one = matrix(4, 1, Float64Array.of(4, 0, 1, 4));
    const bases = initialise(engine, network, 1);
    const weights = createWeights(network, bases);
    const [left, right] = [normals(3, [2, 5]), normals(4, [2, 3])];
    append(engine, weights[0]!, matrix(2, 5, left.data)).set(right.data);
    const whole = tensor([3, 5], ([o, v]) =>
      [0, 1].reduce((sum, r) => sum + at(right, [r, o!]) * at(left, [r, v!]), bases[0]![o! * 5 + v!]!),
    );
    const other = createWeights(network, [whole.data, bases[1]!]);
    const [f, rows] = await linearized();
    const [g, others] = await linearized(other);
    expect(relativeError(f, g)).toBeLessThan(TOLERANCE.twin);
    expect(relativeError(rows, others)).toBeLessThan(TOLERANCE.twin);

    async function linearized(of = weights): Promise<[Float64Array, Float64Array]> {
      const { outputs, layers } = await linearizer.linearize(of, one);
      const all = layers.flatMap((layer) => rowsOf(layer).flatMap((row) => [...row]));
      return [outputs.data.slice(), Float64Array.from(all)];
    }
  });
});

describe("head", () => {
  it("is the table transposed", async () => {
    const [given, theta] = [normals(1, [2, 4, 3]), normals(2, [3, 5])];
    const wanted = tensor([2, 4, 5], ([n, t, v]) =>
      [0, 1, 2].reduce((sum, o) => sum + (at(given, [n!, t!, o]) * at(theta, [o, v!])) / Math.sqrt(3), 0),
    );
    agrees(await valueOf(head(5), [given], theta.data), wanted);
    for (const C of [1, 3]) {
      await checkJacobian(around(head(4), [[2, 3]], C), x, 3);
      await checkJacobian(around(head(4, { scale: 1 }), [[3]], C), x, 3);
    }
  });

  it.each([1, 4])("of %i tokens shares the table of an embedding", async (T) => {
    const tied = (V: number): Network => {
      const b = createBuilder(T);
      const embedded = b.apply(embedding(V, 3), [0]);
      const hidden = b.apply(relu(), [b.apply(dense(3), [embedded])]);
      const pooled = b.apply(reduceMean({ axes: [0] }), [hidden]);
      return b.finish(b.apply(head(V), [pooled], { shares: 0 }));
    };
    const network = tied(5);
    expect(network.blocks).toHaveLength(2);
    expect(network.blocks[0]).toMatchObject({ fanOut: 3, columns: 5, form: "rows" });
    const own = matrix(3, T, tokens.data.slice(0, 3 * T));
    await checkJacobian(network, own, 3);
  });

  it("refuses a table of another size", () => {
    const b = createBuilder(4);
    const value = b.apply(flatten(), [b.apply(embedding(5, 3), [0])]);
    expect(() => b.apply(head(5), [value], { shares: 0 })).toThrow(
      "head(5): wanted weights 3 x 5, got weights 12 x 5",
    );
  });
});
