/**
 * @file A network as an ONNX graph: its values, and from the cotangents of its outputs the Jacobian blocks of its parameters.
 */
import type { Graph, Value } from "../engine/graph.ts";
import { add, concat, firstRows, matMul, reshape, swapFirst, transpose } from "../engine/ops.ts";
import {
  isOuter,
  sizeOf,
  type BlockJacobian,
  type BlockShape,
  type Given,
  type Passed,
  type Point,
  type Shape,
  type WeightValues,
} from "../ops/op.ts";
import type { Network } from "./network.ts";

/** The values of a network in a graph. */
export type Appended = {
  /** f [samples, C]. */
  readonly f: Value;
  /** What went in and out of each node. */
  readonly steps: readonly (Given & Passed)[];
};

/**
 * Declares the inputs of a network and appends its forward pass; `pending`: parameters of blocks with one outer product per row
 * have low-rank factors.
 */
export function appendForward(g: Graph, network: Network, pending: boolean): Appended {
  const shape = network.shapes[0]!;
  const x = g.input("x", ["samples", network.inputs]);
  const weights = network.blocks.map((block, l) => weightInputs(g, block, l, pending && isOuter(block)));
  return appendOps(g, network, shape.length === 1 ? x : reshape(g, x, -1, ...shape), weights);
}

/** Appends the forward pass on samples [N, ...shape of value 0] with these weights, one per block. */
export function appendOps(
  g: Graph,
  { nodes, shapes, output }: Network,
  x: Value,
  weights: readonly WeightValues[],
): Appended {
  const values = [x];
  const steps = nodes.map(({ op, inputs, block }) => {
    const given: Given = {
      inputs: inputs.map((id) => values[id]!),
      shapes: inputs.map((id) => shapes[id]!),
      ...(block === undefined ? {} : { weights: weights[block]! }),
    };
    const passed = op.forward(g, given);
    values.push(passed.output);
    return { ...given, ...passed };
  });
  return { f: values[output]!, steps };
}

function weightInputs(g: Graph, { columns, fanOut }: BlockShape, l: number, factored: boolean) {
  const base = g.input(`base${l}`, [fanOut, columns]);
  if (!factored) return { base };
  const left = g.input(`left${l}`, [`R${l}`, columns]);
  const right = g.input(`right${l}`, [`R${l}`, fanOut]);
  return { base, factors: { left, right } };
}

/** What the rows of the Jacobian by a block are made of, all its uses together. */
export type JoinedJacobian =
  | {
      readonly kind: "outer";
      /** [N, I]. */
      readonly H: Value;
      /** [C, N, O]; with one output [N, O]. */
      readonly D: Value;
    }
  | {
      readonly kind: "rows";
      /** [N, C O, I]. */
      readonly J: Value;
      /** H [N, T, I] and D [C, N, T, O], with one output [N, T, O], where all uses are outer products. */
      readonly positions?: { readonly H: Value; readonly D: Value };
    };

/**
 * Appends the backward pass from the cotangents of the outputs [C, N, C] ([N, 1] for one output) of the first `count` samples; of all
 * where it is left out.
 * @returns the Jacobians by the blocks, first to last.
 */
export function appendBackward(
  g: Graph,
  network: Network,
  { steps }: Appended,
  cotangents: Value,
  count?: Value,
): JoinedJacobian[] {
  const { nodes, blocks, output, outputs } = network;
  const live = liveValues(network);
  const cts = new Map([[output, cotangents]]);
  const uses: BlockJacobian[][] = blocks.map(() => []);
  for (const [k, { op, inputs, block }] of [...nodes.entries()].toReversed()) {
    // The network's input is value 0, and node k makes value k + 1.
    const ct = cts.get(k + 1);
    if (!ct) continue;
    const at: Point = {
      ...steps[k]!,
      first: (value) => (count ? firstRows(g, value, count) : value),
      flat: (value, shape) => (outputs === 1 ? value : reshape(g, value, -1, ...shape)),
      matrix: (value, shape) =>
        outputs === 1 && shape.length === 1 ? value : reshape(g, value, -1, sizeOf(shape)),
      cotangent: (rows, shape) => asCotangent(g, rows, outputs, shape),
    };
    if (block !== undefined) uses[block]!.push(op.jacobian!(g, at, ct));
    if (!inputs.some((id) => live[id])) continue;
    for (const [i, back] of op.backward(g, at, ct).entries()) {
      const id = inputs[i]!;
      const known = cts.get(id);
      if (live[id]) cts.set(id, known ? add(g, known, back) : back);
    }
  }
  return uses.map((found, l) => join(g, found, blocks[l]!, outputs));
}

/** One Jacobian of all uses of a block: outer products are joined along their positions, rows are added up. */
function join(g: Graph, uses: readonly BlockJacobian[], shape: BlockShape, outputs: number): JoinedJacobian {
  const { fanOut: O, columns: I } = shape;
  const [first, ...rest] = uses;
  if (first?.kind === "outer" && rest.length === 0 && isOuter(shape)) return first;
  const lead = outputs === 1 ? [] : [outputs];
  const axis = lead.length + 1;
  const withPositions = uses.flatMap((use) =>
    use.kind === "rows"
      ? []
      : [{ H: reshape(g, use.H, 0, -1, I), D: reshape(g, use.D, ...lead.map(() => 0), 0, -1, O) }],
  );
  const written = uses.flatMap((use) =>
    use.kind === "rows" ? [rowsBySample(g, use.J, shape, outputs)] : [],
  );
  if (withPositions.length === 0) {
    return { kind: "rows", J: addUp(g, written) };
  }
  const H = concat(
    g,
    withPositions.map(({ H }) => H),
    1,
  );
  const D = concat(
    g,
    withPositions.map(({ D }) => D),
    axis,
  );
  // [N, T, C O] transposed times [N, T, I]: one product per sample for all outputs.
  const signals = outputs === 1 ? D : reshape(g, transpose(g, D, [1, 2, 0, 3]), 0, 0, outputs * O);
  const J = addUp(g, [matMul(g, transpose(g, signals, [0, 2, 1]), H), ...written]);
  return written.length > 0 ? { kind: "rows", J } : { kind: "rows", J, positions: { H, D } };
}

const addUp = (g: Graph, values: readonly Value[]): Value => values.reduce((sum, each) => add(g, sum, each));

/** Rows [C, N, ...], with one output [N, ...], as [N, C O, I]. */
function rowsBySample(g: Graph, J: Value, { fanOut: O, columns: I }: BlockShape, outputs: number): Value {
  if (outputs === 1) return reshape(g, J, -1, O, I);
  return reshape(g, swapFirst(g, reshape(g, J, outputs, -1, O * I)), -1, outputs * O, I);
}

/** With one output there is no axis for it: what broadcasts is the same. */
function asCotangent(g: Graph, rows: Value, outputs: number, shape: Shape): Value {
  if (outputs > 1) return reshape(g, rows, outputs, -1, ...shape);
  return shape.length === 1 ? rows : reshape(g, rows, -1, ...shape);
}

/** Which values depend on a parameter. */
function liveValues({ nodes }: Network): boolean[] {
  const live = [false];
  for (const { inputs, block } of nodes) {
    live.push(block !== undefined || inputs.some((id) => live[id]));
  }
  return live;
}
