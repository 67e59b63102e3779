/**
 * @file Low-rank weights: theta_l = base + right^T left. A step of any method adds U_l^T H_l: it appends N rows to two
 * thin factors (left = H_l, right = U_l) and leaves the wide matrix alone. When the rank reaches {@link MAX_RANK} the
 * factors are folded into `base`, in place.
 */
import { agree } from "../error.ts";
import type { Engine, FloatArray, Program, Tensor } from "../graph/engine.ts";
import { createGraph, type Graph } from "../graph/graph.ts";
import { gemm } from "../graph/ops.ts";
import type { Network } from "../network/network.ts";
import { tileFor, tiles } from "./runs.ts";

/** Rank at which the factors are folded: they then cost about 10 % of a pass at width 4096. */
export const MAX_RANK = 200;

/** theta_l [fanOut, rows] of one layer with its factors; `rank` rows of each factor are in use. */
export type LayerWeights = {
  readonly rows: number;
  readonly fanOut: number;
  readonly base: FloatArray;
  left: FloatArray;
  right: FloatArray;
  rank: number;
};

/** The weights of a network, first layer to last. */
export type Weights = readonly LayerWeights[];

/**
 * Wraps one array [fanOut, rows] a layer; the arrays become the property of the weights and change in place.
 * @throws RangeError when there is not one per layer, of its size.
 */
export function createWeights(network: Network, bases: readonly FloatArray[]): Weights {
  agree("weights", `${network.weights.length} layers`, `${bases.length} layers`);
  return network.weights.map(({ rows, fanOut }, l) => {
    const base = bases[l];
    if (base?.length !== rows * fanOut) {
      throw new RangeError(`weights: wanted ${fanOut} x ${rows} in layer ${l + 1}, got ${base?.length}`);
    }
    const empty = base.subarray(0, 0);
    return { rows, fanOut, base, left: empty, right: empty, rank: 0 };
  });
}

/**
 * Checks that weights are those of a network on an engine.
 * @throws RangeError when they have other sizes, or are of another precision: they would be converted, and not change.
 */
export function checkWeights(engine: Engine, network: Network, weights: Weights): void {
  agree("weights", `${network.weights.length} layers`, `${weights.length} layers`);
  for (const [l, { rows, fanOut }] of network.weights.entries()) {
    const layer = weights[l]!;
    agree(`weights of layer ${l + 1}`, `${fanOut} x ${rows}`, `${layer.fanOut} x ${layer.rows}`);
    checkPrecision(engine, layer, `weights of layer ${l + 1}`);
  }
}

function checkPrecision({ precision }: Engine, { base }: LayerWeights, what: string): void {
  agree(what, precision, base instanceof Float32Array ? "float32" : "float64");
}

/** The factors in use, [rank, rows] and [rank, fanOut], as views. */
export function factors(engine: Engine, weights: LayerWeights): [left: Tensor, right: Tensor] {
  const { rank, rows, fanOut } = weights;
  return [
    engine.tensor(weights.left.subarray(0, rank * rows), [rank, rows]),
    engine.tensor(weights.right.subarray(0, rank * fanOut), [rank, fanOut]),
  ];
}

/**
 * Where the next N rows of `left` will lie, so that a linearisation can put H_l there and a step need not copy it;
 * undefined where a step would fold first.
 */
export function nextInputs(engine: Engine, weights: LayerWeights, n: number): FloatArray | undefined {
  if (weights.rank + n > MAX_RANK || n >= MAX_RANK) return undefined;
  allocate(engine, weights);
  return weights.left.subarray(weights.rank * weights.rows, (weights.rank + n) * weights.rows);
}

function allocate(engine: Engine, weights: LayerWeights): void {
  if (weights.left.length > 0) return;
  weights.left = engine.floats(MAX_RANK * weights.rows);
  weights.right = engine.floats(MAX_RANK * weights.fanOut);
}

/** Places for the next N rows of both factors; filled by the caller. Only for N < {@link MAX_RANK}. */
export function appendRows(
  engine: Engine,
  weights: LayerWeights,
  n: number,
): [left: FloatArray, right: FloatArray] {
  const { rows, fanOut, rank } = weights;
  allocate(engine, weights);
  weights.rank += n;
  return [
    weights.left.subarray(rank * rows, weights.rank * rows),
    weights.right.subarray(rank * fanOut, weights.rank * fanOut),
  ];
}

/** Brings wide matrices up to date. */
export type Folder = {
  /** base += right^T left for factors [R, rows] and [R, fanOut]. */
  accumulate(
    weights: Pick<LayerWeights, "rows" | "fanOut" | "base">,
    left: Tensor,
    right: Tensor,
  ): Promise<void>;
  /** Folds the factors in use into `base`; the rank is then zero. */
  fold(weights: LayerWeights): Promise<void>;
};

/** The folder of an engine. */
export function createFolder(engine: Engine): Folder {
  let program: Promise<Program> | undefined;

  const accumulate: Folder["accumulate"] = async ({ rows, fanOut, base: target }, left, right) => {
    program ??= engine.compile(foldGraph(engine));
    const base = engine.tensor(target, [fanOut, rows]);
    const part = ({ data, dims: [, cols] }: Tensor, from: number, to: number): Tensor =>
      engine.tensor((data as FloatArray).subarray(from * cols!, to * cols!), [to - from, cols!]);
    for (const [from, to] of tiles(left.dims[0]!, tileFor(2 * rows * fanOut))) {
      // In place on the native CPU: Gemm starts by copying its C to the output, here the same memory.
      const feeds = { left: part(left, from, to), right: part(right, from, to), base };
      await (await program).run(feeds, { result: base });
    }
  };

  return {
    accumulate,
    async fold(weights) {
      checkPrecision(engine, weights, "weights");
      if (weights.rank === 0) return;
      await accumulate(weights, ...factors(engine, weights));
      weights.rank = 0;
    },
  };
}

function foldGraph(engine: Engine): Graph {
  const g = createGraph(engine.precision);
  const left = g.input("left", ["R", "rows"]);
  const right = g.input("right", ["R", "fanOut"]);
  const base = g.input("base", ["fanOut", "rows"]);
  g.output("result", gemm(g, right, left, { transA: true, plus: base }), ["fanOut", "rows"]);
  return g;
}
