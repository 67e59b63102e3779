/**
 * @file Units of an infinitely wide network, drawn at random: what unit-wise methods need of an analytic kernel. A unit
 * of layer l has, over all samples, pre-activations u ~ N(0, A_l) and incoming signals g_c ~ N(0, sigma_w^2 B_{l+1}),
 * independent of u and of each other (paper, section 2.2; gradient independence), so its signals are
 *
 *     Delta_nci = phi'(u_n) g_nc / sqrt(M).
 *
 * A sum over the M units of a layer is then its expectation up to fluctuations of order 1 / sqrt(M), as in a network of
 * width M.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import {
  rowRange,
  zeros,
  type Floats,
  type Matrix,
  asFloat64,
  repeatedIdentity,
  stackRows,
} from "../linalg/matrix.ts";
import { agree } from "../error.ts";
import { pivotedCholesky } from "../linalg/pivoted-cholesky.ts";
import { product } from "../linalg/product.ts";
import type { Network } from "../network/network.ts";
import type { RandomState } from "../random/random-state.ts";
import { passBothWays } from "./analytic.ts";
import { outerBlock } from "./block.ts";
import { blocksOf, checkKernel, kernelOfBlocks, type Kernel } from "./kernel.ts";
import { lazy } from "./lazy.ts";
import { expandOutputs } from "./parts.ts";
import { sweep } from "./sweep.ts";

/** Kernels that predict: train on train, and test on train. */
export type KernelPair = { readonly train: Kernel; readonly test: Kernel };

/**
 * Adds drawn units to the analytic kernels of a network between `xTrain` [N, M_0] and `xTest` [N', M_0]; the kernels
 * returned cover all C outputs.
 */
export async function withUnits(
  network: Network,
  kernels: KernelPair,
  xTrain: Matrix<Floats>,
  xTest: Matrix<Floats>,
  { normalsInto }: RandomState,
  options: ComputeOptions = {},
): Promise<KernelPair> {
  const { signal } = options;
  const N = xTrain.rows;
  checkKernel(kernels.train);
  checkKernel(kernels.test, kernels.train);
  agree("kernel", `${N} training samples`, `${kernels.train.cols} training samples`);
  agree("kernel", `${network.blocks.length} layers`, `${blocksOf(kernels.train).length} layers`);
  agree("kernel", `${xTest.rows} test samples`, `${kernels.test.rows} test samples`);
  const C = network.outputs;
  const all = stackRows([asFloat64(xTrain), asFloat64(xTest)]);
  const passages = network.nodes.map(() => ({
    values: zeros(all.rows, all.rows),
    signalGram: zeros(all.rows, all.rows),
  }));
  const work = passBothWays(network, passages);
  await sweep(network, all, all, options, work.buffers, work.run);
  const draw = async (covariance: Matrix, count: number): Promise<Matrix> => {
    const { factor } = await pivotedCholesky(covariance, covariance.rows, 1e-14, { signal });
    const z = zeros(factor.cols, count);
    // One stream: it does not matter in how many calls it is drawn.
    for (let row = 0; row < z.rows; row++) {
      normalsInto(rowRange(z, row, row + 1).data);
      await breathe(signal);
    }
    return product(factor, z, options);
  };

  const signals: Matrix[] = [];
  for (const [k, { block }] of network.nodes.entries()) {
    if (block === undefined) continue;
    const M = network.blocks[block]!.fanOut;
    const next = network.nodes[k + 1]?.op;
    if (!next) {
      signals.push(repeatedIdentity(all.rows, C));
      continue;
    }
    const u = await draw(passages[k]!.values, M);
    // Rows (n, c): the C outputs are independent draws from one covariance.
    const delta = zeros(all.rows * C, M);
    for (let c = 0; c < C; c++) {
      const g = await draw(passages[k + 1]!.signalGram, M);
      for (let n = 0; n < all.rows; n++) {
        await breathe(signal);
        for (let i = 0; i < M; i++) {
          const at = n * M + i;
          const slope = next.slope?.(u.data[at]!) ?? 1;
          delta.data[(n * C + c) * M + i] = (slope * g.data[at]!) / Math.sqrt(M);
        }
      }
    }
    signals.push(delta);
  }

  const attach = (kernel: Kernel, start: number, end: number): Kernel => {
    const expanded = expandOutputs(kernel);
    const blocks = blocksOf(expanded).map((block, l) => {
      const units = {
        rows: rowRange(signals[l]!, start * C, end * C),
        train: rowRange(signals[l]!, 0, N * C),
      };
      return outerBlock(block, lazy(block.factors), async () => units);
    });
    return kernelOfBlocks(expanded, blocks);
  };
  return { train: attach(kernels.train, 0, N), test: attach(kernels.test, N, all.rows) };
}
