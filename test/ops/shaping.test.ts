/**
 * @file Ops that move numbers along the axes of a sample or reduce them: values against plain loops, ways back against differences.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matrix } from "../../src/linalg/matrix.ts";
import { sequence } from "../../src/network/layers.ts";
import { OPS } from "../../src/ops/index.ts";
import { sizeOf, type Op, type Shape } from "../../src/ops/op.ts";
import { checkJacobian } from "../support/differences.ts";
import { around, at, indicesOf, normals, tensor, valueOf, type Tensor } from "../support/tensors.ts";

const { concatenate, expand, gather, pad, reduceMax, reduceMean, reduceSum, slice, squeeze, unsqueeze } = OPS;

const N = 3;
const x = matrix(2, 3, normals(8, [2, 3]).data);

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

/** A shape and one of its axes, which may be given from the end. */
const shapeAndAxis = shapes.chain((shape) =>
  fc.record({
    shape: fc.constant<Shape>(shape),
    own: fc.nat(shape.length - 1),
    negative: fc.boolean(),
  }),
);

const axisFrom = (own: number, shape: Shape, negative: boolean): number =>
  negative ? own - shape.length : own;

/** Exact: nothing is computed but moved. */
const same = (got: ArrayLike<number>, wanted: Tensor): void =>
  expect(Array.from(got)).toEqual([...wanted.data]);

async function checkWays(op: Op, ...given: Shape[]): Promise<void> {
  for (const C of [1, 3]) await checkJacobian(around(op, given, C), x, 3);
}

describe("gather", () => {
  it("takes entries of any axis, as often as it is told", () =>
    fc.assert(
      fc.asyncProperty(
        shapeAndAxis,
        fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
        async ({ shape, own, negative }, draws) => {
          const size = shape[own]!;
          const indices = draws.map((draw) => (draw % (2 * size)) - size);
          const op = gather({ axis: axisFrom(own, shape, negative), indices });
          const given = normals(1, [N, ...shape]);
          const wanted = tensor([N, ...shape.with(own, indices.length)], (index) =>
            at(given, index.with(own + 1, (indices[index[own + 1]!]! + size) % size)),
          );
          expect(op.shape([shape])).toEqual(wanted.shape.slice(1));
          same(await valueOf(op, [given]), wanted);
        },
      ),
      { numRuns: 30 },
    ));

  it("takes one entry, without its axis", async () => {
    const given = normals(1, [N, 2, 3, 2]);
    const op = gather({ axis: 1, indices: -1 });
    expect(op.shape([[2, 3, 2]])).toEqual([2, 2]);
    same(
      await valueOf(op, [given]),
      tensor([N, 2, 2], ([n, i, k]) => at(given, [n!, i!, 2, k!])),
    );
    await checkWays(op, [2, 3, 2]);
    await checkWays(gather({ indices: 1 }), [3]);
  });

  it.each<[number, number[], Shape]>([
    [0, [2, 0], [3, 2]],
    [1, [0, 0, 1, 0], [2, 2]],
    [-1, [1, 2], [2, 4]],
    [1, [2, 1, 0], [2, 3, 2]],
  ])("adds up the cotangents along axis %i of entries %j", async (axis, indices, shape) => {
    await checkWays(gather({ axis, indices }), shape);
  });
});

describe("slice", () => {
  it("is NumPy's", () =>
    fc.assert(
      fc.asyncProperty(
        shapeAndAxis,
        fc.integer({ min: -5, max: 5 }),
        fc.option(fc.integer({ min: -5, max: 6 }), { nil: undefined }),
        fc.integer({ min: 1, max: 3 }),
        async ({ shape, own, negative }, start, end, step) => {
          const kept = Array.from({ length: shape[own]! }, (_, i) => i)
            .slice(start, end)
            .filter((_, i) => i % step === 0);
          const op = slice({
            axis: axisFrom(own, shape, negative),
            start,
            step,
            ...(end === undefined ? {} : { end }),
          });
          if (kept.length === 0) {
            expect(() => op.shape([shape])).toThrow(/^slice: wanted a part of/);
            return;
          }
          const given = normals(1, [N, ...shape]);
          const wanted = tensor([N, ...shape.with(own, kept.length)], (index) =>
            at(given, index.with(own + 1, kept[index[own + 1]!]!)),
          );
          expect(op.shape([shape])).toEqual(wanted.shape.slice(1));
          same(await valueOf(op, [given]), wanted);
        },
      ),
      { numRuns: 40 },
    ));

  it("has its way back", async () => {
    await checkWays(slice({ axis: 1, start: 1, end: 3 }), [2, 4]);
    await checkWays(slice({ axis: 0, step: 2 }), [4, 2]);
    await checkWays(slice({ start: 1 }), [4]);
  });
});

describe("concatenate", () => {
  it("joins values of different sizes along an axis", () =>
    fc.assert(
      fc.asyncProperty(
        shapeAndAxis,
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
        async ({ shape, own, negative }, sizes) => {
          const inputs = sizes.map((size, i) => normals(i, [N, ...shape.with(own, size)]));
          const owners = sizes.flatMap((size, i) => Array.from({ length: size }, (_, k) => [i, k] as const));
          const op = concatenate({ axis: axisFrom(own, shape, negative) });
          const wanted = tensor([N, ...shape.with(own, owners.length)], (index) => {
            const [i, k] = owners[index[own + 1]!]!;
            return at(inputs[i]!, index.with(own + 1, k));
          });
          expect(op.shape(inputs.map(({ shape }) => shape.slice(1)))).toEqual(wanted.shape.slice(1));
          same(await valueOf(op, inputs), wanted);
        },
      ),
      { numRuns: 30 },
    ));

  it("has its way back", async () => {
    await checkWays(concatenate(), [2, 1], [2, 3]);
    await checkWays(concatenate({ axis: 0 }), [2, 2], [1, 2], [3, 2]);
    await checkWays(concatenate(), [2], [3]);
  });
});

describe("pad, expand, squeeze and unsqueeze", () => {
  it("pad with a value", async () => {
    const given = normals(1, [N, 2, 3]);
    const op = pad({ before: [1, 0], after: [2, 1], value: 7 });
    const wanted = tensor([N, 5, 4], ([n, i, j]) =>
      i! >= 1 && i! < 3 && j! < 3 ? at(given, [n!, i! - 1, j!]) : 7,
    );
    same(await valueOf(op, [given]), wanted);
    await checkWays(op, [2, 3]);
    await checkWays(pad({ before: [1], after: [2] }), [3]);
  });

  it.each<[Shape, Shape]>([
    [
      [1, 3],
      [2, 3],
    ],
    [[3], [2, 3]],
    [
      [2, 1],
      [4, 2, 3],
    ],
    [[2, 3], [3]],
  ])("expand %j to %j", async (from, to) => {
    const given = normals(1, [N, ...from]);
    const op = expand(...to);
    const shape = op.shape([from]);
    const wanted = tensor([N, ...shape], ([n, ...index]) => {
      const rest = index.slice(shape.length - from.length).map((i, k) => (from[k] === 1 ? 0 : i));
      return at(given, [n!, ...rest]);
    });
    same(await valueOf(op, [given]), wanted);
    await checkWays(op, from);
  });

  it("move no number where an axis of size one comes or goes", async () => {
    const given = normals(1, [N, 1, 2, 1, 3]);
    for (const [op, shape] of [
      [squeeze(0, -2), [2, 3]],
      [squeeze(2), [1, 2, 3]],
      [unsqueeze(1), [1, 1, 2, 1, 3]],
      [unsqueeze(-1), [1, 2, 1, 3, 1]],
    ] as const) {
      expect(op.shape([given.shape.slice(1)])).toEqual(shape);
      same(await valueOf(op, [given]), given);
      await checkWays(op, [1, 2, 1, 3]);
    }
  });
});

describe.each([
  ["reduceSum", reduceSum, (own: number[]) => own.reduce((a, b) => a + b)],
  ["reduceMean", reduceMean, (own: number[]) => own.reduce((a, b) => a + b) / own.length],
  ["reduceMax", reduceMax, (own: number[]) => Math.max(...own)],
] as const)("%s", (_, op, formula) => {
  it("reduces any axes", () =>
    fc.assert(
      fc.asyncProperty(
        shapes,
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        fc.boolean(),
        async (shape, flags, keep) => {
          const axes = shape.flatMap((_, i) => (flags[i] ? [i - (i % 2 === 0 ? shape.length : 0)] : []));
          const reduced = shape.map((_, i) => flags[i]!);
          const kept = shape.map((size, i) => (reduced[i] ? 1 : size));
          const given = normals(1, [N, ...shape]);
          const wanted = tensor([N, ...kept], ([n, ...index]) =>
            formula(
              indicesOf(shape)
                .filter((own) => own.every((k, i) => reduced[i] || k === index[i]))
                .map((own) => at(given, [n!, ...own])),
            ),
          );
          const reduction = op({ axes, keep });
          expect(reduction.shape([shape])).toEqual(keep ? kept : shape.filter((_, i) => !reduced[i]));
          const got = await valueOf(reduction, [given]);
          for (const [i, value] of wanted.data.entries()) expect(got[i]).toBeCloseTo(value, 12);
        },
      ),
      { numRuns: 25 },
    ));

  it.each<[number[] | undefined, Shape, boolean]>([
    [[0], [3, 2], false],
    [[-1], [3, 2], true],
    [[0, 2], [2, 2, 3], false],
    [undefined, [2, 3], true],
    [[], [2], false],
    [undefined, [4], true],
  ])("has its way back along axes %j of %j", async (axes, shape, keep) => {
    await checkWays(op({ keep, ...(axes ? { axes } : {}) }), shape);
  });

  it("gives one number per sample where nothing is said", async () => {
    expect(op().shape([[2, 3]])).toEqual([]);
    expect(sizeOf(op().shape([[2, 3]]))).toBe(1);
    await checkJacobian(around(op(), [[2, 3]], 2), x, 3);
  });
});

describe("the maximum of equal values", () => {
  it("parts its derivative among them", async () => {
    // The three are one value: its derivative is whole again.
    const three = sequence(expand(3, 2), reduceMax({ axes: [0] }));
    for (const C of [1, 3]) await checkJacobian(around(three, [[1, 2]], C), x, 3);
  });
});
