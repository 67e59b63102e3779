import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJacobian } from "../../src/jacobian/jacobian.ts";
import { relativeError, tiny, tinyCase, toRows } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";
import { apply, flip, jacobians } from "../support/twin.ts";

describe("products with the Jacobian", () => {
  it("are those of the explicit Jacobian, whatever the tile", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), fc.integer({ min: 1, max: 5 }), async (sizes, tile) => {
        const { engine, linearizer, weights, twin, train } = await tiny(sizes);
        const linearization = await linearizer.linearize(weights, train);
        const { addTransposed, addProduct, tangentProduct } = createJacobian(engine, { tile });
        const J = jacobians(twin, toRows(train));
        const v = Float64Array.from({ length: train.rows * sizes.outputs }, (_, i) => Math.sin(1 + i));
        const theta = new Float64Array(v.length);
        for (const [l, layer] of linearization.layers.entries()) {
          const G = engine.floats(layer.fanOut * layer.columns).fill(1);
          await addTransposed(G, layer, v);
          const expected = apply(flip(J[l]!), [...v]);
          expect(
            relativeError(
              G.map((x) => x - 1),
              expected,
              1,
            ),
          ).toBeLessThan(TOLERANCE.twin);

          const out = new Float64Array(v.length).fill(2);
          await addProduct(
            out,
            layer,
            engine.floats(G.length).map((_, i) => expected[i]!),
          );
          const forward = apply(J[l]!, expected);
          expect(
            relativeError(
              out.map((x) => x - 2),
              forward,
              1,
            ),
          ).toBeLessThan(TOLERANCE.twin);
          for (const [i, x] of forward.entries()) theta[i]! += x;
        }
        const product = await tangentProduct(linearization, v);
        expect(relativeError(product, theta)).toBeLessThan(TOLERANCE.twin);
      }),
      { numRuns: 25 },
    );
  });
});

describe("a linearisation in tiles", () => {
  it("is the one made in one piece", async () => {
    await fc.assert(
      fc.asyncProperty(
        tinyCase({ maxSamples: 9 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(3),
        async (sizes, tile, evaluated) => {
          const { linearizer, weights, train } = await tiny({ ...sizes, samples: sizes.samples + evaluated });
          const copy = async (options: { tile?: number }) => {
            const { outputs, layers } = await linearizer.linearize(weights, train, sizes.samples, options);
            return [outputs.data, ...layers.flatMap((l) => [l.inputs.data.slice(), l.signals.data.slice()])];
          };
          const whole = await copy({});
          for (const [i, part] of (await copy({ tile })).entries()) {
            expect(relativeError(part, whole[i]!)).toBeLessThan(TOLERANCE.twin);
          }
          const forward = await linearizer.forward(weights, train, { tile });
          expect(relativeError(forward.data, whole[0]!)).toBeLessThan(TOLERANCE.twin);
        },
      ),
      { numRuns: 25 },
    );
  });
});
