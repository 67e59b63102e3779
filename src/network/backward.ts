/**
 * @file A network as an ONNX graph: its values, and from the cotangents of its outputs the Jacobian blocks of its parameters.
 */
import type { Graph, Value } from "../engine/graph.ts";
import { add, firstRows, reshape } from "../engine/ops.ts";
import { sizeOf, type BlockJacobian, type Given, type Passed, type Point, type Shape } from "../ops/op.ts";
import type { Network } from "./network.ts";

/** The values of a network in a graph. */
export type Appended = {
  /** f [samples, C]. */
  readonly f: Value;
  /** What went in and out of each node. */
  readonly steps: readonly (Given & Passed)[];
};

/** Declares the inputs of a network and appends its forward pass; `pending`: parameters have low-rank factors. */
export function appendForward(g: Graph, network: Network, pending: boolean): Appended {
  const { nodes, shapes, output } = network;
  const values = [g.input("x", ["samples", network.inputs])];
  const steps = nodes.map(({ op, inputs, weights: l }) => {
    const given: Given = {
      inputs: inputs.map((id) => values[id]!),
      shapes: inputs.map((id) => shapes[id]!),
      ...(l === undefined ? {} : { weights: weightInputs(g, network, l, pending) }),
    };
    const passed = op.forward(g, given);
    values.push(passed.output);
    return { ...given, ...passed };
  });
  return { f: values[output]!, steps };
}

function weightInputs(g: Graph, { weights }: Network, l: number, pending: boolean) {
  const { columns, fanOut } = weights[l]!;
  const base = g.input(`base${l}`, [fanOut, columns]);
  if (!pending) return { base };
  const left = g.input(`left${l}`, [`R${l}`, columns]);
  const right = g.input(`right${l}`, [`R${l}`, fanOut]);
  return { base, factors: { left, right } };
}

/**
 * Appends the backward pass from the cotangents of the outputs [C, N, C] ([N, 1] for one output) of the first `count` samples.
 * @returns the Jacobian blocks of the parameters, first to last.
 */
export function appendBackward(
  g: Graph,
  network: Network,
  { steps }: Appended,
  cotangents: Value,
  count: Value,
): BlockJacobian[] {
  const { nodes, output, outputs } = network;
  const live = liveValues(network);
  const cts = new Map([[output, cotangents]]);
  const blocks: BlockJacobian[] = [];
  for (const [k, { op, inputs, weights: l }] of [...nodes.entries()].toReversed()) {
    // The network's input is value 0, and node k makes value k + 1.
    const ct = cts.get(k + 1);
    if (!ct) continue;
    const at: Point = {
      ...steps[k]!,
      first: (value) => firstRows(g, value, count),
      matrix: (value, shape) =>
        outputs === 1 && shape.length === 1 ? value : reshape(g, value, -1, sizeOf(shape)),
      cotangent: (rows, shape) => asCotangent(g, rows, outputs, shape),
    };
    if (l !== undefined) blocks[l] = op.jacobian!(g, at, ct);
    if (!inputs.some((id) => live[id])) continue;
    for (const [i, back] of op.backward(g, at, ct).entries()) {
      const id = inputs[i]!;
      const known = cts.get(id);
      if (live[id]) cts.set(id, known ? add(g, known, back) : back);
    }
  }
  return blocks;
}

/** With one output there is no axis for it: what broadcasts is the same. */
function asCotangent(g: Graph, rows: Value, outputs: number, shape: Shape): Value {
  if (outputs > 1) return reshape(g, rows, outputs, -1, ...shape);
  return shape.length === 1 ? rows : reshape(g, rows, -1, ...shape);
}

/** Which values depend on a parameter. */
function liveValues({ nodes }: Network): boolean[] {
  const live = [false];
  for (const { inputs, weights } of nodes) {
    live.push(weights !== undefined || inputs.some((id) => live[id]));
  }
  return live;
}
