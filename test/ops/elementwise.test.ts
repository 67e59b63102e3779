/**
 * @file Functions of every number, arithmetic of two values with broadcasting, choices by masks, matrix products and softmax: values
 * against plain loops, Jacobians against differences.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matrix } from "../../src/linalg/matrix.ts";
import type { Layer } from "../../src/network/layers.ts";
import { OPS } from "../../src/ops/index.ts";
import { broadcastShape } from "../../src/ops/axes.ts";
import { sizeOf, type Op, type Shape } from "../../src/ops/op.ts";
import { checkJacobian } from "../support/differences.ts";
import { relativeError } from "../support/tiny.ts";
import { around, at, indicesOf, normals, tensor, valueOf, type Tensor } from "../support/tensors.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const { abs, add, clip, div, exp, log, logSoftmax, matmul, mul, neg, pow } = OPS;
const { reciprocal, softmax, sqrt, sub, where } = OPS;

const N = 3;
const x = matrix(2, 3, normals(8, [2, 3]).data);

/** Jacobians with one and with three outputs, on values of these shapes. */
async function checkAround(layer: Layer, shapes: readonly Shape[], before?: Op): Promise<void> {
  for (const outputs of [1, 3]) await checkJacobian(around(layer, shapes, outputs, before), x, 3);
}

const agrees = (got: ArrayLike<number>, wanted: Tensor): void =>
  expect(relativeError(got, wanted.data)).toBeLessThan(TOLERANCE.twin);

describe.each<[Op, (u: number) => number, Op?]>([
  [neg(), (u) => -u],
  [exp(), Math.exp],
  [abs(), Math.abs],
  [pow(3), (u) => u ** 3],
  [pow(0), () => 1],
  [pow(1), (u) => u],
  [clip({ least: -0.5, most: 0.7 }), (u) => Math.min(0.7, Math.max(-0.5, u))],
  [clip({ least: 0 }), (u) => Math.max(0, u)],
  [clip({}), (u) => u],
  [sqrt(), Math.sqrt, exp()],
  [log(), Math.log, exp()],
  [reciprocal(), (u) => 1 / u, exp()],
  [pow(-1.5), (u) => u ** -1.5, exp()],
])("$name", (op, formula, positive) => {
  it("has its formula's values and derivatives", async () => {
    const given = normals(1, [N, 2, 5], positive ? Math.exp : undefined);
    agrees(await valueOf(op, [given]), { ...given, data: given.data.map(formula) });
    await checkAround(op, [[2, 2]], positive);
  });
});

const formulas = [
  ["add", add, (a: number, b: number) => a + b],
  ["sub", sub, (a: number, b: number) => a - b],
  ["mul", mul, (a: number, b: number) => a * b],
  ["div", div, (a: number, b: number) => a / b],
] as const;

/** Two shapes that broadcast: parts of one, with some sizes one. */
const pairs = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean(), fc.boolean()), { maxLength: 4 })
  .chain((sizes) =>
    fc.record({
      a: fc.nat(sizes.length).map((from) => sizes.map(([n, one]) => (one ? 1 : n)).slice(from)),
      b: fc.nat(sizes.length).map((from) => sizes.map(([n, , one]) => (one ? 1 : n)).slice(from)),
    }),
  );

describe.each(formulas)("%s", (name, op, formula) => {
  it("broadcasts two values of a sample", () =>
    fc.assert(
      fc.asyncProperty(pairs, async ({ a, b }) => {
        const [left, right] = [normals(1, [N, ...a]), normals(2, [N, ...b], Math.exp)];
        const shape = broadcastShape(name, a, b);
        expect(op().shape([a, b])).toEqual(shape);
        const sample = ({ shape, data }: Tensor, n: number): Tensor => {
          const size = sizeOf(shape.slice(1));
          return { shape: shape.slice(1), data: data.subarray(n * size, (n + 1) * size) };
        };
        const wanted = tensor([N, ...shape], ([n, ...index]) =>
          formula(at(sample(left, n!), index), at(sample(right, n!), index)),
        );
        agrees(await valueOf(op(), [left, right]), wanted);
        const constant = { shape: b, data: [...normals(2, b, Math.exp).data] };
        const shifted = tensor([N, ...shape], ([n, ...index]) =>
          formula(at(sample(left, n!), index), at(normals(2, b, Math.exp), index)),
        );
        agrees(await valueOf(op(constant), [left]), shifted);
      }),
      { numRuns: 25 },
    ));

  it.each<[Shape, Shape]>([
    [[3], [3]],
    [[2, 3], [3]],
    [
      [1, 3],
      [2, 1],
    ],
    [[1], [2, 2]],
  ])("has the derivatives of %j and %j", async (a, b) => {
    await checkAround(op(), [a, b], exp());
    await checkAround(op({ shape: b, data: [...normals(5, b, Math.exp).data] }), [a]);
  });

  it("refuses what does not broadcast", () => {
    expect(() => op().shape([[3], [2]])).toThrow(`${name}: wanted shapes that broadcast, got [3] and [2]`);
    expect(() => op().shape([[3]])).toThrow(`${name}: wanted 2 inputs, got 1 inputs`);
    expect(() => op({ shape: [2], data: [1] })).toThrow(`${name}: wanted 2 numbers, got 1 numbers`);
  });
});

describe("where", () => {
  const mask = { shape: [2, 1, 3], data: [1, 0, 1, 0, 0, 1] };

  it("takes either value", async () => {
    const [a, b] = [normals(1, [N, 2, 3]), normals(2, [N, 3])];
    const chosen = tensor([N, 2, 2, 3], ([n, i, j, k]) =>
      mask.data[3 * i! + k!] ? at(a, [n!, j!, k!]) : at(b, [n!, k!]),
    );
    agrees(await valueOf(where(mask), [a, b]), chosen);
    const filled = tensor([N, 2, 2, 3], ([n, i, j, k]) =>
      mask.data[3 * i! + k!] ? at(a, [n!, j!, k!]) : -7,
    );
    agrees(await valueOf(where(mask, -7), [a]), filled);
    await checkAround(where(mask), [[2, 3], [3]]);
    await checkAround(where(mask, 2), [[2, 3]]);
  });
});

describe("matmul", () => {
  it.each<[Shape, Shape, Shape]>([
    [
      [2, 3],
      [3, 4],
      [2, 4],
    ],
    [
      [2, 2, 3],
      [3, 1],
      [2, 2, 1],
    ],
    [
      [1, 2, 3],
      [2, 3, 2],
      [2, 2, 2],
    ],
  ])("multiplies %j and %j", async (a, b, product) => {
    const [left, right] = [normals(1, [N, ...a]), normals(2, [N, ...b])];
    expect(matmul().shape([a, b])).toEqual(product);
    const whole = (shape: Shape): Shape => [
      N,
      ...Array.from({ length: 3 - shape.length }, () => 1),
      ...shape,
    ];
    const [l, r] = [
      { ...left, shape: whole(a) },
      { ...right, shape: whole(b) },
    ];
    const wanted = tensor([N, ...whole(product).slice(1)], ([n, m, i, j]) =>
      indicesOf([a.at(-1)!]).reduce((sum, [k]) => sum + at(l, [n!, m!, i!, k!]) * at(r, [n!, m!, k!, j!]), 0),
    );
    agrees(await valueOf(matmul(), [left, right]), wanted);
    await checkAround(matmul(), [a, b]);
  });

  it("refuses sizes that disagree and vectors", () => {
    expect(() =>
      matmul().shape([
        [2, 3],
        [2, 3],
      ]),
    ).toThrow("matmul: wanted [..., I, K] and [..., K, J], got [2, 3] and [2, 3]");
    expect(() => matmul().shape([[3], [3, 2]])).toThrow("got [3] and [3, 2]");
  });
});

describe.each([
  ["softmax", softmax, (share: number) => share],
  ["logSoftmax", logSoftmax, Math.log],
] as const)("%s", (name, op, of) => {
  it.each([-1, 0, 1])("is normalised along axis %i", async (axis) => {
    const given = normals(1, [N, 3, 2, 4], (u) => 3 * u);
    const own = axis === -1 ? 3 : axis + 1;
    const wanted = tensor(given.shape, (index) => {
      let total = 0;
      for (let i = 0; i < given.shape[own]!; i++) total += Math.exp(at(given, index.with(own, i)));
      return of(Math.exp(at(given, index)) / total);
    });
    agrees(await valueOf(op({ axis }), [given]), wanted);
    await checkAround(op({ axis }), [[2, 2, 3]]);
  });

  it("refuses an axis that is none", () => {
    expect(() => op({ axis: 2 }).shape([[2, 3]])).toThrow(`${name}: wanted an axis from -2 to 1, got 2`);
  });
});
