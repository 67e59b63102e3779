/** @file Rules of infinite width on tiles: the WebAssembly against plain float64 loops and `Math.acos`. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildWasm, targetOf } from "../../scripts/build-wasm.ts";
import { dualMaps } from "../../src/ops/activation.ts";
import { RELU } from "../../src/ops/relu.ts";
import { createWorkspace, type Tile } from "../../src/ops/tile.ts";

/** Of E[phi phi'] / sqrt(p q) and of E[phi-dot phi-dot']: a few units in the last place of numbers up to a half. */
const ROUNDING = 8 * 2 ** -53;

type Numbers = { cov: number[]; var1: number[]; var2: number[]; tangent?: number[] };

/** A tile of these numbers in a workspace of its own. */
function tileOf({ cov, var1, var2, tangent }: Numbers): Tile {
  const workspace = createWorkspace([cov.length, cov.length, var1.length, var2.length]);
  const given = (numbers: number[]): Float64Array => {
    const array = workspace.floats(numbers.length);
    array.set(numbers);
    return array;
  };
  return {
    workspace,
    rows: var1.length,
    cols: var2.length,
    cov: given(cov),
    tangent: tangent && given(tangent),
    var1: given(var1),
    var2: given(var2),
  };
}

/** Correlations, most of them at or next to the ends. */
const correlation = fc.oneof(
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.constantFrom(-1, 1, 0, -0, 1 + 2 ** -52, -1 - 2 ** -52, 1 - 2 ** -53, 0.5, -0.5),
  fc.integer({ min: 1, max: 45 }).map((e) => 1 - 2 ** -e),
  fc.integer({ min: 1, max: 45 }).map((e) => 2 ** -e - 1),
);
const variance = fc.oneof(
  fc.double({ min: 0.1, max: 10, noNaN: true }),
  fc.constantFrom(0, 1, 1e-300, 1e-150, 1e150, 1e300),
);

const numbers = fc
  .record({ rows: fc.integer({ min: 1, max: 4 }), cols: fc.integer({ min: 1, max: 9 }) })
  .chain(({ rows, cols }) =>
    fc.record({
      correlations: fc.array(correlation, { minLength: rows * cols, maxLength: rows * cols }),
      var1: fc.array(variance, { minLength: rows, maxLength: rows }),
      var2: fc.array(variance, { minLength: cols, maxLength: cols }),
    }),
  )
  .map(({ correlations, var1, var2 }) => ({
    var1,
    var2,
    norms: correlations.map(
      (_, at) => Math.sqrt(var1[Math.floor(at / var2.length)]!) * Math.sqrt(var2[at % var2.length]!),
    ),
    correlations,
  }));

describe("the maps of ReLU", () => {
  it("are those of Math.acos, for inputs of any norm, parallel, opposite and zero ones among them", () => {
    fc.assert(
      fc.property(numbers, ({ correlations, var1, var2, norms }) => {
        const cov = correlations.map((c, at) => c * norms[at]!);
        const tangent = cov.map((_, at) => 1 + at / 7);
        const [fast, plain] = [tileOf({ cov, var1, var2, tangent }), tileOf({ cov, var1, var2, tangent })];
        fast.workspace.relu(fast);
        dualMaps(RELU, plain);
        for (const [at, norm] of norms.entries()) {
          // A correlation is known to one rounding e; arccos makes e / sin t of it, at most sqrt(2 e) next to the ends.
          const sine = Math.sqrt(Math.max(0, 1 - correlations[at]! ** 2));
          const angle = sine < 1e-7 ? 1e-7 : (4 * 2 ** -53) / sine;
          const value = Math.abs(fast.cov[at]! - plain.cov[at]!);
          expect(value, `${correlations[at]}`).toBeLessThanOrEqual(ROUNDING * norm);
          const slope = Math.abs(fast.tangent![at]! - plain.tangent![at]!) / tangent[at]!;
          expect(slope, `${correlations[at]}`).toBeLessThanOrEqual(ROUNDING + angle);
        }
      }),
    );
  });

  it("are exact where samples are parallel, opposite or zero", () => {
    const tile = tileOf({ cov: [4, -4, 0], var1: [4], var2: [4, 4, 0], tangent: [1, 1, 1] });
    tile.workspace.relu(tile);
    expect([...tile.cov]).toEqual([2, 0, 0]);
    expect([...tile.tangent!]).toEqual([0.5, 0, 0]);
  });

  it("have no angle for correlations that rounding keeps from one", () => {
    const tile = tileOf({
      cov: [1 - 3e-15, 3e-15 - 1, 1 + 1e-14],
      var1: [1],
      var2: [1, 1, 1],
      tangent: [1, 1, 1],
    });
    tile.workspace.relu(tile);
    expect([...tile.tangent!]).toEqual([0.5, 0, 0.5]);
    expect([...tile.cov]).toEqual([0.5, 0, 0.5]);
  });

  it("leave the same covariances without a tangent, for more columns than are kept at a time", () => {
    const [rows, cols] = [3, 2051];
    const cov = Array.from({ length: rows * cols }, (_, at) => Math.cos(at));
    const var1 = Array.from({ length: rows }, () => 1);
    const var2 = Array.from({ length: cols }, (_, j) => 1 + (j % 3));
    const [alone, both, plain] = [
      tileOf({ cov, var1, var2 }),
      tileOf({ cov, var1, var2, tangent: cov }),
      tileOf({ cov, var1, var2, tangent: cov }),
    ];
    alone.workspace.relu(alone);
    both.workspace.relu(both);
    dualMaps(RELU, plain);
    expect(alone.cov).toEqual(both.cov);
    for (const [at, wanted] of plain.cov.entries()) {
      expect(Math.abs(both.cov[at]! - wanted)).toBeLessThan(1e-15);
      expect(Math.abs(both.tangent![at]! - plain.tangent![at]!)).toBeLessThan(1e-15);
    }
  });
});

describe("a workspace", () => {
  it("adds the Gram of a weight layer to the tangent", () => {
    const rule = { kind: "weights", gain: 3, offset: 0.5, gramGain: 2, gramOffset: 1 } as const;
    const tile = tileOf({ cov: [1, 2, 3], var1: [1], var2: [1, 1, 1], tangent: [10, 20, 30] });
    tile.workspace.weights(rule, tile);
    expect([...tile.cov]).toEqual([3.5, 6.5, 9.5]);
    expect([...tile.tangent!]).toEqual([33, 65, 97]);
    tile.workspace.weights(rule, { ...tile, tangent: undefined });
    expect([...tile.cov]).toEqual([11, 20, 29]);
  });

  it("transposes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (rows, cols) => {
        const workspace = createWorkspace([rows * cols, rows * cols]);
        const [from, to] = [workspace.floats(rows * cols), workspace.floats(rows * cols)];
        from.set(from.map((_, at) => at));
        workspace.transpose(from, to, rows, cols);
        for (const [at, value] of to.entries())
          expect(value).toBe((at % rows) * cols + Math.floor(at / rows));
      }),
    );
  });

  it("takes its own arrays alone", () => {
    const { workspace, ...tile } = tileOf({ cov: [1], var1: [1], var2: [1] });
    expect(() => workspace.relu({ workspace, ...tile, cov: new Float64Array(1) })).toThrow(
      "tile: wanted arrays of its workspace, got others",
    );
  });
});

it("the committed WebAssembly is a fresh build, under the 4 KB that browsers compile synchronously", async () => {
  const module = { folder: "src/ops", name: "duals" };
  const fresh = await buildWasm(module);
  expect(readFileSync(new URL(`../../${targetOf(module)}`, import.meta.url), "utf8")).toBe(fresh);
  expect(Number(/(\d+) bytes/.exec(fresh)?.[1])).toBeLessThan(4096);
});
