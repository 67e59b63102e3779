/**
 * @file Products with the Jacobian of a linearisation, which is never formed. With G_l [M_l, columns] a matrix of the shape
 * of theta_l and v [N C],
 *
 *     J_l^T v = sum over (n, c) of v_nc Delta_l[n, c] (x) H_l[n] = U_l^T H_l,    U_l[n] = sum over c of v_nc Delta_l[n, c]
 *     (J_l G)_nc = Delta_l[n, c] . G_l H_l[n]
 *
 * each one Gemm of 2 N M_l columns operations per layer, on tiles of the samples. So Theta v = sum over l of J_l J_l^T v costs
 * 4 N P operations and no memory that grows with N^2.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { agree } from "../error.ts";
import type { Engine, FloatArray, Program } from "../engine/engine.ts";
import { createGraph, type Graph } from "../engine/graph.ts";
import { onLanes } from "../engine/lanes.ts";
import { gemm, mul, sumAlong, unsqueeze1 } from "../engine/ops.ts";
import { rowRange, type Matrix } from "../linalg/matrix.ts";
import type { LayerLinearization, Linearization } from "./linearize.ts";
import { tileFor, tiles } from "./runs.ts";

/** H_l and Delta_l of one layer. */
export type LayerRows = Pick<LayerLinearization, "inputs" | "signals">;

/** Products with J on one engine. */
export type Jacobian = {
  /** target [M_l, columns] += J_l^T v for v [N C], in place. */
  addTransposed(target: FloatArray, layer: LayerRows, v: Float64Array): Promise<void>;
  /** out [N C] += J_l G for G [M_l, columns]. */
  addProduct(out: Float64Array, layer: LayerRows, G: FloatArray): Promise<void>;
  /** Theta v = J J^T v for v [N C], over all layers. */
  tangentProduct(
    linearization: Pick<Linearization, "layers">,
    v: Float64Array,
    options?: Stoppable,
  ): Promise<Float64Array>;
};

/** The products of an engine; graphs are compiled when they are first needed. */
export function createJacobian(engine: Engine, { tile }: { tile?: number } = {}): Jacobian {
  let transposed: Promise<Program> | undefined;
  let forward: Promise<Program> | undefined;
  const scratch = new Map<number, FloatArray>();
  const tilesOf = ({ inputs, signals }: LayerRows) =>
    tiles(inputs.rows, tile ?? tileFor(2 * inputs.cols * signals.cols));

  /** H, and Delta by sample, of the samples [from, to). */
  function rows({ inputs, signals }: LayerRows, [from, to]: readonly [number, number]) {
    const C = signals.rows / inputs.rows;
    const H: Matrix<FloatArray> = rowRange(inputs, from, to);
    const delta: Matrix<FloatArray> = rowRange(signals, from * C, to * C);
    return {
      H: engine.tensor(H.data, [to - from, H.cols]),
      delta: engine.tensor(delta.data, [to - from, C, delta.cols]),
    };
  }

  const jacobian: Jacobian = {
    async addTransposed(target, layer, v) {
      checkSizes(layer, target, v);
      const program = await (transposed ??= engine.compile(transposedGraph(engine)));
      const { inputs, signals } = layer;
      const C = signals.rows / inputs.rows;
      const G = engine.tensor(target, [signals.cols, inputs.cols]);
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
      const program = await (forward ??= engine.compile(forwardGraph(engine)));
      const { inputs, signals } = layer;
      const C = signals.rows / inputs.rows;
      const theta = engine.tensor(G, [signals.cols, inputs.cols]);
      await onLanes(tilesOf(layer), engine.lanes, async ([from, to]) => {
        const part = engine.floats((to - from) * C);
        await program.run(
          { ...rows(layer, [from, to]), G: theta },
          { product: engine.tensor(part, [to - from, C]) },
        );
        for (const [i, x] of part.entries()) out[from * C + i]! += x;
      });
    },
    async tangentProduct({ layers }, v, { signal } = {}) {
      const out = new Float64Array(v.length);
      for (const layer of layers) {
        await breathe(signal);
        const size = layer.signals.cols * layer.inputs.cols;
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
function checkSizes({ inputs, signals }: LayerRows, G: FloatArray, v: Float64Array): void {
  agree("G", `${signals.cols} x ${inputs.cols} numbers`, sized(G, signals.cols, inputs.cols));
  agree("v", `${signals.rows} numbers`, `${v.length} numbers`);
}

const sized = ({ length }: FloatArray, rows: number, cols: number): string =>
  length === rows * cols ? `${rows} x ${cols} numbers` : `${length} numbers`;

/** G + U^T H with U[n] = sum over c of v_nc Delta[n, c]. */
function transposedGraph(engine: Engine): Graph {
  const g = createGraph(engine.precision);
  const delta = g.input("delta", ["n", "C", "M"]);
  const v = g.input("v", ["n", "C", 1]);
  const H = g.input("H", ["n", "columns"]);
  const G = g.input("G", ["M", "columns"]);
  const U = sumAlong(g, mul(g, delta, v), 1);
  g.output("sum", gemm(g, U, H, { transA: true, plus: G }), ["M", "columns"]);
  return g;
}

/** Delta[n, c] . G H[n]. */
function forwardGraph(engine: Engine): Graph {
  const g = createGraph(engine.precision);
  const delta = g.input("delta", ["n", "C", "M"]);
  const H = g.input("H", ["n", "columns"]);
  const G = g.input("G", ["M", "columns"]);
  const moved = unsqueeze1(g, gemm(g, H, G, { transB: true }));
  g.output("product", sumAlong(g, mul(g, delta, moved), 2), ["n", "C"]);
  return g;
}
