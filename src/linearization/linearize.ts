/**
 * @file Linearises a network on a batch: one fused graph computes the outputs of all samples and, for the first N of
 * them, what every method needs of each weight layer l:
 *
 *     H_l [N, rows]      inputs, scaled, bias column last          A_l = H_l H_l^T          [N, N]
 *     Delta_l [N C, M_l] signals df_c(x_n)/du_l, rows (n, c)       B_l = Delta_l Delta_l^T  [N C, N C]
 *
 * Row (n, c) of the layer's Jacobian is Delta_l[n, c] (x) H_l[n]; it is never formed.
 */
import type { Engine, FloatArray, Tensor, Tensors } from "../graph/engine.ts";
import { createGraph, type Graph, type Value } from "../graph/graph.ts";
import { firstRows, gemm } from "../graph/ops.ts";
import { matrix, toFloat64, type Floats, type Matrix } from "../matrix/matrix.ts";
import type { Forward, WeightShape } from "../network/layer.ts";
import type { Network } from "../network/network.ts";
import { factors, nextInputs, type Weights } from "./weights.ts";

/** What is known of a weight layer on a batch. The tensors live until the next call on the same linearizer. */
export type LayerLinearization = WeightShape & {
  /** H_l [N, rows]. */
  readonly inputs: Tensor;
  /** Delta_l [N C, fanOut]. */
  readonly signals: Tensor;
  /** A_l [N, N]. */
  readonly inputGram: Matrix;
  /** B_l [N C, N C]. */
  readonly signalGram: Matrix;
};

/** A network linearised on a batch. */
export type Linearization = {
  /** f of every sample given, linearised or not: [samples, C]. */
  readonly outputs: Matrix;
  readonly layers: readonly LayerLinearization[];
};

/** Evaluates and linearises one network on one engine. */
export type Linearizer = {
  readonly engine: Engine;
  readonly network: Network;
  /** f(x) [samples, C] for samples [samples, M_0]. */
  forward(weights: Weights, x: Matrix<Floats>): Promise<Matrix>;
  /** Outputs of all samples, and the linearisation on the first `count` of them (default: all). */
  linearize(weights: Weights, x: Matrix<Floats>, count?: number): Promise<Linearization>;
};

/** Builds and compiles the graphs of a network; batch sizes and ranks are free. */
export async function createLinearizer(engine: Engine, network: Network): Promise<Linearizer> {
  const { outputs: C, weights: shapes } = network;
  const program = await engine.compile(linearizeGraph(engine, network));
  const forwardProgram = await engine.compile(forwardGraph(engine, network));
  const buffer = createBuffers(engine);

  const feedsFor = (weights: Weights, x: Matrix<Floats>): Tensors => {
    const feeds: Tensors = { x: engine.tensor(x.data, [x.rows, x.cols]) };
    for (const [l, layer] of weights.entries()) {
      const [left, right] = factors(engine, layer);
      feeds[`base${l}`] = engine.tensor(layer.base, [layer.fanOut, layer.rows]);
      feeds[`left${l}`] = left;
      feeds[`right${l}`] = right;
    }
    return feeds;
  };
  const host = (t: Tensor): Matrix => toFloat64(matrix(t.dims[0]!, t.dims[1]!, t.data as FloatArray));

  return {
    engine,
    network,
    async forward(weights, x) {
      const results = await forwardProgram.run(feedsFor(weights, x), { f: null });
      return host(results.f!);
    },
    async linearize(weights, x, count = x.rows) {
      const feeds = feedsFor(weights, x);
      feeds.count = engine.integer(count);
      feeds.cotangents = engine.tensor(repeatIdentity(count, C), [count * C, C]);
      const wanted: Tensors = { f: buffer("f", x.rows, C) };
      for (const [l, { rows, fanOut }] of shapes.entries()) {
        const inPlace = nextInputs(engine, weights[l]!, count);
        wanted[`H${l}`] = inPlace ? engine.tensor(inPlace, [count, rows]) : buffer(`H${l}`, count, rows);
        wanted[`Delta${l}`] = buffer(`Delta${l}`, count * C, fanOut);
        wanted[`A${l}`] = buffer(`A${l}`, count, count);
        wanted[`B${l}`] = buffer(`B${l}`, count * C, count * C);
      }
      const results = await program.run(feeds, wanted);
      const layers = shapes.map((shape, l) => ({
        ...shape,
        inputs: results[`H${l}`]!,
        signals: results[`Delta${l}`]!,
        inputGram: host(results[`A${l}`]!),
        signalGram: host(results[`B${l}`]!),
      }));
      return { outputs: host(results.f!), layers };
    },
  };
}

/** Output tensors that are reused from call to call while their shape stays: fresh pages cost more than the copy. */
function createBuffers(engine: Engine): (name: string, rows: number, cols: number) => Tensor {
  const kept = new Map<string, Tensor>();
  return (name, rows, cols) => {
    const known = kept.get(name);
    if (known?.dims[0] === rows && known.dims[1] === cols) return known;
    const fresh = engine.tensor(engine.floats(rows * cols), [rows, cols]);
    kept.set(name, fresh);
    return fresh;
  };
}

/** df_c(x_n)/df at the output: the identity [C, C] for every sample, [N C, C]. */
function repeatIdentity(n: number, c: number): Float64Array {
  const data = new Float64Array(n * c * c);
  for (let row = 0; row < n * c; row++) data[row * c + (row % c)] = 1;
  return data;
}

/** Declares the inputs of a network and appends its forward pass. */
function appendForward(g: Graph, network: Network): { f: Value; steps: Forward[] } {
  let value = g.input("x", ["samples", network.inputs]);
  let width = network.inputs;
  let l = 0;
  const steps: Forward[] = [];
  for (const layer of network.layers) {
    const shape = layer.weights?.(width);
    const weights = shape && {
      base: g.input(`base${l}`, [shape.fanOut, shape.rows]),
      left: g.input(`left${l}`, [`R${l}`, shape.rows]),
      right: g.input(`right${l}`, [`R${l}`, shape.fanOut]),
    };
    if (shape) l++;
    const step = layer.forward(g, value, width, network.outputs, weights);
    steps.push(step);
    value = step.output;
    width = layer.widthOut(width);
  }
  return { f: value, steps };
}

function forwardGraph(engine: Engine, network: Network): Graph {
  const g = createGraph(engine.precision);
  g.output("f", appendForward(g, network).f, ["samples", network.outputs]);
  return g;
}

function linearizeGraph(engine: Engine, network: Network): Graph {
  const g = createGraph(engine.precision);
  const { f, steps } = appendForward(g, network);
  g.output("f", f, ["samples", network.outputs]);

  const count = g.input("count", [1], "int64");
  const first = (value: Value): Value => firstRows(g, value, count);
  let delta = g.input("cotangents", ["NC", network.outputs]);
  let l = network.weights.length;
  for (const { inputs, backward } of steps.toReversed()) {
    if (inputs) {
      l--;
      const H = first(inputs);
      g.output(`H${l}`, H, ["N", network.weights[l]!.rows]);
      g.output(`Delta${l}`, delta, ["NC", network.weights[l]!.fanOut]);
      g.output(`A${l}`, gemm(g, H, H, { transB: true }), ["N", "N"]);
      g.output(`B${l}`, gemm(g, delta, delta, { transB: true }), ["NC", "NC"]);
      if (l === 0) break;
    }
    delta = backward(delta, first);
  }
  return g;
}
