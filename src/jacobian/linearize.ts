/**
 * @file Linearises a network on a batch: outputs of all samples and, for the first N of them, what a row of the Jacobian
 * is made of in each weight layer l:
 *
 *     H_l [N, I]        inputs, scaled, bias column last
 *     Delta_l [N C, O]  signals df_c(x_n)/du_l, rows (n, c)
 *
 * Row (n, c) of the layer's Jacobian is Delta_l[n, c] (x) H_l[n]; it is never formed. A block whose row is no single outer product
 * (one that acts at several positions of a sample, gains and shifts) is kept as its rows J_l [N C, O I]: that is the same thing
 * with Delta_l = J_l and H_l a column of ones. Where that takes more operations or too much memory, H and Delta are kept at every
 * position (ops/op.ts has the rule). Samples go through the network in
 * tiles, so that only H and Delta grow with their number; as many tiles at a time as the engine has lanes.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import type { Engine, FloatArray, Tensor, Tensors } from "../engine/engine.ts";
import { createGraph, type Graph, type Value } from "../engine/graph.ts";
import { onLanes } from "../engine/lanes.ts";
import { meanAlong, reshape, sumAlong, swapFirst } from "../engine/ops.ts";
import { agree, InputError } from "../error.ts";
import { allFinite, matrix, rowRange, toFloat64, type Floats, type Matrix } from "../linalg/matrix.ts";
import { appendBackward, appendForward } from "../network/backward.ts";
import type { Network } from "../network/network.ts";
import { isOuter, keptForm, keptPositions, keptSizes, positionsOf, type BlockShape } from "../ops/op.ts";
import { tileFor, tiles } from "./runs.ts";
import { checkWeights, factorTensors, rankOf, type Weights } from "./weights.ts";

/** What is known of a weight layer on a batch. The arrays live until the next call on the same linearizer. */
export type LayerLinearization = BlockShape & {
  /** H_l [N, columns], at every position [N, T columns], or ones [N, 1] where `signals` are rows. */
  readonly inputs: Matrix<FloatArray>;
  /** Delta_l [N C, fanOut], at every position [N C, T fanOut], or the rows J_l [N C, fanOut columns]. */
  readonly signals: Matrix<FloatArray>;
  /** T where they are kept at every position, else 1. */
  readonly kept: number;
  /** Of a block that acts at several positions: H averaged and Delta summed over them, [N, columns] and [N C, fanOut]. */
  readonly reduced?: { readonly inputs: Matrix<FloatArray>; readonly signals: Matrix<FloatArray> };
  /** The same at every position, [N, T columns] and [N C, T fanOut]; where that was asked for. */
  readonly expanded?: { readonly inputs: Matrix<FloatArray>; readonly signals: Matrix<FloatArray> };
};

/** A network linearised on a batch. */
export type Linearization = {
  /** f of every sample given, linearised or not: [samples, C]. */
  readonly outputs: Matrix;
  /** N, samples that are linearised. */
  readonly samples: number;
  readonly layers: readonly LayerLinearization[];
};

/** Options of a pass over a batch. */
export type PassOptions = Stoppable & {
  /** Samples that go through the network at a time; need not divide their number. Default: what takes some tenths of a second. */
  tile?: number;
  /** Called with the number of samples done. */
  progress?: (done: number, total: number) => void;
  /** The samples are known to be finite: they are not looked at again. */
  finite?: boolean;
};

/** Operations of a sample on its way through a network and back. */
const passOperations = ({ blocks, outputs }: Network): number =>
  2 *
  (1 + outputs) *
  blocks.reduce((sum, block) => sum + block.columns * block.fanOut * positionsOf(block), 0);

/** Numbers of a pass that stay in the cache: inputs and signals of blocks at all of their positions. */
const CACHED = 2 ** 21;

/**
 * Samples that go through a network at a time, by default. Where blocks act at many positions their inputs (patches) are far larger
 * than what goes in and comes out, and are read again soon: few samples at a time keep them in the cache.
 */
export function passTile(network: Network): number {
  const tile = tileFor(passOperations(network));
  const numbers = network.blocks
    .filter((block) => positionsOf(block) > 1)
    .reduce((sum, b) => sum + positionsOf(b) * (b.columns + network.outputs * b.fanOut), 0);
  return Math.max(1, Math.min(tile, Math.floor(CACHED / numbers)));
}

/** Evaluates and linearises one network on one engine. */
export type Linearizer = {
  readonly engine: Engine;
  readonly network: Network;
  /**
   * f(x) [samples, C] for samples [samples, M_0].
   * @throws InputError for samples that are not finite; RangeError for samples or weights of another network.
   */
  forward(weights: Weights, x: Matrix<Floats>, options?: PassOptions): Promise<Matrix>;
  /**
   * Outputs of all samples, and the linearisation on the first `count` of them (default: all).
   * @throws as `forward` does.
   */
  linearize(
    weights: Weights,
    x: Matrix<Floats>,
    count?: number,
    options?: PassOptions & {
      /** Where to put H_l, per layer; undefined: in an array of the linearizer. Nothing else is written into. */
      inputs?: readonly (FloatArray | undefined)[];
      /** Whether to keep H and Delta at every position, too. */
      positions?: boolean;
    },
  ): Promise<Linearization>;
};

/**
 * Builds and compiles the graphs of a network; batch sizes and ranks are free.
 * @example
 * import { createEngine, createLinearizer, createWeights, initialise, matrix, mlp } from "natgrad";
 *
 * const network = mlp(2, { width: 64 });
 * const engine = await createEngine();
 * const linearizer = await createLinearizer(engine, network);
 * const weights = createWeights(network, initialise(engine, network, 1));
 * const f = await linearizer.forward(weights, matrix(1, 2, Float64Array.of(0.6, 0.8)));
 * console.log(f.rows, f.cols); // 1 1
 * await engine.release();
 */
export async function createLinearizer(engine: Engine, network: Network): Promise<Linearizer> {
  const { outputs: C, blocks: shapes } = network;
  // Plain weights are most of the work. What pending factors need is compiled beside whatever is done next, and an error
  // of that comes back to who needs it.
  const compile = (pending: boolean) => ({
    linearize: engine.compile(linearizeGraph(engine, network, pending, false)),
    forward: engine.compile(forwardGraph(engine, network, pending)),
    expanded: lazily(() => engine.compile(linearizeGraph(engine, network, pending, true))),
  });
  const plain = compile(false);
  await Promise.all([plain.linearize, plain.forward]);
  const factored = compile(true);
  for (const program of [factored.linearize, factored.forward]) program.catch(() => {});
  const programsFor = (weights: Weights) =>
    weights.every((layer) => rankOf(layer) === 0) ? plain : factored;
  const buffer = createBuffers(engine);
  const usual = passTile(network);

  const weightFeeds = (weights: Weights): Tensors => {
    const feeds: Tensors = {};
    const pending = programsFor(weights) === factored;
    for (const [l, layer] of weights.entries()) {
      feeds[`base${l}`] = engine.tensor(layer.base, [layer.fanOut, layer.columns]);
      if (!pending || !isOuter(shapes[l]!)) continue;
      const [left, right] = factorTensors(engine, layer);
      feeds[`left${l}`] = left;
      feeds[`right${l}`] = right;
    }
    return feeds;
  };
  const tensor = (m: Matrix<FloatArray>): Tensor => engine.tensor(m.data, [m.rows, m.cols]);
  /** Rows of the Jacobian by a block, as its graph writes them. */
  const rowsTensor = (l: number, { rows, data }: Matrix<FloatArray>): Tensor => {
    const { columns, fanOut } = shapes[l]!;
    return engine.tensor(data, [rows / C, C * fanOut, columns]);
  };
  const batch = (x: Matrix<Floats>): Tensor => engine.tensor(x.data, [x.rows, x.cols]);

  /** f of rows [start, end) of x into the same rows of `f`. */
  async function evaluate(
    weights: Weights,
    x: Matrix<Floats>,
    f: Matrix<FloatArray>,
    start: number,
    { tile = usual, progress, signal }: PassOptions,
  ): Promise<void> {
    const program = await programsFor(weights).forward;
    const feeds = weightFeeds(weights);
    let done = start;
    await onLanes(tiles(x.rows, tile, start), engine.lanes, async ([from, to]) => {
      await breathe(signal);
      await program.run({ ...feeds, x: batch(rowRange(x, from, to)) }, { f: tensor(rowRange(f, from, to)) });
      progress?.((done += to - from), x.rows);
    });
  }

  const check = (weights: Weights, x: Matrix<Floats>, { finite = false }: PassOptions): void => {
    agree("x", `${network.inputs} columns`, `${x.cols} columns`);
    agree("x", `${x.rows * x.cols} numbers`, `${x.data.length} numbers`);
    checkWeights(engine, network, weights);
    if (!finite && !allFinite(x.data)) throw new InputError("x: wanted finite numbers, got NaN or Infinity");
  };

  return {
    engine,
    network,
    async forward(weights, x, options = {}) {
      check(weights, x, options);
      const f = matrix(x.rows, C, engine.floats(x.rows * C));
      await evaluate(weights, x, f, 0, options);
      return toFloat64(f);
    },
    async linearize(weights, x, count = x.rows, options = {}) {
      check(weights, x, options);
      if (!(Number.isInteger(count) && count >= 1 && count <= x.rows)) {
        throw new RangeError(`count: wanted a whole number from 1 to ${x.rows}, got ${count}`);
      }
      const { tile = usual, inputs, positions = false, progress, signal } = options;
      const programs = programsFor(weights);
      const program = await (positions ? programs.expanded() : programs.linearize);
      const weightsOf = weightFeeds(weights);
      const f = buffer("f", x.rows, C);
      const layers = shapes.map((shape, l): LayerLinearization => {
        const place = inputs?.[l];
        const { inputs: width, signals } = keptSizes(shape, C);
        const H = place ? matrix(count, width, place) : buffer(`H${l}`, count, width);
        const form = keptForm(shape, C);
        if (form === "rows") H.data.fill(1);
        const pair = { inputs: H, signals: buffer(`Delta${l}`, count * C, signals) };
        return {
          ...shape,
          ...pair,
          kept: keptPositions(shape, C),
          ...(form === "pairs" ? { expanded: pair } : {}),
          ...atPositions(shape, positions && form === "rows", (name, rows, cols) =>
            buffer(`${name}${l}`, name.startsWith("inputs") ? rows * count : rows * count * C, cols),
          ),
        };
      });
      // What is only evaluated rides along with the last tile where it fits.
      const together = ridesAlong(network) && x.rows <= tile ? x.rows : count;
      let done = 0;
      await onLanes(tiles(count, tile), engine.lanes, async ([from, to]) => {
        await breathe(signal);
        const last = to === count ? together : to;
        const feeds = {
          ...weightsOf,
          x: batch(rowRange(x, from, last)),
          ...(ridesAlong(network) ? { count: engine.integers(to - from) } : {}),
          cotangents: outputCotangents(engine, to - from, C),
        };
        const wanted: Tensors = { f: tensor(rowRange(f, from, last)) };
        const want = (name: string, m: Matrix<FloatArray>, rows: number): void => {
          wanted[name] = tensor(rowRange(m, from * rows, to * rows));
        };
        for (const [l, { inputs, signals, reduced, expanded }] of layers.entries()) {
          const form = keptForm(shapes[l]!, C);
          if (form !== "rows") want(`H${l}`, inputs, 1);
          if (form === "rows") wanted[`Delta${l}`] = rowsTensor(l, rowRange(signals, from * C, to * C));
          else want(`Delta${l}`, signals, C);
          for (const [name, pair] of Object.entries({ reduced, expanded })) {
            if (!pair || (name === "expanded" && form === "pairs")) continue;
            want(`inputs ${name}${l}`, pair.inputs, 1);
            want(`signals ${name}${l}`, pair.signals, C);
          }
        }
        await program.run(feeds, wanted);
        progress?.((done += last - from), x.rows);
      });
      if (together < x.rows) await evaluate(weights, x, f, together, options);
      return { outputs: toFloat64(f), samples: count, layers };
    },
  };
}

/** df_c(x_n)/df at the output: for output c, the c-th unit vector for each of N samples. */
function outputCotangents(engine: Engine, N: number, C: number): Tensor {
  const data = engine.floats(C * N * C);
  for (let row = 0; row < C * N; row++) data[row * C + Math.floor(row / N)] = 1;
  return engine.tensor(data, C === 1 ? [N, 1] : [C, N, C]);
}

/** Arrays that are reused from call to call while their shape stays: fresh pages cost more than what is written to them. */
function createBuffers(engine: Engine): (name: string, rows: number, cols: number) => Matrix<FloatArray> {
  const kept = new Map<string, Matrix<FloatArray>>();
  return (name, rows, cols) => {
    const known = kept.get(name);
    if (known?.rows === rows && known.cols === cols) return known;
    const fresh = matrix(rows, cols, engine.floats(rows * cols));
    kept.set(name, fresh);
    return fresh;
  };
}

function forwardGraph(engine: Engine, network: Network, pending: boolean): Graph {
  const g = createGraph(engine.precision);
  g.output("f", appendForward(g, network, pending).f, ["samples", network.outputs]);
  return g;
}

function linearizeGraph(engine: Engine, network: Network, pending: boolean, expand: boolean): Graph {
  const g = createGraph(engine.precision);
  const { outputs: C, blocks } = network;
  const forward = appendForward(g, network, pending);
  g.output("f", forward.f, ["samples", C]);
  const count = ridesAlong(network) ? g.input("count", [1], "int64") : undefined;
  const cotangents = g.input("cotangents", C === 1 ? ["N", 1] : [C, "N", C]);
  for (const [l, found] of appendBackward(g, network, forward, cotangents, count).entries()) {
    const shape = blocks[l]!;
    const { columns, fanOut } = shape;
    const T = positionsOf(shape);
    const signals = (name: string, D: Value, size: number): void =>
      g.output(`${name}${l}`, bySample(g, D, C, size), ["NC", size]);
    if (found.kind === "outer") {
      g.output(`H${l}`, found.H, ["N", columns]);
      signals("Delta", found.D, fanOut);
      continue;
    }
    const lead = C === 1 ? [] : [C];
    const form = keptForm(shape, C);
    if (form === "rows") g.output(`Delta${l}`, found.J, ["N", C * fanOut, columns]);
    if (!hasPositions(shape)) continue;
    const { H, D } = found.positions!;
    const axis = C === 1 ? 1 : 2;
    const everywhere = (name: string): void => {
      g.output(`${name === "Delta" ? "H" : "inputs expanded"}${l}`, reshape(g, H, -1, T * columns), [
        "N",
        T * columns,
      ]);
      signals(name, reshape(g, D, ...lead, -1, T * fanOut), T * fanOut);
    };
    if (form === "pairs") everywhere("Delta");
    g.output(`inputs reduced${l}`, meanAlong(g, H, 1), ["N", columns]);
    signals("signals reduced", sumAlong(g, D, axis), fanOut);
    if (expand && form === "rows") everywhere("signals expanded");
  }
  return g;
}

/**
 * Whether samples that are only evaluated go through the network together with those that are linearised. Where blocks act at several
 * positions, cutting them off again would copy all values that the way back needs.
 */
const ridesAlong = ({ blocks }: Network): boolean => blocks.every((block) => positionsOf(block) === 1);

/** Whether a block acts at several positions, each time by an outer product. */
const hasPositions = (shape: BlockShape): boolean => shape.form !== "rows" && !isOuter(shape);

/** Room for what is kept of such a block beside its rows. */
function atPositions(
  shape: BlockShape,
  expand: boolean,
  room: (name: string, rows: number, cols: number) => Matrix<FloatArray>,
): Pick<LayerLinearization, "reduced" | "expanded"> {
  if (!hasPositions(shape)) return {};
  const { columns, fanOut } = shape;
  const pair = (name: string, T: number) => ({
    inputs: room(`inputs ${name}`, 1, T * columns),
    signals: room(`signals ${name}`, 1, T * fanOut),
  });
  return {
    reduced: pair("reduced", 1),
    ...(expand ? { expanded: pair("expanded", positionsOf(shape)) } : {}),
  };
}

/** A value that is made at the first call. */
function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Signals [C, N, size] as [N C, size], rows (n, c). */
function bySample(g: Graph, D: Value, outputs: number, size: number): Value {
  return outputs === 1 ? D : reshape(g, swapFirst(g, D), -1, size);
}
