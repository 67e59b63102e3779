/**
 * @file Low-rank weights: theta_l = base + right^T left. A step of any method adds U_l^T H_l: it appends N rows to two
 * thin factors (left = H_l, right = U_l) and leaves the wide matrix alone. When the rank reaches {@link MAX_RANK} the
 * factors are folded into `base`, in place.
 */
import { agree } from "../error.ts";
import type { Engine, FloatArray, Program, Tensor } from "../engine/engine.ts";
import { createGraph, type Graph } from "../engine/graph.ts";
import { gemm } from "../engine/ops.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { Network } from "../network/network.ts";
import { isOuter } from "../ops/op.ts";
import { tileFor, tiles } from "./runs.ts";

/** Rank at which the factors are folded: they then cost about 10 % of a pass at width 4096. */
export const MAX_RANK = 200;

/** theta_l [fanOut, columns] of one layer: `base`, and what steps have added since it was last brought up to date. */
export type LayerWeights = {
  readonly columns: number;
  readonly fanOut: number;
  readonly base: FloatArray;
  /** False where steps change `base` at once: their updates are no sums of a few outer products. */
  readonly lowRank: boolean;
};

/** Factors of some rank, of which `rank` rows are in use: what steps have added to a layer. */
type Factors = { readonly left: FloatArray; readonly right: FloatArray; rank: number };

/** Nobody but the functions of this file writes into them. */
const pending = new WeakMap<LayerWeights, Factors>();

/** Rows of the factors that are in use. */
export const rankOf = (weights: LayerWeights): number => pending.get(weights)?.rank ?? 0;

/** The weights of a network, first layer to last. */
export type Weights = readonly LayerWeights[];

/**
 * Wraps one array [fanOut, columns] a layer; the arrays become the property of the weights and change in place.
 * @throws RangeError when there is not one per layer, of its size.
 * @example
 * import { createWeights, mlp } from "natgrad";
 *
 * const network = mlp(3, { depth: 2, width: 4 });
 * const arrays = network.blocks.map(({ fanOut, columns }) => new Float32Array(fanOut * columns).fill(0.5));
 * console.log(createWeights(network, arrays).length); // 2
 */
export function createWeights(network: Network, bases: readonly FloatArray[]): Weights {
  agree("weights", `${network.blocks.length} layers`, `${bases.length} layers`);
  return network.blocks.map((shape, l) => {
    const { columns, fanOut } = shape;
    const base = bases[l];
    if (base?.length !== columns * fanOut) {
      throw new RangeError(`weights: wanted ${fanOut} x ${columns} in layer ${l + 1}, got ${base?.length}`);
    }
    return { columns, fanOut, base, lowRank: isOuter(shape) };
  });
}

/**
 * Checks that weights are those of a network on an engine.
 * @throws RangeError when they have other sizes, or are of another precision: they would be converted, and not change.
 */
export function checkWeights(engine: Engine, network: Network, weights: Weights): void {
  agree("weights", `${network.blocks.length} layers`, `${weights.length} layers`);
  for (const [l, { columns, fanOut }] of network.blocks.entries()) {
    const layer = weights[l]!;
    agree(`weights of layer ${l + 1}`, `${fanOut} x ${columns}`, `${layer.fanOut} x ${layer.columns}`);
    checkPrecision(engine, layer, `weights of layer ${l + 1}`);
  }
}

function checkPrecision({ precision }: Engine, { base }: LayerWeights, what: string): void {
  agree(what, precision, base instanceof Float32Array ? "float32" : "float64");
}

/** The factors in use, [rank, columns] and [rank, fanOut], to be read. */
export function factorsOf(weights: LayerWeights): { left: FloatArray; right: FloatArray; rank: number } {
  const { columns, fanOut, base } = weights;
  const { left, right, rank } = pending.get(weights) ?? { left: base, right: base, rank: 0 };
  return { left: left.subarray(0, rank * columns), right: right.subarray(0, rank * fanOut), rank };
}

/** The same as tensors. */
export function factorTensors(engine: Engine, weights: LayerWeights): [left: Tensor, right: Tensor] {
  const { left, right, rank } = factorsOf(weights);
  return [engine.tensor(left, [rank, weights.columns]), engine.tensor(right, [rank, weights.fanOut])];
}

/**
 * A place in the weights that is lent to a step: what it puts there, the H_l of its samples, is in use once the step appends its
 * rows, and need not be copied.
 */
export type Place = { readonly inputs: FloatArray; readonly at: number };

/** The place of the next N rows; undefined where a step would fold first. */
export function lend(engine: Engine, weights: LayerWeights, n: number): Place | undefined {
  const rank = rankOf(weights);
  if (!weights.lowRank || rank + n > MAX_RANK || n >= MAX_RANK) return undefined;
  const { left } = allocated(engine, weights);
  return { inputs: left.subarray(rank * weights.columns, (rank + n) * weights.columns), at: rank };
}

function allocated(engine: Engine, weights: LayerWeights): Factors {
  const factors = pending.get(weights) ?? {
    left: engine.floats(MAX_RANK * weights.columns),
    right: engine.floats(MAX_RANK * weights.fanOut),
    rank: 0,
  };
  pending.set(weights, factors);
  return factors;
}

/**
 * Appends H_l [N, columns] to the left factor, unless it lies in its `place` there already, and returns the place of N rows of the right
 * one, to be filled. Only for N < {@link MAX_RANK}.
 */
export function append(
  engine: Engine,
  weights: LayerWeights,
  H: Matrix<FloatArray>,
  place?: Place,
): FloatArray {
  const { columns, fanOut } = weights;
  const factors = allocated(engine, weights);
  const { left, right, rank } = factors;
  if (place?.inputs !== H.data || place.at !== rank) left.set(H.data, rank * columns);
  factors.rank += H.rows;
  return right.subarray(rank * fanOut, factors.rank * fanOut);
}

/** Brings wide matrices up to date. */
export type Folder = {
  /** base += right^T left for factors [R, columns] and [R, fanOut]. */
  accumulate(
    weights: Pick<LayerWeights, "columns" | "fanOut" | "base">,
    left: Tensor,
    right: Tensor,
  ): Promise<void>;
  /** Folds the factors in use into `base`; the rank is then zero. */
  fold(weights: LayerWeights): Promise<void>;
};

/** The folder of an engine. */
export function createFolder(engine: Engine): Folder {
  let program: Promise<Program> | undefined;

  const accumulate: Folder["accumulate"] = async ({ columns, fanOut, base: target }, left, right) => {
    program ??= engine.compile(foldGraph(engine));
    const base = engine.tensor(target, [fanOut, columns]);
    const part = ({ data, dims: [, cols] }: Tensor, from: number, to: number): Tensor =>
      engine.tensor((data as FloatArray).subarray(from * cols!, to * cols!), [to - from, cols!]);
    for (const [from, to] of tiles(left.dims[0]!, tileFor(2 * columns * fanOut))) {
      // In place on the native CPU: Gemm starts by copying its C to the output, here the same memory.
      const feeds = { left: part(left, from, to), right: part(right, from, to), base };
      await (await program).run(feeds, { result: base });
    }
  };

  return {
    accumulate,
    async fold(weights) {
      checkPrecision(engine, weights, "weights");
      const factors = pending.get(weights);
      if (!factors || factors.rank === 0) return;
      await accumulate(weights, ...factorTensors(engine, weights));
      factors.rank = 0;
    },
  };
}

function foldGraph(engine: Engine): Graph {
  const g = createGraph(engine.precision);
  const left = g.input("left", ["R", "columns"]);
  const right = g.input("right", ["R", "fanOut"]);
  const base = g.input("base", ["fanOut", "columns"]);
  g.output("result", gemm(g, right, left, { transA: true, plus: base }), ["fanOut", "columns"]);
  return g;
}
