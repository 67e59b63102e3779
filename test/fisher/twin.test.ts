/**
 * @file Every method against brute force: the plain twin forms Jacobians and solves with the P x P Fisher matrix.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FISHERS } from "../../src/fisher/index.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createUpdater } from "../../src/linearization/update.ts";
import { createFolder } from "../../src/linearization/weights.ts";
import { mse } from "../../src/loss/mse.ts";
import { relativeError, tiny, tinyCase, toRows } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";
import { apply, jacobians, outputsOf, parameterStep } from "../support/twin.ts";

const exists = (method: string, depth: number) => method !== "block_tri_diagonal" || depth % 3 !== 2;

describe.each(FISHERS.map((fisher) => [fisher.name, fisher] as const))("%s", (name, fisher) => {
  const damping = fc.double({ min: 0.05, max: 2, noNaN: true });

  it("takes the step of a parameter-space solve with explicit Jacobians", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), damping, async (sizes, rho) => {
        fc.pre(exists(name, sizes.depth));
        const { engine, linearizer, weights, twin, train, labels, network } = await tiny(sizes);
        const linearization = await linearizer.linearize(weights, train);
        const residual = mse.residual(linearization.outputs, labels);
        const { train: kernel } = await empiricalKernel(linearizer, weights, train);
        const preconditioner = await fisher.prepare(kernel, rho);
        const coefficients = await preconditioner.coefficients(residual.data);

        const updater = createUpdater(engine);
        const folder = createFolder(engine);
        const steps = parameterStep(name, twin, toRows(train), [...residual.data], rho);
        // The kernel ran the linearizer again; take its buffers afresh.
        const { layers } = await linearizer.linearize(weights, train);
        for (const [l, layer] of layers.entries()) {
          const before = weights[l]!.base.slice();
          await updater.apply(weights[l]!, layer, coefficients[l]!, -0.5);
          await folder.fold(weights[l]!);
          const moved = weights[l]!.base.map((w, i) => -2 * (w - before[i]!));
          expect(relativeError(moved, steps[l]!), `layer ${l + 1} of ${network.weights.length}`).toBeLessThan(
            TOLERANCE.twin,
          );
        }
      }),
      { numRuns: 40 },
    );
  });

  it("moves the outputs by J dtheta, on training and on test samples", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), damping, async (sizes, rho) => {
        fc.pre(exists(name, sizes.depth));
        const { linearizer, weights, twin, train, test, labels } = await tiny(sizes);
        const kernels = await empiricalKernel(linearizer, weights, train, [test]);
        const f = await linearizer.forward(weights, train);
        const residual = mse.residual(f, labels).data;
        const preconditioner = await fisher.prepare(kernels.train, rho);
        const step = parameterStep(name, twin, toRows(train), [...residual], rho).flat();

        for (const [x, cross] of [
          [train, kernels.train],
          [test, kernels.others[0]!],
        ] as const) {
          const J = jacobians(twin, toRows(x));
          const whole = J[0]!.map((_, row) => J.flatMap((j) => j[row]!));
          const moved = (await preconditioner.propagator(cross))(residual);
          expect(relativeError(moved, apply(whole, step))).toBeLessThan(TOLERANCE.twin);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("the twin", () => {
  it("has the Jacobian that finite differences of its outputs give", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), async (sizes) => {
        const { twin, train } = await tiny(sizes);
        const xs = toRows(train);
        const J = jacobians(twin, xs);
        const h = 1e-6;
        for (const [l, theta] of twin.theta.entries()) {
          let column = 0;
          for (const row of theta) {
            for (const [i, old] of row.entries()) {
              row[i] = old + h;
              const up = outputsOf(twin, xs).flat();
              row[i] = old - h;
              const down = outputsOf(twin, xs).flat();
              row[i] = old;
              const slope = up.map((u, k) => (u - down[k]!) / (2 * h));
              for (const [k, s] of slope.entries()) expect(J[l]![k]![column]).toBeCloseTo(s, 5);
              column++;
            }
          }
        }
      }),
      { numRuns: 10 },
    );
  });
});
