/**
 * @file A normal graph as an ONNX model (opset 21) of standard ops, with the batch as axis 0 of every value and the parameters under their own
 * names. Values that are the same for all samples have 1 there.
 */
import { InputError } from "../../error.ts";
import type { OnnxModel, OnnxNode, Tensor } from "../model.ts";
import type { NormalGraph, ParameterUse } from "./graph.ts";
import { WRITERS, type At, type Writing } from "./writers.ts";

/**
 * The model that computes a normal graph.
 * @throws InputError for an op that has no standard form.
 */
export function modelOf(graph: NormalGraph, producer = "natgrad"): OnnxModel {
  const { parameters } = graph;
  const type = parameters[0]?.type ?? (graph.input.type === "float64" ? "float64" : "float32");
  const nodes: OnnxNode[] = [];
  const initialisers = new Map<string, Tensor>();
  for (const { name, dims, values } of parameters)
    initialisers.set(name, { type, dims, data: inType(type, values()) });
  const taken = new Set([...initialisers.keys(), graph.input.name, graph.output.name]);
  const fresh = (stem: string): string => {
    let name = stem;
    for (let i = 1; taken.has(name); i++) name = `${stem}_${i}`;
    taken.add(name);
    return name;
  };
  const node: Writing["node"] = (op, inputs, attributes = {}) => {
    const name = fresh(op);
    nodes.push({ name, op, inputs, outputs: [name], attributes: new Map(Object.entries(attributes)) });
    return name;
  };
  const store = (stem: string, tensor: Tensor): string => {
    const name = fresh(stem);
    initialisers.set(name, tensor);
    return name;
  };
  const w: Writing = {
    type,
    node,
    floats: (data, dims = []) => store("constant", { type, dims, data: inType(type, data) }),
    integers: (...values) =>
      store("integers", { type: "int64", dims: [values.length], data: Float64Array.from(values) }),
  };
  const using = viewer(w, graph);
  const names = [graph.input.name];
  const shared = [false];
  const shapes = [graph.input.shape];
  for (const normal of graph.nodes) {
    const { op, inputs, constants } = normal;
    const write = Object.hasOwn(WRITERS, op) ? WRITERS[op] : undefined;
    if (!write) throw new InputError({ what: "model", wanted: "ops that ONNX has", got: op });
    const at: At = {
      inputs: inputs.map((id) => names[id]!),
      shapes: inputs.map((id) => shapes[id]!),
      shared: inputs.map((id) => shared[id]!),
      constants: constants.map(({ data, dims }) => w.floats(data, dims)),
      batch: graph.input.name,
      parameter: (role) => {
        const use = normal.parameters.find((use) => use.role === role);
        return use && using(use);
      },
    };
    names.push(write(w, normal, at));
    shapes.push(normal.shape);
    shared.push(inputs.every((id) => shared[id]));
  }
  const { input, output } = graph;
  const from = names[output.value]!;
  nodes.push({
    name: output.name,
    op: "Identity",
    inputs: [from],
    outputs: [output.name],
    attributes: new Map(),
  });
  return {
    ir: 10,
    opset: 21,
    producer,
    inputs: [{ name: input.name, type: input.type, dims: ["N", ...input.shape] }],
    outputs: [{ name: output.name, type, dims: ["N", ...output.shape] }],
    nodes,
    initialisers,
  };
}

const inType = (type: "float32" | "float64", data: ArrayLike<number>): Tensor["data"] => {
  if (type === "float32") return data instanceof Float32Array ? data : Float32Array.from(data);
  return data instanceof Float64Array ? data : Float64Array.from(data);
};

/** Parameters in the shapes of their uses, each made once. */
function viewer(w: Writing, { parameters }: NormalGraph) {
  const made = new Map<string, string>();
  return ({ parameter, perm, dims }: ParameterUse): string => {
    const { name, dims: stored } = parameters[parameter]!;
    const key = `${parameter}:${perm?.join()}:${dims.join()}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const turned = perm ? w.node("Transpose", [name], { perm: { ints: perm } }) : name;
    const sizes = perm ? perm.map((axis) => stored[axis]) : stored;
    const value = sizes.join() === dims.join() ? turned : w.node("Reshape", [turned, w.integers(...dims)]);
    made.set(key, value);
    return value;
  };
}
