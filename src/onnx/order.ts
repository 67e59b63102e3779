/**
 * @file The nodes that the outputs of a graph need, in an order in which they can be computed. Files are meant to be in such an order, and
 * keep the one that they have; nothing here trusts them.
 */
import { InputError } from "../error.ts";

type Wired = { readonly inputs: readonly string[]; readonly outputs: readonly string[] };

/**
 * Sorts nodes topologically, by a depth-first search without recursion; what no output needs is left out.
 * @param given names that need no node: inputs and initialisers
 * @throws InputError for a value that two nodes make, one that none makes, and a cycle.
 */
export function inOrder<T extends Wired>(
  nodes: readonly T[],
  given: ReadonlySet<string>,
  outputs: readonly string[],
): T[] {
  const makers = makersOf(nodes, given);
  const needed = neededFor(makers, given, outputs);
  const sorted: T[] = [];
  const state = new Map<T, "open" | "done">();
  for (const root of nodes) {
    if (!needed.has(root)) continue;
    const stack = [root];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (state.get(node) === "done") {
        stack.pop();
        continue;
      }
      state.set(node, "open");
      const open = node.inputs
        .flatMap((name) => makers.get(name) ?? [])
        .filter((n) => state.get(n) !== "done");
      const cyclic = open.find((n) => state.get(n) === "open");
      if (cyclic) {
        throw new InputError({
          what: "graph",
          wanted: "no cycles",
          got: `a value that depends on itself: ${cyclic.outputs.find((name) => name !== "")}`,
        });
      }
      if (open.length > 0) stack.push(...open);
      else {
        state.set(node, "done");
        sorted.push(node);
        stack.pop();
      }
    }
  }
  return sorted;
}

/** Which node makes which value. */
function makersOf<T extends Wired>(nodes: readonly T[], given: ReadonlySet<string>): Map<string, T> {
  const makers = new Map<string, T>();
  for (const node of nodes) {
    for (const name of node.outputs) {
      if (name === "") continue;
      if (makers.has(name) || given.has(name)) {
        throw new InputError({ what: "graph", wanted: "every value made once", got: `${name} twice` });
      }
      makers.set(name, node);
    }
  }
  return makers;
}

/** The nodes that the outputs depend on. */
function neededFor<T extends Wired>(
  makers: ReadonlyMap<string, T>,
  given: ReadonlySet<string>,
  outputs: readonly string[],
): Set<T> {
  const needed = new Set<T>();
  const names = outputs.map((name) => ({ name, by: "an output" }));
  for (let next = names.pop(); next; next = names.pop()) {
    const { name, by } = next;
    const node = makers.get(name);
    if (node && !needed.has(node)) {
      needed.add(node);
      const by = node.outputs.find((name) => name !== "")!;
      names.push(...node.inputs.filter((name) => name !== "").map((name) => ({ name, by })));
    } else if (!node && !given.has(name)) {
      const got = `${name || '""'}, which nothing makes, for ${by}`;
      throw new InputError({ what: "graph", wanted: "values that are made somewhere", got });
    }
  }
  return needed;
}
