/**
 * @file Edits of a normal graph: nodes are replaced by others or by values, and what no one needs any more is left out.
 */
import type { NormalGraph, NormalNode, ParameterUse } from "./graph.ts";

/** How often each value is used. */
export function usesOf({ nodes, output }: NormalGraph): number[] {
  const uses = Array.from({ length: nodes.length + 1 }, () => 0);
  for (const { inputs } of nodes) for (const id of inputs) uses[id]!++;
  uses[output.value]!++;
  return uses;
}

/** The node that makes a value; undefined for the input. */
export const makerOf = ({ nodes }: NormalGraph, id: number): NormalNode | undefined => nodes[id - 1];

/**
 * The graph with values taken from others (`aliases`, of later values to earlier ones) and without nodes and parameters that nothing needs.
 */
export function pruned(graph: NormalGraph, aliases: ReadonlyMap<number, number> = new Map()): NormalGraph {
  const source = (id: number): number => {
    let at = id;
    for (let next = aliases.get(at); next !== undefined; next = aliases.get(at)) at = next;
    return at;
  };
  const last = source(graph.output.value);
  const needed = new Set([last]);
  for (let id = graph.nodes.length; id > 0; id--) {
    if (needed.has(id)) for (const input of graph.nodes[id - 1]!.inputs) needed.add(source(input));
  }
  const moved = new Map([[0, 0]]);
  const kept = graph.nodes.flatMap((node, k) => {
    if (!needed.has(k + 1)) return [];
    moved.set(k + 1, moved.size);
    return [{ ...node, inputs: node.inputs.map((id) => moved.get(source(id))!) }];
  });
  const used = [...new Set(kept.flatMap(({ parameters }) => parameters.map(({ parameter }) => parameter)))];
  const renumber = (use: ParameterUse) => ({ ...use, parameter: used.indexOf(use.parameter) });
  return {
    input: graph.input,
    output: { ...graph.output, value: moved.get(last)! },
    nodes: kept.map((node) => ({ ...node, parameters: node.parameters.map(renumber) })),
    parameters: used.map((parameter) => graph.parameters[parameter]!),
  };
}

/** Runs of Reshapes as one, and none where the shape stays. */
export function withoutDetours(graph: NormalGraph): NormalGraph {
  const aliases = new Map<number, number>();
  const shapeOf = (id: number) => (id === 0 ? graph.input.shape : graph.nodes[id - 1]!.shape);
  const nodes = graph.nodes.map((node, k) => {
    if (node.op !== "Reshape") return node;
    let [from] = node.inputs as [number];
    for (let maker = makerOf(graph, from); maker?.op === "Reshape"; maker = makerOf(graph, from)) {
      from = maker.inputs[0]!;
    }
    if (shapeOf(from).join() === node.shape.join()) aliases.set(k + 1, from);
    return { ...node, inputs: [from] };
  });
  return pruned({ ...graph, nodes }, aliases);
}
