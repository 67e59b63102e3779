/**
 * @file Each approximation where it must equal another, or a closed form.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isotropy } from "../../src/dynamics/isotropy.ts";
import { InputError, SingularGramError } from "../../src/error.ts";
import { blockWeights } from "../../src/fisher/block-tri-diagonal.ts";
import { chainOf } from "../../src/fisher/neighbours.ts";
import {
  blockDiagonal,
  blockTriDiagonal,
  exact,
  FISHERS,
  gradient,
  kfac,
  kfacTikhonov,
} from "../../src/fisher/index.ts";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import type { Coefficients, Fisher } from "../../src/fisher/fisher.ts";
import { blocksKernel, type Kernel } from "../../src/kernel/kernel.ts";
import { matrix, multiply, type Matrix } from "../../src/linalg/matrix.ts";
import { mlp } from "../../src/network/mlp.ts";
import { randomState } from "../../src/random/random-state.ts";
import { partsOf } from "../support/kernels.ts";
import { relativeError, tiny, tinyCase, type TinyCase } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";
import { solve, type Rows } from "../support/twin.ts";

const damping = fc.double({ min: 0.05, max: 2, noNaN: true });

async function kernelAndResidual(sizes: TinyCase): Promise<{ kernel: Kernel; residual: Float64Array }> {
  const { linearizer, weights, train, labels } = await tiny(sizes);
  const { train: kernel } = await empiricalKernel(linearizer, weights, train);
  return { kernel, residual: labels.data };
}

async function G(fisher: Fisher, kernel: Kernel, rho: number, r: Float64Array): Promise<Float64Array> {
  const prepared = await fisher.prepare(kernel, rho);
  return (await prepared.onto(kernel))(r);
}

describe("block_diagonal", () => {
  it("is exact for a network of one layer", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), damping, async (sizes, rho) => {
        const { kernel, residual } = await kernelAndResidual({ ...sizes, depth: 1 });
        expect(
          relativeError(await G(blockDiagonal, kernel, rho, residual), await G(exact, kernel, rho, residual)),
        ).toBeLessThan(TOLERANCE.twin);
      }),
    );
  });
});

describe("block_tri_diagonal", () => {
  it("is block_diagonal for a network of one layer", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), damping, async (sizes, rho) => {
        const { kernel, residual } = await kernelAndResidual({ ...sizes, depth: 1 });
        expect(
          relativeError(
            await G(blockTriDiagonal, kernel, rho, residual),
            await G(blockDiagonal, kernel, rho, residual),
          ),
        ).toBeLessThan(TOLERANCE.twin);
      }),
    );
  });

  it("weights its layers by T^-1 1, for every depth at which T is regular", () => {
    for (let L = 1; L <= 13; L++) {
      if (L % 3 === 2) continue;
      const T: Rows = Array.from({ length: L }, (_, l) =>
        Array.from({ length: L }, (_, k) => Number(Math.abs(l - k) <= 1)),
      );
      expect(
        relativeError(
          blockWeights(chainOf(L)),
          solve(
            T,
            Array.from({ length: L }, () => 1),
          ),
        ),
      ).toBeLessThan(1e-12);
    }
  });

  it.each([2, 5])(
    "takes the least step at depth %i when asked to, G = alpha I at infinite width",
    async (depth) => {
      const x = matrix(5, 20, randomState(7).normalsInto(new Float64Array(100)));
      const kernel = await analyticKernel(mlp(20, { depth, width: 50, biasVariance: 0.1 }), x);
      const shape = { samples: 5, layers: depth, width: 50, outputs: 1 };
      const { alpha, deviation } = await isotropy(blockTriDiagonal, kernel, { singular: "least_norm" });
      expect(alpha).toBeCloseTo((depth + 1) / 3, 8);
      expect(blockTriDiagonal.alpha(shape, { singular: "least_norm" })).toBe((depth + 1) / 3);
      expect(deviation).toBeLessThan(1e-8);
      await expect(blockTriDiagonal.prepare(kernel, 1e-3)).rejects.toThrow(/wanted a depth/);
      await expect(blockTriDiagonal.prepare(kernel, 1e-3, { singular: "least_norm" })).resolves.toBeDefined();
    },
  );

  it("is exact for a network of two layers, whose every two layers are neighbours", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase(), damping, async (sizes, rho) => {
        const { kernel, residual } = await kernelAndResidual({ ...sizes, depth: 2 });
        const G = await blockTriDiagonal.prepare(kernel, rho, { singular: "least_norm" });
        const Gexact = await exact.prepare(kernel, rho);
        const [one, other] = [await G.onto(kernel), await Gexact.onto(kernel)];
        expect(relativeError(await one(residual), await other(residual))).toBeLessThan(TOLERANCE.twin);
      }),
    );
  });

  it.each([2, 5, 8])("refuses depth %i, where T is singular", (layers) => {
    expect(() => blockTriDiagonal.alpha({ samples: 3, layers, width: 4, outputs: 1 })).toThrow(InputError);
    expect(() => blockWeights(chainOf(layers))).toThrow(/depth: wanted a depth other than 2, 5, 8/);
  });
});

describe("kfac", () => {
  it("has the step of block_diagonal for one sample and one output, up to how the damping is split", async () => {
    await fc.assert(
      fc.asyncProperty(tinyCase({ minWidth: 3 }), async (sizes) => {
        const one = { ...sizes, samples: 1, outputs: 1 };
        const { kernel, residual } = await kernelAndResidual(one);
        // A dead layer has no signal and neither method is defined undamped.
        fc.pre((await partsOf(kernel)).every(({ A, B }) => B.data[0]! * A.data[0]! > 1e-6));
        expect(
          relativeError(await G(kfac, kernel, 0, residual), await G(blockDiagonal, kernel, 0, residual)),
        ).toBeLessThan(TOLERANCE.twin);
      }),
    );
  });
});

describe("kfac_tikhonov", () => {
  /** Fewer inputs than samples, fewer outputs than rows of B: null directions of both. */
  const singularCase = { depth: 3, inputs: 2, width: 6, outputs: 3, samples: 4, bias: false, seed: 11 };

  it("tends to the undamped step as the damping goes to zero, whatever is null in A and B", async () => {
    const { kernel, residual } = await kernelAndResidual(singularCase);
    const grams = await partsOf(kernel);
    const prepared = async (rho: number) => {
      const { solve } = await kfacTikhonov.prepare(kernel, rho, { singular: "least_norm" });
      // B K A is the change of all signals by all inputs, which is what K does.
      return ((await solve(residual)) as Coefficients[]).map((how, l) => {
        if (how.kind !== "mixing") throw new RangeError("wanted mixing");
        const { A, B } = grams[l]!;
        return multiply(multiply(B, how.matrix), A).data;
      });
    };
    const limit = await prepared(0);
    const moved = await (await kfacTikhonov.prepare(kernel, 0, { singular: "least_norm" })).onto(kernel);
    for (const rho of [1e-10, 1e-12, 1e-14, 1e-16, 1e-18]) {
      for (const [l, change] of (await prepared(rho)).entries()) {
        expect(relativeError(change, limit[l]!), `rho ${rho}, layer ${l + 1}`).toBeLessThan(1e4 * rho + 1e-8);
      }
      const tiny = await G(kfacTikhonov, kernel, rho, residual);
      expect(relativeError(tiny, await moved(residual)), `rho ${rho}`).toBeLessThan(1e4 * rho + 1e-8);
    }
  });

  it("is as good with Grams of float32", async () => {
    const { kernel, residual } = await kernelAndResidual(singularCase);
    const rounded = (gram: Matrix): Matrix => ({
      ...gram,
      data: Float64Array.from(Float32Array.from(gram.data)),
    });
    const parts = (await partsOf(kernel)).map((part) => ({
      ...part,
      A: rounded(part.A),
      B: rounded(part.B),
    }));
    const single = blocksKernel({ ...kernel, epsilon: 2 ** -23 }, parts);
    for (const rho of [1e-10, 1e-14, 1e-16]) {
      const tiny = await G(kfacTikhonov, single, rho, residual);
      expect(relativeError(tiny, await G(kfacTikhonov, kernel, 1e-10, residual)), `rho ${rho}`).toBeLessThan(
        1e-2,
      );
    }
  });
});

describe("undamped methods on the kernel of an infinitely wide network", () => {
  const cases = FISHERS.filter((f) => f !== gradient && f.needs !== "units").flatMap((f) =>
    [1, 3, 4].map((L) => [f.name, L, f] as const),
  );

  it.each(cases)("%s at depth %i has G = alpha I with the alpha of the theory", async (_, depth, fisher) => {
    const x = matrix(6, 20, randomState(7).normalsInto(new Float64Array(120)));
    for (const outputs of [1, 3]) {
      const kernel = await analyticKernel(mlp(20, { depth, width: 50, outputs, biasVariance: 0.1 }), x);
      const { alpha, deviation } = await isotropy(fisher, kernel);
      expect(alpha).toBeCloseTo(fisher.alpha({ samples: 6, layers: depth, width: 50, outputs })!, 8);
      expect(deviation).toBeLessThan(1e-9);
    }
  });
});

describe("a method with large damping", () => {
  it("tends to gradient descent over the damping", async () => {
    for (const fisher of [exact, blockDiagonal, blockTriDiagonal]) {
      const { kernel, residual } = await kernelAndResidual({
        depth: 3,
        inputs: 3,
        width: 5,
        outputs: 2,
        samples: 3,
        bias: true,
        seed: 5,
      });
      const rho = 1e7;
      const scaled = (await G(fisher, kernel, rho, residual)).map((x) => rho * x);
      expect(relativeError(scaled, await G(gradient, kernel, 0, residual)), fisher.name).toBeLessThan(1e-5);
    }
  });
});

describe("a Gram without an inverse", () => {
  it.each([exact, blockDiagonal, blockTriDiagonal, kfac].map((f) => [f.name, f] as const))(
    "is refused undamped by %s with its rank and condition",
    async (_, fisher) => {
      // Two equal samples.
      const row = randomState(3).normalsInto(new Float64Array(8));
      const x = matrix(3, 8, Float64Array.of(...row, ...row, ...row.map((v, i) => (i < 4 ? v : -v))));
      const kernel = await analyticKernel(mlp(8, { depth: 3 }), x);
      try {
        await fisher.prepare(kernel, 0);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(SingularGramError);
        const { rank, condition, message } = error as SingularGramError;
        expect(rank).toBe(2);
        expect(condition).toBeGreaterThan(1e12);
        expect(message).toMatch(/wanted an invertible Gram, got 3 x 3 of rank 2 and condition/);
      }
      await expect(fisher.prepare(kernel, 1e-3)).resolves.toBeDefined();
    },
  );

  it("is refused when the network has fewer parameters than outputs to fit", async () => {
    const { kernel } = await kernelAndResidual({
      depth: 1,
      inputs: 2,
      width: 2,
      outputs: 1,
      samples: 4,
      bias: false,
      seed: 1,
    });
    await expect(exact.prepare(kernel, 0)).rejects.toThrow(
      /exact: NTK: wanted an invertible Gram, got 4 x 4 of rank 2/,
    );
  });
});
