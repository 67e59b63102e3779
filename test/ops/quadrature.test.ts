/** @file Gauss-Hermite quadrature against moments of the normal, and duals against their formulas. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyticNtk } from "../../src/kernel/analytic.ts";
import type { Activation } from "../../src/ops/activation.ts";
import { mlp } from "../../src/network/mlp.ts";
import { dualsByQuadrature, gaussHermite } from "../../src/ops/quadrature.ts";
import { RELU } from "../../src/ops/relu.ts";
import { random } from "../support/matrices.ts";
import { relativeError } from "../support/tiny.ts";

describe("gaussHermite", () => {
  it.each([1, 2, 5, 16, 32, 64, 128])("of %i nodes has the moments of the standard normal", (n) => {
    const { nodes, weights } = gaussHermite(n);
    expect(new Set(nodes).size).toBe(n);
    let moment = 1;
    for (let degree = 0; degree <= Math.min(2 * n - 1, 20); degree++) {
      const sum = nodes.reduce((total, x, i) => total + weights[i]! * x ** degree, 0);
      if (degree % 2 === 0 && degree > 0) moment *= degree - 1;
      expect(Math.abs(sum - (degree % 2 === 0 ? moment : 0)) / moment).toBeLessThan(1e-11);
    }
  });

  it("refuses what is no number of nodes", () => {
    for (const n of [0, 1.5, 129])
      expect(() => gaussHermite(n)).toThrow(/^points: wanted a whole number from 1 to 128/);
  });
});

describe("dualsByQuadrature", () => {
  it("agrees with the formulas of sin: exp(-(p + q) / 2) sinh(k), and cosh(k)", () => {
    const { dual, dualDerivative } = dualsByQuadrature(Math.sin, Math.cos);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (p, q, c) => {
          const k = c * Math.sqrt(p * q);
          const size = Math.exp(-(p + q) / 2);
          expect(dual(k, p, q)).toBeCloseTo(size * Math.sinh(k), 12);
          expect(dualDerivative(k, p, q)).toBeCloseTo(size * Math.cosh(k), 12);
        },
      ),
    );
  });
});

describe("mlp", () => {
  const x = random(4, 3);

  it("has ReLU between its layers unless it is given another activation", async () => {
    const plain = await analyticNtk(mlp(3, { width: 8 }), x);
    const same = await analyticNtk(mlp(3, { width: 8, activation: RELU }), x);
    expect(same).toEqual(plain);
    const identity: Activation = {
      name: "identity",
      value: (_, u) => u,
      derivative: (g, u) => g.node("Exp", [g.node("Sub", [u, u])]),
      ...dualsByQuadrature(
        (u) => u,
        () => 1,
      ),
    };
    // Theta of a linear network of L layers is L sigma_w^(2 L) x.x' / M_0; here L = M_0.
    const linear = await analyticNtk(mlp(3, { width: 8, weightVariance: 1, activation: identity }), x);
    const wanted = linear.data.map((_, at) => {
      const [i, j] = [Math.floor(at / 4), at % 4];
      return [0, 1, 2].reduce((sum, m) => sum + x.data[3 * i + m]! * x.data[3 * j + m]!, 0);
    });
    expect(relativeError(linear.data, wanted)).toBeLessThan(1e-12);
  });
});
