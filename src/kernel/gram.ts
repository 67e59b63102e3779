/**
 * @file Grams of a linearisation, tile by tile on the engine: of each layer, A_l = H_l H_l^T and B_l = Delta_l Delta_l^T,
 * or of the whole network at once, Theta = sum over l of B_l o (A_l (x) 1_C 1_C^T), whose tiles are summed over the
 * layers before they leave the engine. Where both sides are the same samples only tiles on and below the diagonal are
 * computed and the rest is their mirror image: half the work, and exact symmetry. Tiles are independent, and go on as many
 * at a time as the engine has lanes.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { agree, demandWhole } from "../error.ts";
import type { Engine, FloatArray, Tensors } from "../engine/engine.ts";
import { createGraph, type Graph } from "../engine/graph.ts";
import { onLanes } from "../engine/lanes.ts";
import { add, gemm, mul, reshapeTo, sumAlong } from "../engine/ops.ts";
import type { LayerLinearization } from "../jacobian/linearize.ts";
import { RUN } from "../jacobian/runs.ts";
import { matrix, rowRange, setBlock, zeros, type Matrix } from "../linalg/matrix.ts";
import { tilesOf } from "./tiles.ts";

/** The rows of one side: H_l and Delta_l of its samples in every layer. */
export type Side = readonly Pick<
  LayerLinearization,
  "inputs" | "signals" | "kept" | "reduced" | "expanded"
>[];

/** Options of {@link createGrams}. */
export type GramOptions = Stoppable & {
  /** Rows of a tile; need not divide their number. Default: few enough to profit from symmetry, enough for full speed. */
  tile?: number;
  /** Called with the number of tiles done. */
  progress?: (done: number, total: number) => void;
};

/** Computes Grams on one engine. */
export type Grams = {
  /** a b^T [n, m] in float64; `b` left out: a a^T. */
  product(a: Matrix<FloatArray>, b?: Matrix<FloatArray>, options?: GramOptions): Promise<Matrix>;
  /** Theta [N' C, N C] in float64 of the samples of `left` and of `right`; `right` left out: of `left` with itself. */
  theta(left: Side, right?: Side, options?: GramOptions): Promise<Matrix>;
  /** Begins to compile what `theta` of layers that keep so many positions will need, beside whatever is done next. */
  prepareTheta(kept: readonly number[], outputs: number): void;
};

/**
 * Rows of a tile of a Gram of n rows with `inner` numbers each: about sixteen tiles per side for moderate n, and no more than
 * 1024 rows, or than what one run should take.
 */
const defaultTile = (n: number, inner: number): number =>
  n <= 256
    ? n
    : Math.min(1024, Math.max(192, Math.min(Math.ceil(n / 8), Math.floor(Math.sqrt(RUN / (2 * inner))))));

/** Samples of a tile. */
const usualTile = ([n, m]: readonly [number, number], C: number, inner: number): number =>
  Math.ceil(defaultTile(Math.max(n, m) * C, inner) / C);

/** Rows of a tile at most where they are those of all positions: their products are there before they are summed. */
const PAIRS = 2048;

const known = new WeakMap<Engine, Grams>();

/** The Grams of an engine, one object per engine; graphs are compiled when they are first needed. */
export function createGrams(engine: Engine): Grams {
  const grams = known.get(engine) ?? newGrams(engine);
  known.set(engine, grams);
  return grams;
}

function newGrams(engine: Engine): Grams {
  const compiled = new Map<string, ReturnType<Engine["compile"]>>();
  const compile = (key: string, graph: () => Graph) => {
    let program = compiled.get(key);
    if (!program) compiled.set(key, (program = engine.compile(graph())));
    return program;
  };
  const tensor = ({ rows, cols, data }: Matrix<FloatArray>) => engine.tensor(data, [rows, cols]);
  const byPosition = ({ rows, cols, data }: Matrix<FloatArray>, kept: number) =>
    engine.tensor(data, [rows * kept, cols / kept]);
  /** Tiles that are free for reuse: new memory pages cost more time than writing to them. */
  const spare: FloatArray[] = [];
  const borrow = (size: number): FloatArray => {
    const at = spare.findIndex(({ length }) => length >= size);
    return at < 0 ? engine.floats(size) : spare.splice(at, 1)[0]!;
  };

  /**
   * Fills [n C, m C] from tiles that `run` computes for sample ranges, of rows of `inner` numbers; `symmetric`: mirrors those
   * above the diagonal.
   */
  async function fill(
    [n, m]: readonly [number, number],
    C: number,
    inner: number,
    symmetric: boolean,
    { tile = usualTile([n, m], C, inner), progress, signal }: GramOptions,
    run: (rows: Range, cols: Range, out: Matrix<FloatArray>) => Promise<void>,
  ): Promise<Matrix> {
    const out = zeros(n * C, m * C);
    demandWhole("tile", tile);
    const areas = tilesOf({ rows: n, cols: m }, { rows: tile, cols: tile }, symmetric);
    const size = Math.min(tile, n) * Math.min(tile, m) * C * C;
    const scratch: FloatArray[] = [];
    let done = 0;
    await onLanes(areas, engine.lanes, async (area, lane) => {
      await breathe(signal);
      const array = (scratch[lane] ??= borrow(size));
      const [height, width] = [area.rows * C, area.cols * C];
      const part = matrix(height, width, array.subarray(0, height * width));
      await run([area.row, area.row + area.rows], [area.col, area.col + area.cols], part);
      setBlock(out, area.row * C, area.col * C, part);
      if (symmetric) mirror(out, part, area.row * C, area.col * C);
      progress?.(++done, areas.length);
    });
    spare.push(...scratch);
    return out;
  }

  const compileTheta = (kept: readonly number[], C: number) =>
    compile(`theta ${kept.join()} ${C}`, () => thetaGraph(engine, kept, C));

  return {
    prepareTheta(kept, C) {
      // An error is thrown to the caller that needs the graph.
      compileTheta(kept, C).catch(() => {});
    },
    async product(a, b, options = {}) {
      const program = await compile("product", () => productGraph(engine));
      const right = b ?? a;
      agree("gram", `${a.cols} columns`, `${right.cols} columns`);
      return fill([a.rows, right.rows], 1, a.cols, b === undefined, options, async (rows, cols, out) => {
        const feeds = { a: tensor(rowRange(a, ...rows)), b: tensor(rowRange(right, ...cols)) };
        await program.run(feeds, { gram: tensor(out) });
      });
    },
    async theta(left, right, options = {}) {
      const other = right ?? left;
      checkSides(left, other);
      const C = left[0]!.signals.rows / left[0]!.inputs.rows;
      const program = await compileTheta(
        left.map(({ kept }) => kept),
        C,
      );
      const sizes = [left[0]!.inputs.rows, other[0]!.inputs.rows] as const;
      // With positions a pair of rows takes as many products as there are pairs of them.
      const inner = left.reduce(
        (sum, { inputs, signals, kept }) => sum + kept * (inputs.cols / C ** 2 + signals.cols),
        0,
      );
      const most = Math.floor(PAIRS / (C * Math.max(...left.map(({ kept }) => kept))));
      const tile = options.tile ?? Math.min(usualTile(sizes, C, inner), Math.max(1, most));
      return fill(sizes, C, inner, right === undefined, { ...options, tile }, async (rows, cols, out) => {
        const feeds: Tensors = {};
        const feed = (side: string, layers: Side, [from, to]: Range): void => {
          for (const [l, { inputs, signals, kept }] of layers.entries()) {
            feeds[`H${side}${l}`] = byPosition(rowRange(inputs, from, to), kept);
            feeds[`Delta${side}${l}`] = byPosition(rowRange(signals, from * C, to * C), kept);
          }
        };
        feed("left", left, rows);
        feed("right", other, cols);
        const [n, m] = [rows[1] - rows[0], cols[1] - cols[0]];
        for (const T of new Set(left.map(({ kept }) => kept))) {
          if (T === 1) continue;
          feeds[`pairs${T}`] = engine.integers(n, C, T, m, C, T);
          feeds[`common${T}`] = engine.integers(n, 1, T, m, 1, T);
        }
        if (C > 1) {
          feeds.blocks = engine.integers(n, C, m, C);
          feeds.samples = engine.integers(n, 1, m, 1);
          feeds.whole = engine.integers(n * C, m * C);
        }
        await program.run(feeds, { theta: tensor(out) });
      });
    },
  };
}

/** @throws RangeError unless both sides are of one network. */
function checkSides(left: Side, right: Side): void {
  if (left.length === 0) throw new RangeError("theta: wanted a layer or more, got none");
  agree("theta", `${left.length} layers`, `${right.length} layers`);
  for (const [l, { inputs, signals }] of left.entries()) {
    const other = right[l]!;
    agree(
      `theta: layer ${l + 1}`,
      `${inputs.cols} x ${signals.cols} weights and ${signals.rows / inputs.rows} outputs`,
      `${other.inputs.cols} x ${other.signals.cols} weights and ${other.signals.rows / other.inputs.rows} outputs`,
    );
  }
}

/** Samples [from, to). */
type Range = readonly [from: number, to: number];

/** Rows and columns that are transposed at a time, so that both sides stay in the cache. */
const MIRROR_BLOCK = 32;

/** Writes the transpose of `part` at row j and column i. On the diagonal it makes the upper half that of the lower. */
function mirror(out: Matrix, part: Matrix<FloatArray>, i: number, j: number): void {
  const diagonal = i === j;
  for (let r = 0; r < part.rows; r += MIRROR_BLOCK) {
    for (let c = 0; c < part.cols; c += MIRROR_BLOCK) {
      if (diagonal && c > r) break;
      const [rowEnd, colEnd] = [Math.min(r + MIRROR_BLOCK, part.rows), Math.min(c + MIRROR_BLOCK, part.cols)];
      for (let col = c; col < colEnd; col++) {
        const to = (j + col) * out.cols + i;
        for (let row = diagonal ? Math.max(r, col + 1) : r; row < rowEnd; row++) {
          out.data[to + row] = part.data[row * part.cols + col]!;
        }
      }
    }
  }
}

function productGraph(engine: Engine): Graph {
  const g = createGraph(engine.precision);
  const a = g.input("a", ["n", "k"]);
  const b = g.input("b", ["m", "k"]);
  g.output("gram", gemm(g, a, b, { transB: true }), ["n", "m"]);
  return g;
}

/** The sum over layers of B o A; of a layer that keeps T positions of the sums of that over pairs of them. */
function thetaGraph(engine: Engine, kept: readonly number[], C: number): Graph {
  const g = createGraph(engine.precision);
  const shape = (name: string, size: number) => g.input(name, [size], "int64");
  const [blocks, samples] = C > 1 ? [shape("blocks", 4), shape("samples", 4)] : [];
  const several = new Set(kept.filter((T) => T > 1));
  const pairs = new Map([...several].map((T) => [T, shape(`pairs${T}`, 6)]));
  const common = new Map([...several].map((T) => [T, shape(`common${T}`, 6)]));
  let theta;
  for (const [l, T] of kept.entries()) {
    const gram = (name: string, n: string, m: string) =>
      gemm(
        g,
        g.input(`${name}left${l}`, [n, `${name}${l}`]),
        g.input(`${name}right${l}`, [m, `${name}${l}`]),
        {
          transB: true,
        },
      );
    let A = gram("H", `n${l}`, `m${l}`);
    let B = gram("Delta", `nC${l}`, `mC${l}`);
    let layer;
    if (T > 1) {
      const all = mul(g, reshapeTo(g, B, pairs.get(T)!), reshapeTo(g, A, common.get(T)!));
      layer = sumAlong(g, sumAlong(g, all, 5), 2);
      // [n, C, m, C]; with one output [n, m].
      if (C === 1) layer = sumAlong(g, sumAlong(g, layer, 3), 1);
    } else {
      if (blocks && samples) {
        A = reshapeTo(g, A, samples);
        B = reshapeTo(g, B, blocks);
      }
      layer = mul(g, B, A);
    }
    theta = theta ? add(g, theta, layer) : layer;
  }
  if (C > 1) theta = reshapeTo(g, theta!, shape("whole", 2));
  g.output("theta", theta!, ["nC", "mC"]);
  return g;
}
