/**
 * @file Convolutions: their values against plain loops, their Jacobians and way back against differences, and where they must be
 * something else: a dense layer, a layer at each position, a map that shifts with its input.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGraph } from "../../src/engine/graph.ts";
import { serial } from "../../src/network/layers.ts";
import { OPS } from "../../src/ops/index.ts";
import type { Op, Shape } from "../../src/ops/op.ts";
import { positionClasses } from "../../src/ops/places.ts";
import { readWindows } from "../../src/ops/windows.ts";
import { randomState } from "../../src/random/random-state.ts";
import { checkJacobianAlong } from "../support/differences.ts";
import { plainConv, type Geometry } from "../support/plain-windows.ts";
import { float64Engine, relativeError, samplesFor } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const { conv, dense, flatten, relu, reshape } = OPS;

const variances = { weightVariance: 1.7, biasVariance: 0.3 };

/** The value of an op on samples of a shape. */
async function valueOf(op: Op, shape: Shape, x: Float64Array, theta: Float64Array): Promise<Float64Array> {
  const engine = await float64Engine();
  const g = createGraph("float64");
  const block = op.block!([shape]);
  const weights = { base: g.input("theta", [block.fanOut, block.columns]) };
  const given = { inputs: [g.input("x", ["N", ...shape])], shapes: [shape], weights };
  g.output("y", op.forward(g, given).output, ["N", ...op.shape([shape])]);
  const program = await engine.compile(g);
  const size = shape.reduce((a, b) => a * b, 1);
  const { y } = await program.run(
    {
      x: engine.tensor(x, [x.length / size, ...shape]),
      theta: engine.tensor(theta, [block.fanOut, block.columns]),
    },
    { y: null },
  );
  await program.release();
  return y!.data as Float64Array;
}

const pair = (max: number) =>
  fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max })) as fc.Arbitrary<[number, number]>;
const edge = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }));

/** A convolution and what it is applied to. */
const convolution = fc
  .record({
    axes: fc.constantFrom(1, 2),
    kernel: pair(3),
    stride: pair(3),
    dilation: pair(2),
    padding: fc.oneof(fc.constantFrom("same", "valid", "circular"), fc.tuple(edge, edge)) as fc.Arbitrary<
      Geometry["padding"]
    >,
    extra: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    groups: fc.constantFrom(1, 1, 2, 3),
    perGroup: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    bias: fc.boolean(),
    seed: fc.integer({ min: 0, max: 1e6 }),
  })
  .map(({ axes, kernel, stride, dilation, padding, extra, groups, perGroup, bias, seed }) => {
    // Sizes that the window fits into; a sequence is an image of height 1.
    const span = kernel.map((k, a) => (k - 1) * dilation[a]! + 1);
    const image: [number, number] = [span[0]! + extra[0], span[1]! + extra[1]];
    const flat = axes === 1;
    const geometry: Geometry = flat
      ? {
          kernel: [1, kernel[1]],
          stride: [1, stride[1]],
          dilation: [1, dilation[1]],
          padding: typeof padding === "string" ? padding : [[0, 0], padding[1]],
        }
      : { kernel, stride, dilation, padding };
    const only = <T>(both: readonly [T, T]): T[] => (flat ? [both[1]] : [...both]);
    const channels = groups * perGroup[1];
    const op = conv(channels, only(geometry.kernel), {
      stride: only(geometry.stride),
      dilation: only(geometry.dilation),
      padding: typeof geometry.padding === "string" ? geometry.padding : only(geometry.padding),
      groups,
      weightVariance: 1.7,
      biasVariance: bias ? 0.3 : 0,
    });
    const shape: Shape = [...(flat ? [image[1]] : image), groups * perGroup[0]];
    return { op, shape, image, flat, geometry, channels, groups, bias, seed };
  });

describe("a convolution", () => {
  it("has the values of plain loops", async () => {
    await fc.assert(
      fc.asyncProperty(
        convolution,
        async ({ op, shape, image, flat, geometry, channels, groups, bias, seed }) => {
          const { normalsInto } = randomState(seed);
          const { columns, fanIn } = op.block!([shape]);
          const theta = normalsInto(new Float64Array(channels * columns));
          const size = shape.reduce((a, b) => a * b, 1);
          const x = normalsInto(new Float64Array(2 * size));
          const whole: [number, number, number] = [flat ? 1 : image[0], image[1], shape.at(-1)!];
          const wanted = [0, 1].flatMap((n) =>
            plainConv({ shape: whole, data: x.subarray(n * size, (n + 1) * size) }, geometry, theta, {
              channels,
              groups,
              weight: Math.sqrt(1.7 / fanIn),
              bias: bias ? Math.sqrt(0.3) : 0,
            }),
          );
          expect(relativeError(await valueOf(op, shape, x, theta), wanted)).toBeLessThan(TOLERANCE.twin);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([1, 3])("has the Jacobian and the way back that differences of %i outputs give", async (C) => {
    await fc.assert(
      fc.asyncProperty(convolution, async ({ op, shape, seed }) => {
        const before = shape.reduce((a, b) => a * b, 1);
        const network = serial(2, dense(before, variances), reshape(...shape), op, flatten(), dense(C));
        await checkJacobianAlong(network, samplesFor(network, seed), seed);
      }),
      { numRuns: 25 },
    );
  });

  it("has the Jacobian of a deep network", async () => {
    const network = serial(
      [6, 6, 2],
      conv(4, 3, { ...variances, padding: "same" }),
      relu(),
      conv(6, [3, 2], { ...variances, stride: 2, padding: "circular", groups: 2 }),
      relu(),
      conv(3, 3, variances),
      flatten(),
      dense(3, variances),
    );
    expect(network.shapes).toEqual([
      [6, 6, 2],
      [6, 6, 4],
      [6, 6, 4],
      [3, 3, 6],
      [3, 3, 6],
      [1, 1, 3],
      [3],
      [3],
    ]);
    await checkJacobianAlong(network, samplesFor(network, 3), 3);
  });

  it("takes images of many pixels", async () => {
    const { normalsInto } = randomState(7);
    const shape: [number, number, number] = [160, 160, 1];
    const theta = normalsInto(new Float64Array(25));
    const x = normalsInto(new Float64Array(160 * 160));
    const geometry: Geometry = { kernel: [5, 5], stride: [1, 1], dilation: [1, 1], padding: "same" };
    const scales = { channels: 1, groups: 1, weight: Math.sqrt(2 / 25), bias: 0 };
    const wanted = plainConv({ shape, data: x }, geometry, theta, scales);
    const value = await valueOf(conv(1, 5, { padding: "same" }), shape, x, theta);
    expect(relativeError(value, wanted)).toBeLessThan(TOLERANCE.twin);
  });

  it("has derivatives of zero where its windows hold padding alone", async () => {
    const op = conv(2, 1, { ...variances, stride: 2, padding: [[1, 0]] });
    const network = serial(2, dense(2, variances), reshape(1, 2), op, flatten(), dense(1));
    await checkJacobianAlong(network, samplesFor(network, 6), 6);
  });

  it("is a dense layer where its kernel covers the whole image", async () => {
    const { normalsInto } = randomState(8);
    const theta = normalsInto(new Float64Array(5 * 25));
    const x = normalsInto(new Float64Array(3 * 24));
    const op = conv(5, [3, 4], variances);
    expect(op.block!([[3, 4, 2]])).toEqual({
      ...dense(5, variances).block!([[24]]),
      positions: 1,
      form: "outer",
    });
    const wanted = await valueOf(dense(5, variances), [24], x, theta);
    expect([...(await valueOf(op, [3, 4, 2], x, theta))]).toEqual([...wanted]);
  });

  it("of size 1 is a dense layer at each position", async () => {
    const { normalsInto } = randomState(9);
    const theta = normalsInto(new Float64Array(5 * 4));
    const x = normalsInto(new Float64Array(2 * 6 * 3));
    const wanted = await valueOf(dense(5, variances), [3], x, theta);
    const image = await valueOf(conv(5, 1, variances), [2, 3, 3], x, theta);
    expect(relativeError(image, wanted)).toBeLessThan(TOLERANCE.twin);
  });

  it("with circular padding shifts with its input", async () => {
    const [H, W, C] = [4, 5, 2];
    const { normalsInto } = randomState(10);
    const op = conv(3, 3, { ...variances, padding: "circular" });
    const theta = normalsInto(new Float64Array(3 * 19));
    const x = normalsInto(new Float64Array(H * W * C));
    const shift = (data: Float64Array, channels: number) =>
      data.map((_, at) => {
        const [k, pixel] = [at % channels, Math.floor(at / channels)];
        const [i, j] = [(Math.floor(pixel / W) + 1) % H, ((pixel % W) + 3) % W];
        return data[(i * W + j) * channels + k]!;
      });
    const plain = await valueOf(op, [H, W, C], x, theta);
    const shifted = await valueOf(op, [H, W, C], shift(x, C), theta);
    expect(relativeError(shifted, shift(plain, 3))).toBeLessThan(TOLERANCE.twin);
  });

  it("is scaled by its fan-in, which is that of a group", () => {
    const { fanIn, columns, fanOut, scales, positions, form } = conv(8, 3, { groups: 2, biasVariance: 1 })
      .block!([[9, 9, 6]]);
    expect({ fanIn, columns, fanOut, positions, form }).toEqual({
      fanIn: 27,
      columns: 28,
      fanOut: 8,
      positions: 49,
      form: "rows",
    });
    expect(scales.weight).toBe(Math.sqrt(2) / Math.sqrt(27));
  });

  it.each([
    ["no channels", () => conv(0, 3), "conv: channels: wanted a whole number >= 1, got 0"],
    ["half a kernel", () => conv(4, 1.5), "conv: size: wanted a whole number >= 1, got 1.5"],
    ["no stride", () => conv(4, 3, { stride: 0 }), "conv: stride: wanted a whole number >= 1, got 0"],
    [
      "negative padding",
      () => conv(4, 3, { padding: [[-1, 0]] }),
      "conv: padding: wanted a whole number >= 0, got -1",
    ],
    [
      "an unknown padding",
      () => conv(4, 3, { padding: "full" as "same" }),
      'conv: padding: wanted one of same, valid, circular or pairs, got "full"',
    ],
    [
      "channels that groups do not divide",
      () => conv(4, 3, { groups: 3 }),
      "conv: wanted channels in 3 equal groups, got 4",
    ],
    [
      "a variance that is none",
      () => conv(4, 3, { weightVariance: 0 }),
      "weightVariance: wanted a positive number, got 0",
    ],
    [
      "input channels that groups do not divide",
      () => conv(4, 3, { groups: 2 }).shape([[8, 8, 3]]),
      "conv(4, 3): wanted input channels in 2 equal groups, got 3",
    ],
    [
      "an image that is too small",
      () => conv(4, 3, { dilation: 2 }).shape([[8, 4, 3]]),
      "conv: wanted 5 positions or more on an axis, got 4",
    ],
    [
      "values without positions",
      () => conv(4, 3).shape([[8]]),
      "conv: wanted values [length, channels] or [height, width, channels], got values with one axis",
    ],
    [
      "two sizes on a sequence",
      () => conv(4, [3, 3]).shape([[8, 2]]),
      "conv: size: wanted one for each of 1 axes, got one for each of 2 axes",
    ],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe("the way back of a convolution", () => {
  it.each([
    ["one class for stride 1", [8, 8], { padding: "same" as const }, 1],
    ["one for each phase of a stride", [8, 8], { stride: 2, padding: "same" as const }, 4],
    [
      "one for all phases of a stride and a dilation that are the same",
      [9, 9],
      { stride: 2, dilation: 2 },
      1,
    ],
    ["one that wraps", [6, 6], { padding: "circular" as const }, 1],
    ["as many as pixels where the kernel is the image", [3, 3], {}, 9],
  ])("has positions in %s", (_, image, options, count) => {
    const windows = readWindows("conv", 3, options)([...image, 1]);
    const classes = positionClasses(windows);
    expect(classes).toHaveLength(count);
    // Each place that is not padding stands once in one of them.
    const places = classes.flatMap(({ offsets, pixels, windows: held }) =>
      held.flatMap((window, i) => {
        const at = window * 9 + offsets[i % offsets.length]!;
        if (window >= 0) expect(windows.sources[at]).toBe(pixels[Math.floor(i / offsets.length)]);
        return window < 0 ? [] : [at];
      }),
    );
    const wanted = windows.sources.flatMap((source, at) => (source < 0 ? [] : [at]));
    expect(places.toSorted((a, b) => a - b)).toEqual(wanted);
  });
});
