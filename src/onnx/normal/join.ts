/**
 * @file What belongs to one block comes to one node: a bias to the product or convolution that it follows, a gain and a shift to the normalisation. And what
 * files store once because its numbers are equal comes apart again.
 */
import { count } from "../model.ts";
import { makerOf, pruned, usesOf, withoutDetours } from "./edit.ts";
import type { NormalGraph, NormalNode, NormalParameter, ParameterUse, Role } from "./graph.ts";

/** Joins nodes and separates parameters. */
export function join(graph: NormalGraph): NormalGraph {
  return untied(withShifts(withGroups(withoutDetours(graph))));
}

const uniform = ({ values }: NormalParameter, value?: number): boolean => {
  const numbers = values();
  const first = value ?? numbers[0];
  return numbers.every((x) => x === first);
};

/** The roles in which an op takes a parameter after it: by Mul, and by Add. */
const FOLLOWERS: Readonly<Record<string, { readonly Mul?: Role; readonly Add?: Role }>> = {
  Dense: { Add: "bias" },
  Conv: { Add: "bias" },
  LayerNormalization: { Mul: "gain", Add: "shift" },
  RMSNormalization: { Mul: "gain" },
  GroupNormalization: { Mul: "gain", Add: "shift" },
};

/** Sizes without 1 in front. */
const trimmed = (dims: readonly number[]): string => dims.slice(dims.findIndex((size) => size !== 1)).join();

/** The shape of the parameter that a node takes in this role, as an elementwise operand and as its own. */
function wantedBy({ op, shape, attributes }: NormalNode): {
  operand: readonly number[];
  own: readonly number[];
} {
  if (op === "Dense") return { operand: shape.slice(-1), own: shape.slice(-1) };
  if (op === "Conv" || op === "GroupNormalization") {
    return { operand: [shape[0]!, ...shape.slice(1).map(() => 1)], own: shape.slice(0, 1) };
  }
  const own = shape.slice(attributes.axis as number);
  return { operand: own, own };
}

/** Whether a node may still take a parameter in this role: a gain before a shift, and each once. */
const isFree = ({ parameters }: NormalNode, role: Role): boolean =>
  parameters.every((use) => use.role !== role && !(role === "gain" && use.role === "shift"));

/** Gains, shifts and biases of Mul and Add nodes go to the node that they follow, if it is used by them alone. */
function withShifts(graph: NormalGraph): NormalGraph {
  const uses = usesOf(graph);
  const nodes = [...graph.nodes];
  const aliases = new Map<number, number>();
  const owner = (id: number): number => aliases.get(id) ?? id;
  for (const [k, { op, inputs, parameters, shape }] of graph.nodes.entries()) {
    const [use] = parameters;
    if ((op !== "Mul" && op !== "Add") || !use || uses[inputs[0]!] !== 1) continue;
    const id = owner(inputs[0]!);
    const maker = nodes[id - 1];
    const role = maker && FOLLOWERS[maker.op]?.[op];
    if (!role || !isFree(maker, role) || maker.shape.join() !== shape.join()) continue;
    const { operand, own } = wantedBy(maker);
    if (trimmed(use.dims) !== trimmed(operand) || count(own) < 1) continue;
    if (role === "bias" && !sharesBias(graph, maker, use)) continue;
    nodes[id - 1] = { ...maker, parameters: [...maker.parameters, { ...use, role, dims: own }] };
    aliases.set(k + 1, id);
  }
  return pruned({ ...graph, nodes }, aliases);
}

/** Whether every use of a node's kernel is followed by this bias: else the bias is a block of its own. */
function sharesBias(graph: NormalGraph, maker: NormalNode, bias: ParameterUse): boolean {
  const kernel = maker.parameters.find(({ role }) => role === "kernel")!.parameter;
  return graph.nodes.every((node, k) => {
    if (!node.parameters.some((use) => use.parameter === kernel)) return true;
    const after = graph.nodes.filter(({ inputs }) => inputs.includes(k + 1));
    return (
      after.length === 1 && after[0]!.op === "Add" && after[0]!.parameters[0]?.parameter === bias.parameter
    );
  });
}

/** Group normalisation as PyTorch writes it: Reshape to groups, InstanceNormalization without gains, Reshape back. */
function withGroups(graph: NormalGraph): NormalGraph {
  const uses = usesOf(graph);
  const nodes = [...graph.nodes];
  const plain = (role: Role, { parameter }: ParameterUse) =>
    uniform(graph.parameters[parameter]!, role === "gain" ? 1 : 0);
  for (const [k, node] of graph.nodes.entries()) {
    if (node.op !== "Reshape") continue;
    const norm = makerOf(graph, node.inputs[0]!);
    const before = norm && makerOf(graph, norm.inputs[0]!);
    if (norm?.op !== "GroupNormalization" || before?.op !== "Reshape" || uses[node.inputs[0]!] !== 1)
      continue;
    const from = before.inputs[0]!;
    const shape = from === 0 ? graph.input.shape : makerOf(graph, from)!.shape;
    const groups = norm.shape[0]!;
    const fits =
      shape.join() === node.shape.join() && shape[0]! % groups === 0 && norm.attributes.groups === groups;
    if (!fits || !norm.parameters.every((use) => plain(use.role, use))) continue;
    const attributes = { groups, epsilon: norm.attributes.epsilon! };
    nodes[k] = { ...node, op: norm.op, inputs: [from], attributes, parameters: [] };
  }
  return pruned({ ...graph, nodes });
}

/** Roles of parameters that often are all ones or zeros. */
const PLAIN_ROLES: readonly Role[] = ["bias", "gain", "shift", "slope"];

/**
 * Exporters store equal tensors once, so that the gains of a fresh network, all ones, look tied. Such uses are taken for one parameter only where the
 * kernels that they follow are the same, as in an unrolled recurrence.
 */
function untied(graph: NormalGraph): NormalGraph {
  const parameters = [...graph.parameters];
  const anchors: string[] = [""];
  const groups = new Map<string, number>();
  const nodes = graph.nodes.map((node, k) => {
    const kernel = node.parameters.find(({ role }) => role === "kernel" || role === "table");
    const anchor = kernel
      ? `${kernel.parameter}`
      : [...new Set(node.inputs.map((id) => anchors[id]!))].join();
    anchors[k + 1] = anchor;
    const uses = node.parameters.map((use) => {
      const shared = graph.parameters[use.parameter]!;
      if (!PLAIN_ROLES.includes(use.role) || !uniform(shared)) return use;
      const key = `${use.parameter}:${use.role}:${anchor}`;
      const first = ![...groups.values()].includes(use.parameter);
      const parameter =
        groups.get(key) ??
        (first ? use.parameter : parameters.push({ ...shared, name: `${shared.name} of ${node.name}` }) - 1);
      groups.set(key, parameter);
      return { ...use, parameter };
    });
    return { ...node, parameters: uses };
  });
  return { ...graph, nodes, parameters };
}
