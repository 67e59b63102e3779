/**
 * @file What the rules of ops build a normal graph with.
 */
import { InputError } from "../../error.ts";
import { count, type ElementName, type OnnxNode, type Tensor } from "../model.ts";
import { named } from "./arguments.ts";
import type { NormalAttributes, NormalNode, NormalParameter, ParameterUse, Role } from "./graph.ts";
import { isFloat, tensorOf, type Known, type Live, type Unknown } from "./known.ts";
import { fitted, sampleShape, type Layout } from "./layout.ts";

/** What a node that is emitted has beside its inputs. */
export type Emitted = {
  readonly attributes?: NormalAttributes;
  readonly parameters?: readonly ParameterUse[];
  readonly constants?: readonly Tensor[];
  readonly type?: ElementName;
};

/** A normal graph under construction. */
export type Builder = {
  readonly opset: number;
  /** The batch that the file fixes, where it does. */
  readonly literal: number | undefined;
  readonly nodes: readonly NormalNode[];
  readonly parameters: readonly NormalParameter[];
  /** Ops that are not known, or not in the way in which they are used. */
  readonly missing: ReadonlySet<string>;
  /** Appends a node that makes a value of this layout. */
  emit(node: OnnxNode, op: string, inputs: readonly Live[], layout: Layout, rest?: Emitted): Live;
  /** A use of a known value as a parameter. */
  use(known: Known, role: Role, what: string): ParameterUse;
  /** A live value: a known one becomes a node of its own, a parameter if it is an initialiser of floats. */
  lift(node: OnnxNode, item: Known | Live): Live;
  /** `a` for one sample in the shape in which it broadcasts to `result`. */
  fit(node: OnnxNode, a: Live, result: Layout): Live;
  /** The same numbers of a sample in another layout: a Reshape where its shape changes. */
  relaid(node: OnnxNode, a: Live, layout: Layout): Live;
  /** Notes that an op is missing. */
  lack(op: string): Unknown;
};

/** Starts a graph whose input has this layout. */
export function createBuilder(opset: number, literal: number | undefined): Builder {
  const nodes: NormalNode[] = [];
  const parameters: NormalParameter[] = [];
  const indices = new Map<string, number>();
  const derived = new Map<() => Tensor["data"], number>();
  const missing = new Set<string>();

  const emit: Builder["emit"] = (node, op, inputs, layout, rest = {}) => {
    const { attributes = {}, parameters = [], constants = [], type = inputs[0]?.type ?? "float32" } = rest;
    const shape = sampleShape(layout);
    const ids = inputs.map(({ id }) => id);
    nodes.push({ name: node.outputs[0]!, op, inputs: ids, attributes, parameters, constants, shape });
    return { kind: "live", id: nodes.length, type, dims: layout.dims, batch: layout.batch };
  };

  const add = (parameter: NormalParameter): number => parameters.push(parameter) - 1;

  const use: Builder["use"] = (known, role, what) => {
    const { type, dims, origin, values } = known;
    if (type !== "float32" && type !== "float64") {
      throw new InputError({ what, wanted: `float32 or float64 as ${role}`, got: type });
    }
    if (!origin) {
      const parameter = derived.get(values) ?? add({ name: `${what} ${role}`, type, dims, values });
      derived.set(values, parameter);
      return { role, parameter, dims };
    }
    const parameter =
      indices.get(origin.name) ?? add({ name: origin.name, type, dims: origin.dims, values: origin.values });
    indices.set(origin.name, parameter);
    return { role, parameter, dims, ...(origin.perm ? { perm: origin.perm } : {}) };
  };

  const lift: Builder["lift"] = (node, item) => {
    if (item.kind === "live") return item;
    const isParameter = isFloat(item) && item.origin?.kind === "initialiser" && count(item.dims) > 1;
    const own = { ...item, dims: sampleShape(item) };
    return isParameter
      ? emit(node, "Parameter", [], item, { parameters: [use(own, "value", named(node))], type: item.type })
      : emit(node, "Constant", [], item, { constants: [tensorOf(own)], type: item.type });
  };

  return {
    opset,
    literal,
    nodes,
    parameters,
    missing,
    emit,
    use,
    lift,
    fit: (node, a, result) => relaid(emit, node, a, { dims: fitted(a, result) }),
    relaid: (node, a, layout) => relaid(emit, node, a, layout),
    lack(op) {
      missing.add(op);
      return { kind: "unknown" };
    },
  };
}

function relaid(emit: Builder["emit"], node: OnnxNode, a: Live, layout: Layout): Live {
  if (sampleShape(a).join() === sampleShape(layout).join()) {
    return { ...a, dims: layout.dims, batch: layout.batch };
  }
  return emit(node, "Reshape", [a], layout, { type: a.type });
}
