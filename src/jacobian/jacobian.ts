/**
 * @file Products with the Jacobian of a linearisation, which is never formed. With G_l [M_l, columns] a matrix of the shape
 * of theta_l and v [N C],
 *
 *     J_l^T v = sum over (n, c) of v_nc Delta_l[n, c] (x) H_l[n] = U_l^T H_l,    U_l[n] = sum over c of v_nc Delta_l[n, c]
 *     (J_l G)_nc = Delta_l[n, c] . G_l H_l[n]
 *
 * (with positions both are summed over them, too), each one Gemm of 2 N M_l columns operations per layer, on tiles of the samples. So Theta v = sum over l of J_l J_l^T v costs
 * 4 N P operations and no memory that grows with N^2.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { agree } from "../error.ts";
import type { Engine, FloatArray, Program } from "../engine/engine.ts";
import { createGraph, type Graph } from "../engine/graph.ts";
import { onLanes } from "../engine/lanes.ts";
import { gemm, mul, reshape, sumAlong, transpose, unsqueeze1 } from "../engine/ops.ts";
import { matrix, rowRange, type Matrix } from "../linalg/matrix.ts";
import type { LayerLinearization, Linearization } from "./linearize.ts";
import { tileFor, tiles } from "./runs.ts";

/** H_l and Delta_l of one layer. */
export type LayerRows = Pick<LayerLinearization, "inputs" | "signals" | "kept">;

/** Products with J on one engine. */
export type Jacobian = {
  /** target [M_l, columns] += J_l^T v for v [N C], in place. */
  addTransposed(target: FloatArray, layer: LayerRows, v: Float64Array): Promise<void>;
  /** out [N C] += J_l G for G [M_l, columns]. */
  addProduct(out: Float64Array, layer: LayerRows, G: FloatArray): Promise<void>;
  /** The rows of a layer that is no outer product, [N C, O I]: those that it has, or written out. */
  written(layer: LayerRows): Promise<Matrix<FloatArray>>;
  /** Theta v = J J^T v for v [N C], over all layers. */
  tangentProduct(
    linearization: Pick<Linearization, "layers">,
    v: Float64Array,
    options?: Stoppable,
  ): Promise<Float64Array>;
};

/** The products of an engine; graphs are compiled when they are first needed. */
export function createJacobian(engine: Engine, { tile }: { tile?: number } = {}): Jacobian {
  const compiled = new Map<string, Promise<Program>>();
  /** What depends on the sizes of a block where it has positions. */
  const compile = (key: string, graph: () => Graph): Promise<Program> => {
    const program = compiled.get(key) ?? engine.compile(graph());
    compiled.set(key, program);
    return program;
  };
  const scratch = new Map<number, FloatArray>();
  const tilesOf = ({ inputs, signals, kept }: LayerRows) =>
    tiles(inputs.rows, tile ?? tileFor((2 * inputs.cols * signals.cols) / kept));

  /** H, and Delta by sample, of the samples [from, to). */
  function rows({ inputs, signals, kept }: LayerRows, [from, to]: readonly [number, number]) {
    const C = signals.rows / inputs.rows;
    const H: Matrix<FloatArray> = rowRange(inputs, from, to);
    const delta: Matrix<FloatArray> = rowRange(signals, from * C, to * C);
    return {
      H: engine.tensor(H.data, [(to - from) * kept, H.cols / kept]),
      delta: engine.tensor(delta.data, [to - from, C, delta.cols]),
    };
  }

  const jacobian: Jacobian = {
    async addTransposed(target, layer, v) {
      checkSizes(layer, target, v);
      const { inputs, signals, kept } = layer;
      const [I, O] = [inputs.cols / kept, signals.cols / kept];
      const key = kept === 1 ? "transposed" : `transposed ${O}`;
      const program = await compile(key, () => transposedGraph(engine, kept === 1 ? undefined : O));
      const C = signals.rows / inputs.rows;
      const G = engine.tensor(target, [O, I]);
      // One after the other, whatever the lanes: they add up in one place.
      for (const [from, to] of tilesOf(layer)) {
        const part = engine.floats((to - from) * C);
        part.set(v.subarray(from * C, to * C));
        const feeds = { ...rows(layer, [from, to]), v: engine.tensor(part, [to - from, C, 1]), G };
        // In place on the native CPU: Gemm starts by copying its C to the output, here the same memory.
        await program.run(feeds, { sum: G });
      }
    },
    async addProduct(out, layer, G) {
      checkSizes(layer, G, out);
      const { inputs, signals, kept } = layer;
      const key = kept === 1 ? "forward" : `forward ${signals.cols}`;
      const program = await compile(key, () => forwardGraph(engine, kept === 1 ? undefined : signals.cols));
      const C = signals.rows / inputs.rows;
      const theta = engine.tensor(G, [signals.cols / kept, inputs.cols / kept]);
      await onLanes(tilesOf(layer), engine.lanes, async ([from, to]) => {
        const part = engine.floats((to - from) * C);
        await program.run(
          { ...rows(layer, [from, to]), G: theta },
          { product: engine.tensor(part, [to - from, C]) },
        );
        for (const [i, x] of part.entries()) out[from * C + i]! += x;
      });
    },
    async written(layer) {
      const { inputs, signals, kept } = layer;
      const [C, I, O] = [signals.rows / inputs.rows, inputs.cols / kept, signals.cols / kept];
      if (kept === 1) return signals;
      const program = await compile(`written ${C} ${kept} ${I} ${O}`, () =>
        writtenGraph(engine, C, kept, I, O),
      );
      const J = matrix(signals.rows, O * I, engine.floats(signals.rows * O * I));
      await onLanes(tilesOf(layer), engine.lanes, async ([from, to]) => {
        const part = rowRange(J, from * C, to * C);
        await program.run(rows(layer, [from, to]), { J: engine.tensor(part.data, [(to - from) * C, O * I]) });
      });
      return J;
    },
    async tangentProduct({ layers }, v, { signal } = {}) {
      const out = new Float64Array(v.length);
      for (const layer of layers) {
        await breathe(signal);
        const size = (layer.signals.cols / layer.kept) * (layer.inputs.cols / layer.kept);
        const G = scratch.get(size) ?? engine.floats(size);
        scratch.set(size, G.fill(0));
        await jacobian.addTransposed(G, layer, v);
        await jacobian.addProduct(out, layer, G);
      }
      return out;
    },
  };
  return jacobian;
}

/** @throws RangeError unless G has the shape of theta_l, and v one number per sample and output. */
function checkSizes({ inputs, signals, kept }: LayerRows, G: FloatArray, v: Float64Array): void {
  const [O, I] = [signals.cols / kept, inputs.cols / kept];
  agree("G", `${O} x ${I} numbers`, sized(G, O, I));
  agree("v", `${signals.rows} numbers`, `${v.length} numbers`);
}

const sized = ({ length }: FloatArray, rows: number, cols: number): string =>
  length === rows * cols ? `${rows} x ${cols} numbers` : `${length} numbers`;

/** G + U^T H with U[n] = sum over c of v_nc Delta[n, c]; with `fanOut` rows of U and H are those of all positions. */
function transposedGraph(engine: Engine, fanOut: number | undefined): Graph {
  const g = createGraph(engine.precision);
  const delta = g.input("delta", ["n", "C", "M"]);
  const v = g.input("v", ["n", "C", 1]);
  const H = g.input("H", ["nT", "columns"]);
  const G = g.input("G", ["O", "columns"]);
  const sum = sumAlong(g, mul(g, delta, v), 1);
  const U = fanOut === undefined ? sum : reshape(g, sum, -1, fanOut);
  g.output("sum", gemm(g, U, H, { transA: true, plus: G }), ["O", "columns"]);
  return g;
}

/** Delta[n, c] . G H[n]; `width`: of a row of Delta with all its positions. */
function forwardGraph(engine: Engine, width: number | undefined): Graph {
  const g = createGraph(engine.precision);
  const delta = g.input("delta", ["n", "C", "M"]);
  const H = g.input("H", ["nT", "columns"]);
  const G = g.input("G", ["O", "columns"]);
  const product = gemm(g, H, G, { transB: true });
  const moved = width === undefined ? unsqueeze1(g, product) : reshape(g, product, -1, 1, width);
  g.output("product", sumAlong(g, mul(g, delta, moved), 2), ["n", "C"]);
  return g;
}

/** J[n, c] = sum over t of Delta[n, c, t] (x) H[n, t], as rows. */
function writtenGraph(engine: Engine, C: number, T: number, I: number, O: number): Graph {
  const g = createGraph(engine.precision);
  const delta = reshape(g, g.input("delta", ["n", C, T * O]), -1, C, T, O);
  const H = reshape(g, g.input("H", ["nT", I]), -1, 1, T, I);
  const J = g.node("MatMul", [transpose(g, delta, [0, 1, 3, 2]), H]);
  g.output("J", reshape(g, J, -1, O * I), ["nC", O * I]);
  return g;
}
