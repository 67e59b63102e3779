/** @file `randomState` against NumPy itself (fixtures/random/legacy_normals.py) and against its plain twin. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { array, assert, boolean, integer, property, record } from "fast-check";
import { expect, test } from "vitest";

import { buildWasm, targetOf } from "../../scripts/build-wasm.ts";
import { randomState } from "../../src/random/random-state.ts";
import { plainRandomState } from "./plain-random-state.ts";

type Fixture = {
  streams: Record<string, number[]>;
  calls: { size: number; first: number; last: number }[];
  long: { seed: number; size: number; sum: number; sumOfSquares: number; sha256OfFloat32: string };
};
const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/random/legacy_normals.json", import.meta.url), "utf8"),
) as Fixture;

/** Relative; logarithms of another libm move a float64 normal by a unit or two in the last place (2^-52). */
const FLOAT64 = 4 * 2 ** -52;

const expectNear = (got: number, wanted: number) =>
  expect(Math.abs(got - wanted), `${got} for ${wanted}`).toBeLessThanOrEqual(FLOAT64 * Math.abs(wanted));

test.each(Object.entries(fixture.streams))("seed %s draws NumPy's first 50 normals", (seed, wanted) => {
  const float32 = randomState(Number(seed)).normalsInto(new Float32Array(50));
  expect(float32).toEqual(Float32Array.from(wanted));
  const float64 = randomState(Number(seed)).normalsInto(new Float64Array(50));
  for (const [i, value] of wanted.entries()) expectNear(float64[i]!, value);
});

test.each([Float32Array, Float64Array])("calls of odd sizes continue NumPy's stream (%o)", (Floats) => {
  const { normalsInto } = randomState(7);
  const round = Floats === Float32Array ? Math.fround : (x: number) => x;
  for (const { size, first, last } of fixture.calls) {
    const out = normalsInto(new Floats(size));
    expectNear(out[0]!, round(first));
    expectNear(out[size - 1]!, round(last));
  }
});

test("five million float32 normals equal NumPy's bit for bit", () => {
  const { seed, size, sum, sumOfSquares, sha256OfFloat32 } = fixture.long;
  const normals = randomState(seed).normalsInto(new Float32Array(size));
  expect(normals.reduce((total, x) => total + x, 0)).toBeCloseTo(sum, 5);
  expect(normals.reduce((total, x) => total + x * x, 0)).toBeCloseTo(sumOfSquares, 5);
  expect(createHash("sha256").update(normals).digest("hex")).toBe(sha256OfFloat32);
});

test("any split of a stream into calls, of either precision, draws what the plain twin draws", () => {
  const call = record({ size: integer({ min: 0, max: 7000 }), float32: boolean() });
  assert(
    property(integer({ min: 0, max: 2 ** 32 - 1 }), array(call, { maxLength: 5 }), (seed, calls) => {
      const { normalsInto } = randomState(seed);
      const plain = plainRandomState(seed);
      for (const { size, float32 } of calls) {
        const out = normalsInto(float32 ? new Float32Array(size) : new Float64Array(size));
        for (const got of out) {
          const wanted = plain();
          if (float32) expect(got).toBe(Math.fround(wanted));
          else expectNear(got, wanted);
        }
      }
    }),
    { numRuns: 20 },
  );
});

test("two streams do not disturb each other", () => {
  const [a, b] = [randomState(1), randomState(2)];
  a.normalsInto(new Float32Array(3));
  b.normalsInto(new Float32Array(10_001));
  const whole = randomState(1).normalsInto(new Float32Array(10));
  expect(a.normalsInto(new Float32Array(7))).toEqual(whole.slice(3));
});

test.each([-1, 2 ** 32, 0.5, Number.NaN])("seed %d is an error that names it", (seed) => {
  expect(() => randomState(seed)).toThrow(
    `randomState: wanted an integer seed in 0..4294967295, got ${seed}`,
  );
});

test("the committed WebAssembly is a fresh build, under the 4 KB that browsers compile synchronously", async () => {
  const module = { folder: "src/random", name: "normals" };
  const fresh = await buildWasm(module);
  expect(readFileSync(new URL(`../../${targetOf(module)}`, import.meta.url), "utf8")).toBe(fresh);
  expect(Number(/(\d+) bytes/.exec(fresh)?.[1])).toBeLessThan(4096);
});
