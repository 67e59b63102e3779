/**
 * @file How many values of the size of its input an op needs at a time on its way forward and back: what a plan of memory counts
 * for activations that are made of many operations.
 */
import type { Graph, Precision, Value } from "../engine/graph.ts";
import type { Op, Point, Shape } from "../ops/op.ts";

/** The most values that are alive at once where an op without parameters runs forward, or back. */
export function workingValues(op: Op, shapes: readonly Shape[], precision: Precision): number {
  const forward = recorder(precision);
  const inputs = shapes.map(() => forward.variable());
  const passed = op.forward(forward.graph, { inputs, shapes });
  const backward = recorder(precision);
  const known = shapes.map(() => backward.variable());
  const same = (value: Value): Value => value;
  const at: Point = {
    inputs: known,
    shapes,
    output: backward.variable(),
    ...(passed.kept ? { kept: backward.variable() } : {}),
    first: same,
    flat: same,
    matrix: same,
    cotangent: same,
  };
  const back = op.backward(backward.graph, at, backward.variable());
  return Math.max(forward.mostAlive([passed.output]), backward.mostAlive(back));
}

type Step = { readonly output: string; readonly inputs: readonly string[] };

/** A graph that only notes which value is made of which. */
function recorder(precision: Precision) {
  const steps: Step[] = [];
  let count = 0;
  const variable = (): Value => {
    const name = `v${count++}`;
    steps.push({ output: name, inputs: [] });
    return { name };
  };
  const constant = (): Value => ({ name: "constant" });
  const graph: Graph = {
    precision,
    input: variable,
    constant,
    initializer: constant,
    integers: constant,
    indices: constant,
    node(_, inputs) {
      const output = `v${count++}`;
      steps.push({ output, inputs: inputs.map(({ name }) => name) });
      return { name: output };
    },
    output: () => {},
    toModel: () => new Uint8Array(),
  };
  return { graph, variable, mostAlive: (kept: readonly Value[]) => mostAlive(steps, kept) };
}

/** Values alive at once where nodes run in the order in which they were appended. */
function mostAlive(steps: readonly Step[], kept: readonly Value[]): number {
  const lastUse = new Map<string, number>(kept.map(({ name }) => [name, steps.length]));
  for (const [i, { inputs }] of steps.entries()) {
    for (const name of inputs) lastUse.set(name, Math.max(i, lastUse.get(name) ?? 0));
  }
  const alive = new Set<string>();
  let most = 0;
  for (const [i, { output, inputs }] of steps.entries()) {
    alive.add(output);
    most = Math.max(most, alive.size);
    for (const name of [...inputs, output]) if ((lastUse.get(name) ?? i) <= i) alive.delete(name);
  }
  return most;
}
