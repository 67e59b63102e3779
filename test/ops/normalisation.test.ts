/**
 * @file Normalisations: values against plain loops, Jacobians of gains, shifts and what comes before them against differences.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createWeights } from "../../src/jacobian/weights.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { initialise, PRNGS } from "../../src/network/initialise.ts";
import { serial } from "../../src/network/layers.ts";
import { OPS } from "../../src/ops/index.ts";
import type { Op, Shape } from "../../src/ops/op.ts";
import { checkJacobian } from "../support/differences.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { around, at, indicesOf, normals, tensor, valueOf, type Tensor } from "../support/tensors.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const { batchNorm, dense, groupNorm, instanceNorm, layerNorm, relu, rmsNorm } = OPS;

const x = matrix(2, 3, normals(8, [2, 3]).data);

/** The mean of a function over the indices that one index shares its statistics with. */
function meanOver(
  shape: Shape,
  shares: (other: number[]) => boolean,
  of: (index: number[]) => number,
): number {
  const own = indicesOf(shape).filter(shares);
  return own.reduce((sum, index) => sum + of(index), 0) / own.length;
}

/** What a normalisation gives on one value of samples [N, ...shape]; `key`: indices of one key share their statistics. */
function twin(given: Tensor, key: (index: readonly number[]) => string, centred = true): Tensor {
  return tensor(given.shape, (index) => {
    const shares = (other: number[]): boolean => key(other) === key(index);
    const mean = centred ? meanOver(given.shape, shares, (i) => at(given, i)) : 0;
    const variance = meanOver(given.shape, shares, (i) => (at(given, i) - mean) ** 2);
    return (at(given, index) - mean) / Math.sqrt(variance + 1e-5);
  });
}

/** Gains and shifts of the last axes of a tensor, theta [O, 2]. */
const affine = (n: Tensor, theta: Tensor, axes: number): Tensor =>
  tensor(n.shape, (index) => {
    const o = n.shape.slice(-axes).reduce((place, size, i) => place * size + index.at(i - axes)!, 0);
    return at(n, index) * at(theta, [o, 0]) + (theta.shape[1] === 2 ? at(theta, [o, 1]) : 0);
  });

const agrees = (got: ArrayLike<number>, wanted: Tensor): void =>
  expect(relativeError(got, wanted.data)).toBeLessThan(TOLERANCE.twin);

/** The first axes, of samples and positions. */
const first = (index: readonly number[], count: number): string => index.slice(0, count).join();

describe.each<
  [string, () => Op, Shape, number, (index: readonly number[]) => string, Partial<Record<"rms", true>>?]
>([
  ["layerNorm", () => layerNorm(), [3, 4], 1, (i) => first(i, 2)],
  ["layerNorm over two axes", () => layerNorm({ axes: 2 }), [2, 2, 3], 2, (i) => first(i, 2)],
  ["rmsNorm", () => rmsNorm(), [3, 4], 1, (i) => first(i, 2), { rms: true }],
  ["groupNorm", () => groupNorm(2), [2, 2, 4], 1, (i) => `${i[0]} ${Math.floor(i.at(-1)! / 2)}`],
  ["groupNorm of one axis", () => groupNorm(2), [6], 1, (i) => `${i[0]} ${Math.floor(i.at(-1)! / 3)}`],
  ["instanceNorm", () => instanceNorm(), [2, 2, 3], 1, (i) => `${i[0]} ${i.at(-1)}`],
])("%s", (_, op, shape, own, key, { rms = false } = {}) => {
  it("has mean 0 and variance 1 where it says so", async () => {
    const given = normals(1, [2, ...shape], (u) => 3 * u + 1);
    const O = shape.slice(-own).reduce((a, b) => a * b);
    const theta = normals(2, [O, rms ? 1 : 2]);
    agrees(await valueOf(op(), [given], theta.data), affine(twin(given, key, !rms), theta, own));
  });

  it.each([1, 3])("has the derivatives of its %i outputs", async (C) => {
    await checkJacobian(around(op(), [shape], C), x, 3);
  });
});

describe("normalisations", () => {
  it("may have gains or shifts alone, or none", async () => {
    const given = normals(1, [2, 3, 4]);
    const plain = twin(given, (i) => first(i, 2));
    agrees(await valueOf(layerNorm({ gain: false, shift: false }), [given]), plain);
    expect(layerNorm({ gain: false, shift: false }).block).toBeUndefined();
    for (const options of [{ gain: false }, { shift: false }, { gain: false, shift: false }]) {
      await checkJacobian(around(layerNorm(options), [[2, 3]], 2), x, 3);
      await checkJacobian(around(groupNorm(2, options), [[2, 4]], 1), x, 3);
    }
  });

  it("layerNorm does not see the scale and mean of what comes in", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 1, maxLength: 3 }),
        fc.double({ min: 0.5, max: 20 }),
        fc.double({ min: -5, max: 5 }),
        async (shape, scale, mean) => {
          const op = layerNorm({ gain: false, shift: false, epsilon: 0 });
          const given = normals(1, [2, ...shape]);
          const moved = { ...given, data: given.data.map((u) => scale * u + mean) };
          const [a, b] = [await valueOf(op, [given]), await valueOf(op, [moved])];
          expect(relativeError(b, a)).toBeLessThan(TOLERANCE.twin);
        },
      ),
      { numRuns: 20 },
    ));

  it("batchNorm is affine in inference", async () => {
    const [mean, variance] = [normals(4, [3]).data, normals(5, [3], Math.exp).data];
    const op = batchNorm({ mean, variance });
    const [given, theta] = [normals(1, [2, 2, 2, 3]), normals(2, [3, 2])];
    const n = tensor(given.shape, (index) => {
      const channel = index.at(-1)!;
      return (at(given, index) - mean[channel]!) / Math.sqrt(variance[channel]! + 1e-5);
    });
    agrees(await valueOf(op, [given], theta.data), affine(n, theta, 1));
    for (const C of [1, 3]) await checkJacobian(around(op, [[2, 2, 3]], C), x, 3);
  });

  it("refuse values that they cannot divide", () => {
    expect(() => groupNorm(2).shape([[4, 3]])).toThrow(
      "groupNorm(2): wanted channels in 2 equal groups, got 3 channels",
    );
    expect(() => layerNorm({ axes: 2 }).shape([[3]])).toThrow("wanted values with 2 axes or more, got 1");
    expect(() => batchNorm({ mean: [0], variance: [1] }).shape([[2]])).toThrow(
      "batchNorm: wanted values [..., 1], got [2]",
    );
  });

  it.each(PRNGS)("start with gains 1 and shifts 0, and leave the draws of %s as they are", async (prng) => {
    const engine = await float64Engine();
    const [a, b] = [dense(4, { biasVariance: 1 }), dense(2)];
    const [wa, norm, wb] = initialise(engine, serial(3, a, layerNorm(), relu(), b), 7, prng);
    expect([...norm!]).toEqual([1, 0, 1, 0, 1, 0, 1, 0]);
    expect([wa, wb]).toEqual(initialise(engine, serial(3, a, relu(), b), 7, prng));
  });

  it("are linearised together with a chunked batch", async () => {
    const engine = await float64Engine();
    const network = around(layerNorm(), [[2, 3]], 2);
    const linearizer = await createLinearizer(engine, network);
    const weights = createWeights(network, initialise(engine, network, 1));
    const many = matrix(5, 3, normals(9, [5, 3]).data);
    const rows = async (tile: number) =>
      (await linearizer.linearize(weights, many, 3, { tile })).layers.map(({ signals }) => [...signals.data]);
    expect(await rows(2)).toEqual(await rows(10));
  });
});
