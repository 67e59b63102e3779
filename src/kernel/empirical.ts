/**
 * @file The kernel of a network as it stands, at finite width, from its linearisation: the same Grams (A_l, B_l) that
 * an NGD step uses. Samples are linearised in tiles; H_l and Delta_l of all samples are kept in the engine's
 * precision, (N + N') (M_in + C M_out) numbers per layer, and no Jacobian is formed.
 */
import type { Stoppable } from "../breathe.ts";
import { agree } from "../error.ts";
import type { Engine, FloatArray } from "../engine/engine.ts";
import type { Linearization, Linearizer } from "../jacobian/linearize.ts";
import type { Weights } from "../jacobian/weights.ts";
import { createJacobian } from "../jacobian/jacobian.ts";
import { matrix, zeros, type Floats, type Matrix } from "../linalg/matrix.ts";
import { neighboursIn, type Network } from "../network/network.ts";
import { isOuter, keptSizes } from "../ops/op.ts";
import { createGrams, type Grams, type Side } from "./gram.ts";
import { dampingOf, outerBlock, type BlockKernel } from "./block.ts";
import { lazy } from "./lazy.ts";
import { kernelOfBlocks, matrixKernel, type Kernel, type KernelHead, type KernelNeeds } from "./kernel.ts";

/** Options of {@link empiricalKernel}. */
export type EmpiricalOptions = Stoppable & {
  /** Samples linearised at a time; need not divide their number. Default: what is fast. */
  tile?: number;
  /** With "ntk" the sums over the layers alone are computed, in the memory of one matrix each. Default: "units". */
  needs?: KernelNeeds;
};

/** The training kernel of a linearisation; its signals live as long as those of the linearisation. */
export const kernelOf = (
  { engine, network }: Pick<Linearizer, "engine" | "network">,
  { layers }: Linearization,
  grams: Grams = createGrams(engine),
  options: Stoppable = {},
): Promise<Kernel> => {
  agree("linearization", `${network.blocks.length} layers`, `${layers.length} layers`);
  return kernelBetween(engine, network, grams, layers, layers, options);
};

/**
 * The empirical kernels of a network at `weights`: train on train, and each of `others` on train.
 * @returns kernels with rows of `train` and of each of `others`, columns of `train`.
 * @example
 * import { createEngine, createLinearizer, createWeights, empiricalKernel, initialise, matrix, mlp } from "natgrad";
 *
 * const network = mlp(2, { depth: 3, width: 128 });
 * const engine = await createEngine();
 * const weights = createWeights(network, initialise(engine, network, 1));
 * const x = matrix(2, 2, Float32Array.of(1, 0, 0, 1));
 * const { train } = await empiricalKernel(await createLinearizer(engine, network), weights, x);
 * const theta = await train.matrix(); // [2, 2]
 * console.log(theta.data.length); // 4
 * await engine.release();
 */
export async function empiricalKernel(
  linearizer: Linearizer,
  weights: Weights,
  train: Matrix<Floats>,
  others: readonly Matrix<Floats>[] = [],
  options: EmpiricalOptions = {},
): Promise<{ train: Kernel; others: Kernel[] }> {
  const { engine, network } = linearizer;
  const grams = createGrams(engine);
  const right = await stack(linearizer, weights, train, options);
  const between = options.needs === "ntk" ? ntkBetween : kernelBetween;
  const kernels = [await between(engine, network, grams, right, right, options)];
  for (const x of others) {
    const left = await stack(linearizer, weights, x, options);
    kernels.push(await between(engine, network, grams, left, right, options));
  }
  return { train: kernels[0]!, others: kernels.slice(1) };
}

/** Theta between two sets of samples. */
async function ntkBetween(
  engine: Engine,
  network: Network,
  grams: Grams,
  left: Side,
  right: Side,
  { signal }: Stoppable,
): Promise<Kernel> {
  const theta = await grams.theta(left, left === right ? undefined : right, { signal });
  return matrixKernel(headOf(engine, network, left, right), theta);
}

const headOf = ({ epsilon }: Engine, { outputs }: Network, left: Side, right: Side): KernelHead => ({
  source: "empirical",
  rows: left[0]!.inputs.rows,
  cols: right[0]!.inputs.rows,
  outputs,
  copies: 1,
  epsilon,
});

/** A_l and B_l of every layer between two sets of samples. */
async function kernelBetween(
  engine: Engine,
  network: Network,
  grams: Grams,
  left: Side,
  right: Side,
  { signal }: Stoppable,
): Promise<Kernel> {
  const same = left === right;
  const between = (a: Matrix<FloatArray>, b: Matrix<FloatArray>): Promise<Matrix> =>
    grams.product(a, same ? undefined : b, { signal });
  const neighbours = neighboursIn(network);
  const jacobian = createJacobian(engine);
  const blocks: BlockKernel[] = [];
  for (const [l, shape] of network.blocks.entries()) {
    const { fanIn, fanOut, columns, scales } = shape;
    const [a, b] = [left[l]!, right[l]!];
    const sizes = keptSizes(shape, network.outputs);
    const pairs = a.kept > 1;
    const factors = pairs
      ? {
          A: onesOf(a.inputs.rows, b.inputs.rows),
          B: await grams.theta([a], same ? undefined : [b], { signal }),
        }
      : { A: await between(a.inputs, b.inputs), B: await between(a.signals, b.signals) };
    const { reduced, expanded } = b;
    blocks.push(
      outerBlock(
        {
          fanIn,
          fanOut,
          columns,
          ...dampingOf(scales),
          ...(isOuter(shape) ? {} : { written: true }),
          neighbours: neighbours[l]!,
          inputRank: pairs ? 1 : sizes.inputs,
          signalRank: pairs ? fanOut * columns : sizes.signals,
        },
        async () => factors,
        lazy(async () => {
          const train = pairs ? await jacobian.written(b) : b.signals;
          return { rows: same || !pairs ? (same ? train : a.signals) : await jacobian.written(a), train };
        }),
        reduced && (async () => reduced),
        expanded && (async () => expanded),
      ),
    );
  }
  return kernelOfBlocks(headOf(engine, network, left, right), blocks);
}

/** Ones [rows, cols]. */
function onesOf(rows: number, cols: number): Matrix {
  const out = zeros(rows, cols);
  out.data.fill(1);
  return out;
}

/** H_l and Delta_l of all rows of `x`, in arrays of their own. */
export async function stack(
  linearizer: Linearizer,
  weights: Weights,
  x: Matrix<Floats>,
  options: EmpiricalOptions,
): Promise<Side> {
  const { needs, ...passing } = options;
  const positions = needs === "positions";
  const { layers } = await linearizer.linearize(weights, x, x.rows, { ...passing, positions });
  const keep = ({ rows, cols, data }: Matrix<FloatArray>) => {
    const copy = linearizer.engine.floats(data.length);
    copy.set(data);
    return matrix(rows, cols, copy);
  };
  const both = (pair: Pick<Side[number], "inputs" | "signals">) => ({
    inputs: keep(pair.inputs),
    signals: keep(pair.signals),
  });
  return layers.map(({ reduced, expanded, ...layer }) => ({
    kept: layer.kept,
    ...both(layer),
    ...(reduced ? { reduced: both(reduced) } : {}),
    ...(expanded ? { expanded: both(expanded) } : {}),
  }));
}
