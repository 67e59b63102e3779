/**
 * @file The kernel of a network as it stands, at finite width, from its linearisation: the same Grams (A_l, B_l) that
 * an NGD step uses. Samples are linearised in tiles; H_l and Delta_l of all samples are kept in the engine's
 * precision, (N + N') (M_in + C M_out) numbers a layer, and no Jacobian is formed.
 */
import type { Engine, FloatArray, Program } from "../graph/engine.ts";
import { createGraph } from "../graph/graph.ts";
import { gemm } from "../graph/ops.ts";
import type { Linearization, Linearizer } from "../linearization/linearize.ts";
import type { Weights } from "../linearization/weights.ts";
import { matrix, rowRange, toFloat64, type Floats, type Matrix } from "../matrix/matrix.ts";
import type { Network } from "../network/network.ts";
import { dampingOf, type Kernel, type LayerKernel } from "./kernel.ts";

/** Options of {@link empiricalKernel}. */
export type EmpiricalOptions = {
  /** Samples linearised at a time; need not divide their number. Default: all. */
  tile?: number;
};

/** The training kernel that a linearisation holds already; its signals live as long as those of the linearisation. */
export const kernelOf = (network: Network, linearization: Linearization, epsilon: number): Kernel => ({
  samples: linearization.layers[0]!.inputGram.cols,
  outputs: network.outputs,
  copies: 1,
  epsilon,
  layers: linearization.layers.map(({ fanIn, fanOut, rows, scales, inputGram, signalGram, signals }) => ({
    fanIn,
    fanOut,
    ...dampingOf(scales),
    inputRank: rows,
    signalRank: fanOut,
    inputGram,
    signalGram,
    signals: twice(matrix(signals.dims[0]!, fanOut, signals.data as FloatArray)),
  })),
});

const twice = (signals: Matrix<Floats>) => ({ rows: signals, train: signals });

/**
 * The empirical kernels of a network at `weights`: train on train, and each of `others` on train.
 * @returns kernels with rows of `train` and of each of `others`, columns of `train`.
 */
export async function empiricalKernel(
  linearizer: Linearizer,
  weights: Weights,
  train: Matrix<Floats>,
  others: readonly Matrix<Floats>[] = [],
  options: EmpiricalOptions = {},
): Promise<{ train: Kernel; others: Kernel[] }> {
  const { engine, network } = linearizer;
  const product = await engine.compile(productGraph(engine));
  const right = await stack(linearizer, weights, train, options.tile);
  const lefts = [right];
  for (const x of others) lefts.push(await stack(linearizer, weights, x, options.tile));

  const kernels: Kernel[] = [];
  for (const left of lefts) {
    const layers: LayerKernel[] = [];
    for (const [l, { fanIn, fanOut, rows, scales }] of network.weights.entries()) {
      layers.push({
        fanIn,
        fanOut,
        ...dampingOf(scales),
        inputRank: rows,
        signalRank: fanOut,
        inputGram: await multiplyTransposed(engine, product, left[l]!.inputs, right[l]!.inputs),
        signalGram: await multiplyTransposed(engine, product, left[l]!.signals, right[l]!.signals),
        signals: { rows: left[l]!.signals, train: right[l]!.signals },
      });
    }
    kernels.push({
      samples: train.rows,
      outputs: network.outputs,
      copies: 1,
      epsilon: engine.epsilon,
      layers,
    });
  }
  await product.release();
  return { train: kernels[0]!, others: kernels.slice(1) };
}

type Stacked = { inputs: Matrix<FloatArray>; signals: Matrix<FloatArray> };

/** H_l and Delta_l of all rows of `x`, tile by tile. */
async function stack(
  linearizer: Linearizer,
  weights: Weights,
  x: Matrix<Floats>,
  tile = x.rows,
): Promise<Stacked[]> {
  const { engine, network } = linearizer;
  const C = network.outputs;
  const stacked = network.weights.map(({ rows, fanOut }) => ({
    inputs: matrix(x.rows, rows, engine.floats(x.rows * rows)),
    signals: matrix(x.rows * C, fanOut, engine.floats(x.rows * C * fanOut)),
  }));
  for (let start = 0; start < x.rows; start += tile) {
    const part = rowRange(x, start, Math.min(start + tile, x.rows));
    const { layers } = await linearizer.linearize(weights, part);
    for (const [l, { inputs, signals }] of layers.entries()) {
      stacked[l]!.inputs.data.set(inputs.data as FloatArray, start * inputs.dims[1]!);
      stacked[l]!.signals.data.set(signals.data as FloatArray, start * C * signals.dims[1]!);
    }
  }
  return stacked;
}

/** a b^T in float64 from factors in the engine's precision. */
async function multiplyTransposed(
  engine: Engine,
  product: Program,
  a: Matrix<FloatArray>,
  b: Matrix<FloatArray>,
): Promise<Matrix> {
  const feeds = { a: engine.tensor(a.data, [a.rows, a.cols]), b: engine.tensor(b.data, [b.rows, b.cols]) };
  const { gram } = await product.run(feeds, { gram: null });
  return toFloat64(matrix(a.rows, b.rows, gram!.data as FloatArray));
}

function productGraph(engine: Engine): ReturnType<typeof createGraph> {
  const g = createGraph(engine.precision);
  const a = g.input("a", ["n", "m"]);
  const b = g.input("b", ["k", "m"]);
  g.output("gram", gemm(g, a, b, { transB: true }), ["n", "k"]);
  return g;
}
