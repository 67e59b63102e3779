/**
 * @file Initial weights are NumPy's: np.random.seed(s); randn of the last layer's weights first, biases after all.
 */
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/error.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { dense } from "../../src/ops/dense.ts";
import { initialise } from "../../src/network/initialise.ts";
import { serial } from "../../src/network/layers.ts";
import { mlp } from "../../src/network/mlp.ts";
import { relu } from "../../src/ops/relu.ts";
import { randomState } from "../../src/random/random-state.ts";
import { peerFixture } from "../support/fixtures.ts";

describe("initialise", () => {
  it("draws the last layer first and leaves no gap when there are no biases", async () => {
    const engine = await createEngine();
    const [W1, W2] = initialise(engine, mlp(5, { depth: 2, width: 3 }), 1);
    const stream = randomState(1).normalsInto(new Float32Array(18));
    expect([...W2!]).toEqual([...stream.subarray(0, 3)]);
    expect([...W1!]).toEqual([...stream.subarray(3)]);
    // np.random.seed(1); np.random.randn(1)
    expect(W2![0]).toBeCloseTo(1.6243454, 6);
  });

  it("puts biases, drawn after all weights and last layer first, in the last column", async () => {
    const network = mlp(2, { depth: 2, width: 3, biasVariance: 1 });
    for (const precision of ["float32", "float64"] as const) {
      const engine = await createEngine({ precision });
      const [first, second] = initialise(engine, network, 9);
      const stream = randomState(9).normalsInto(new Float32Array(13));
      const [w2, w1, b2, b1] = [
        stream.subarray(0, 3),
        stream.subarray(3, 9),
        stream[9]!,
        stream.subarray(10),
      ];
      expect([...second!]).toEqual([...w2, b2]);
      expect([...first!]).toEqual([0, 1, 2].flatMap((o) => [w1[2 * o]!, w1[2 * o + 1]!, b1[o]!]));
    }
  });
});

describe("initialise with prng jax", () => {
  it("draws what Neural Tangents' stax.serial of Dense and Relu draws under current JAX keys", async () => {
    const fixture = await peerFixture("prng");
    const engine = await createEngine();
    const widths = [...fixture.get("widths").data];
    const layers = widths
      .slice(1)
      .flatMap((width, l) => [dense(width, { biasVariance: 1 }), ...(l < widths.length - 2 ? [relu()] : [])]);
    for (const seed of fixture.get("seeds").data) {
      const thetas = initialise(engine, serial(widths[0]!, ...layers), seed, "jax");
      for (const [l, theta] of thetas.entries()) {
        const [fanIn, fanOut] = [widths[l]!, widths[l + 1]!];
        const W = fixture.get(`partitionable_seed${seed}_layer${l + 1}_W`).data;
        const b = fixture.get(`partitionable_seed${seed}_layer${l + 1}_b`).data;
        for (let o = 0; o < fanOut; o++) {
          for (let i = 0; i < fanIn; i++) {
            expectWithinOneUlp(theta[o * (fanIn + 1) + i]!, W[i * fanOut + o]!);
          }
          expectWithinOneUlp(theta[o * (fanIn + 1) + fanIn]!, b[o]!);
        }
      }
    }
  });
});

function expectWithinOneUlp(got: number, wanted: number): void {
  const ulp = 2 ** (Math.floor(Math.log2(Math.abs(wanted))) - 23);
  expect(Math.abs(got - wanted)).toBeLessThanOrEqual(ulp);
}

describe("a network", () => {
  it.each([
    ["width", () => dense(0)],
    ["width", () => dense(1.5)],
    ["width", () => mlp(3, { width: -2 })],
    ["depth", () => mlp(3, { depth: 0 })],
    ["weightVariance", () => dense(3, { weightVariance: 0 })],
    ["biasVariance", () => dense(3, { biasVariance: Number.NaN })],
    ["network", () => serial(3, relu())],
    ["network", () => serial(3)],
  ])("refuses a wrong %s in one line", (name, make) => {
    expect(make).toThrow(InputError);
    expect(make).toThrow(new RegExp(`^${name}: wanted .*, got [^\n]*$`));
  });

  it("knows the sizes of its weights", () => {
    expect(mlp(7, { depth: 3, width: 5, outputs: 2, biasVariance: 1 }).blocks).toMatchObject([
      { fanIn: 7, columns: 8, fanOut: 5 },
      { fanIn: 5, columns: 6, fanOut: 5 },
      { fanIn: 5, columns: 6, fanOut: 2 },
    ]);
  });
});
