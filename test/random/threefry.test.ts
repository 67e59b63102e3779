/** @file JAX's generator and Neural Tangents' initial draws against JAX itself (fixtures/random/threefry.py). */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { staxDenseInit, staxDenseKeys } from "../../src/random/stax-init.ts";
import { normalInto, uniformInto } from "../../src/random/threefry-normal.ts";
import { bitsInto, prngKey, split, threefry2x32 } from "../../src/random/threefry.ts";

type Draws = {
  seed: number;
  key: number[];
  split: number[];
  bits: number[];
  uniform: number[];
  uniformMinus3To5: number[];
  normal: number[];
  network: { weights: number[]; bias: number[] }[];
};
type Fixture = {
  sizes: number[];
  layouts: {
    partitionable: boolean;
    draws: Draws[];
    long: { seed: number; size: number; sha256: string };
  }[];
};
const { sizes, layouts } = JSON.parse(
  readFileSync(new URL("../fixtures/random/threefry.json", import.meta.url), "utf8"),
) as Fixture;

const bitsOf = (x: Float32Array): number[] => [...new Uint32Array(x.buffer)];

describe.each(layouts)("with jax_threefry_partitionable=$partitionable", ({ partitionable, draws, long }) => {
  const layout = { partitionable };

  test.each(draws)("seed $seed draws JAX's keys and bits", ({ seed, ...wanted }) => {
    const key = prngKey(seed);
    expect(key).toEqual(wanted.key);
    expect(split(key, 5, layout).flat()).toEqual(wanted.split);
    expect([...bitsInto(key, new Uint32Array(7), layout)]).toEqual(wanted.bits);
  });

  test.each(draws)("seed $seed draws JAX's uniforms and normals, bit for bit", ({ seed, ...wanted }) => {
    const key = prngKey(seed);
    expect(bitsOf(uniformInto(key, new Float32Array(6), layout))).toEqual(wanted.uniform);
    const wide = uniformInto(key, new Float32Array(6), { minimum: -3, maximum: 5, ...layout });
    expect(bitsOf(wide)).toEqual(wanted.uniformMinus3To5);
    expect(bitsOf(normalInto(key, new Float32Array(25), layout))).toEqual(wanted.normal);
  });

  test("a million normals equal JAX's bit for bit", () => {
    const normals = normalInto(prngKey(long.seed), new Float32Array(long.size), layout);
    expect(createHash("sha256").update(normals).digest("hex")).toBe(long.sha256);
  });

  test.each(draws)("seed $seed initialises a ReLU network as stax.serial does", ({ seed, network }) => {
    const layers = staxDenseInit(seed, sizes, layout);
    const got = layers.map(({ weights, bias }) => ({ weights: bitsOf(weights), bias: bitsOf(bias) }));
    expect(got).toEqual(network);
  });
});

const hash = (key: [number, number], x: number, y: number) => {
  const [a, b] = [Uint32Array.of(x), Uint32Array.of(y)];
  threefry2x32(key, a, b);
  return [a[0], b[0]];
};

test("the hash has the known answers of Random123 (kat_vectors, threefry2x32, 20 rounds)", () => {
  expect(hash([0, 0], 0, 0)).toEqual([0x6b200159, 0x99ba4efe]);
  expect(hash([0xffffffff, 0xffffffff], 0xffffffff, 0xffffffff)).toEqual([0x1cb996fc, 0xbb002be7]);
  expect(hash([0x13198a2e, 0x03707344], 0x243f6a88, 0x85a308d3)).toEqual([0xc4923a9c, 0x483df7a0]);
});

test("a part of a partitionable array is drawn as in the whole, whatever the array's length", () => {
  const key = prngKey(3);
  const whole = bitsInto(key, new Uint32Array(10_000));
  expect(bitsInto(key, new Uint32Array(4097))).toEqual(whole.slice(0, 4097));
});

test("normals fill a view without touching its neighbours", () => {
  const buffer = new Float32Array(12);
  normalInto(prngKey(0), buffer.subarray(3, 8));
  expect(buffer.subarray(3, 8)).toEqual(normalInto(prngKey(0), new Float32Array(5)));
  expect([...buffer.subarray(0, 3), ...buffer.subarray(8)]).toEqual(Array.from({ length: 7 }, () => 0));
});

test("two layers between Denses take two splits", () => {
  const [, second] = staxDenseKeys(prngKey(0), 2, { between: 2 });
  expect(second).toEqual(staxDenseKeys(prngKey(0), 4, { between: 0 })[3]);
});

test("wrong seeds and sizes are errors that name them", () => {
  expect(() => prngKey(-1)).toThrow("prngKey: wanted an integer seed in 0..4294967295, got -1");
  expect(() => staxDenseInit(0, [3, 0])).toThrow(
    "staxDenseInit: wanted two or more positive integer sizes, got [3, 0]",
  );
});
