/**
 * @file What a run and a diagnosis say of a method: alpha, the deviation from alpha I and the largest stable learning rate,
 * for every method on every loss and kernel. Undamped on wide networks they are those of the theory; damped on tiny ones those
 * of the square matrix that explicit Jacobians and solves at size P x P give, S^T G with S from eigenvectors.
 */
import { EigenvalueDecomposition, Matrix as MlMatrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { isotropy } from "../../src/dynamics/isotropy.ts";
import { responseOf, type LossAt } from "../../src/dynamics/response.ts";
import { stableLearningRate } from "../../src/dynamics/stability.ts";
import { bind, existsFor, FISHERS, viewOf, type Fisher } from "../../src/fisher/index.ts";
import { analyticKernel } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { expandOutputs } from "../../src/kernel/parts.ts";
import { withUnits } from "../../src/kernel/units.ts";
import { LOSSES, residualColumns, type Loss } from "../../src/loss/index.ts";
import { zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { randomState } from "../../src/random/random-state.ts";
import { partsOf } from "../support/kernels.ts";
import { relativeError, tiny, toRows, type TinyCase } from "../support/tiny.ts";
import {
  layersOf,
  squareRoot,
  twinCrossEntropy,
  twinMse,
  twinResponse,
  type TwinLayer,
} from "../support/twin-steps.ts";
import type { Rows } from "../support/twin.ts";

/** Every method on every loss that it exists for, on both kernels. */
const cells = FISHERS.flatMap((fisher) =>
  LOSSES.filter((loss) => existsFor(fisher, loss)).flatMap((loss) =>
    (["analytic", "empirical"] as const).map((kind) => [fisher.name, loss.name, kind, fisher, loss] as const),
  ),
);

const at = (loss: Loss, f: Matrix): LossAt => {
  // One-hot: labels have no say in the curvature.
  const y = zeros(f.rows, f.cols);
  for (let n = 0; n < f.rows; n++) y.data[n * f.cols + (n % f.cols)] = 1;
  return { loss, f, y };
};

/** A kernel of a random network, the outputs where the curvature is taken, and its layers as the twin has them. */
async function problem(kind: "analytic" | "empirical", fisher: Fisher, sizes: TinyCase) {
  const { network, linearizer, weights, train, twin } = await tiny(sizes);
  if (kind === "empirical") {
    const { train: kernel } = await empiricalKernel(linearizer, weights, train);
    const layers = async () => layersOf(twin, toRows(train));
    return { kernel, f: await linearizer.forward(weights, train), layers };
  }
  let kernel: Kernel = await analyticKernel(network, train);
  if (fisher.needs === "units") {
    kernel = (await withUnits(network, { train: kernel, test: kernel }, train, train, randomState(3))).train;
  }
  const layers = async () =>
    (await partsOf(expandOutputs(kernel))).map(({ A, B, units, fanOut }, l): TwinLayer => ({
      // Any factors of the Grams will do; single units are those that were drawn.
      H: squareRoot(toRows(A)),
      D: fisher.needs === "units" ? toRows(units!.train as Matrix) : squareRoot(toRows(B)),
      columns: twin.theta[l]![0]!.length,
      fanOut,
    }));
  return { kernel, f: zeros(train.rows, network.outputs), layers };
}

/** min over eigenvalues mu of 2 Re(mu) / |mu|^2. */
function stableRate(R: Rows): number {
  const { realEigenvalues: re, imaginaryEigenvalues: im } = new EigenvalueDecomposition(new MlMatrix(R));
  const largest = Math.max(...re.map((x, i) => Math.hypot(x, im[i]!)));
  const rates = re.map((x, i) => {
    const size = Math.hypot(x, im[i]!);
    return size < 1e-10 * largest ? Infinity : (2 * x) / size ** 2;
  });
  return Math.max(0, Math.min(...rates));
}

describe.each(cells)("%s with %s on the %s kernel", (name, _, kind, fisher, loss) => {
  const depths = name === "block_tri_diagonal" ? [1, 3, 4] : [1, 2, 3];
  const outputs = loss.curvature ? [2, 3] : [1, 3];
  const cases = depths.flatMap((depth) => outputs.map((C) => [depth, C] as const));

  it.each(cases)("damped, at depth %i with %i outputs, is what explicit Jacobians give", async (depth, C) => {
    // exact_plus_mse inverts the whole undamped NTK.
    const width = fisher.curvature === "newton" ? 7 : 4;
    for (const bias of [false, true]) {
      const sizes = { depth, inputs: 4, width, outputs: C, samples: 3, bias, seed: 11 + depth };
      const { kernel, f, layers } = await problem(kind, fisher, sizes);
      const { curvature } = (loss.curvature ? twinCrossEntropy : twinMse)(toRows(f), toRows(f));
      for (const damping of fisher.curvature !== "none" ? [0.3, 0.01] : [0]) {
        const R = twinResponse(name, await layers(), curvature, damping);
        const trace = R.reduce((sum, row, i) => sum + row[i]!, 0);
        const alpha = trace / R.length;
        const away = R.flatMap((row, i) => row.map((x, j) => x - (i === j ? alpha : 0)));
        const deviation = Math.hypot(...away) / (Math.abs(alpha) * Math.sqrt(R.length));

        const measured = await isotropy(fisher, kernel, { damping, at: at(loss, f) });
        const where = `${bias ? "with" : "without"} biases, damping ${damping}`;
        // An analytic kernel of C equal outputs is looked at through one of them.
        const copies = loss.curvature || fisher.needs === "units" ? 1 : kernel.copies;
        expect(measured.size, where).toBe(R.length / copies);
        expect(measured.probes, where).toBe(measured.size);
        expect(relativeError([measured.alpha], [alpha]), where).toBeLessThan(1e-7);
        expect(relativeError([measured.deviation], [deviation], 1), where).toBeLessThan(1e-7);

        const { loss: l, f: g, y } = at(loss, f);
        const mover = await (await bind(fisher, kernel, viewOf(fisher, l, g, y, damping)))(kernel);
        const { R: products, size } = responseOf(fisher, { loss: l, f: g, y }, mover, damping);
        const rate = await stableLearningRate(products, size, { iterations: size });
        expect(relativeError([rate], [stableRate(R)]), where).toBeLessThan(1e-6);
      }
    }
  });

  it.skipIf(fisher.alpha({ samples: 1, layers: 1, width: 1, outputs: 1 }) === undefined)(
    "undamped and wide, has the alpha of the theory",
    async () => {
      const N = 5;
      for (const [depth, C] of cases) {
        const width = fisher.needs === "units" ? 400 : 120;
        const sizes = { depth, inputs: 24, width, outputs: C, samples: N, bias: true, seed: 5 };
        const { kernel, f } = await problem(kind, fisher, sizes);
        const K = residualColumns(loss, C);
        const measured = await isotropy(fisher, kernel, { at: at(loss, f) });
        const theory = fisher.alpha({ samples: N, layers: depth, width, outputs: C, columns: K })!;
        const where = `depth ${depth}, ${C} outputs`;
        if (fisher.needs === "units") {
          // A unit counts where it is active: gamma is only about a half.
          const parts = await partsOf(kernel);
          const units = parts.reduce((sum, part) => sum + active(part.units!.train, N), 0);
          expect(relativeError([measured.alpha], [units / (N * K)]), where).toBeLessThan(1e-6);
          expect(Math.abs(measured.alpha / theory - 1), where).toBeLessThan(0.1);
        } else {
          expect(relativeError([measured.alpha], [theory]), where).toBeLessThan(1e-6);
        }
      }
    },
  );
});

/** Pairs of a sample and a unit that has a signal there. */
function active({ rows, cols, data }: { rows: number; cols: number; data: ArrayLike<number> }, N: number) {
  let count = 0;
  for (let n = 0; n < N; n++) {
    for (let i = 0; i < cols; i++) {
      const C = rows / N;
      count += Number(
        Array.from({ length: C }, (_, c) => data[(n * C + c) * cols + i]!).some((x) => x !== 0),
      );
    }
  }
  return count;
}
