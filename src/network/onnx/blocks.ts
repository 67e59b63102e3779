/**
 * @file Parameters of a model as blocks of a network: which number of theta [O, I] is which number of a stored tensor. A block has one parameter, or two that
 * are used together everywhere: a kernel and its bias, a gain and its shift.
 */
import { count } from "../../onnx/model.ts";
import type { NormalGraph, NormalNode, ParameterUse, Role } from "../../onnx/normal/graph.ts";

/** Number (o, i) of theta: an index into the stored numbers of a parameter. */
export type Source = (o: number, i: number) => readonly [parameter: number, index: number];

/** A block of the network, and the model's parameters in it. */
export type ModelBlock = { readonly parameters: readonly number[]; readonly source: Source };

/** The index into the stored numbers of number k of a use. */
export function storedIndex(
  { parameter, perm }: ParameterUse,
  { parameters }: NormalGraph,
): (k: number) => number {
  if (!perm) return (k) => k;
  const { dims } = parameters[parameter]!;
  const steps = perm.map((axis) => count(dims.slice(axis + 1)));
  const sizes = perm.map((axis) => dims[axis]!);
  return (k) => {
    let index = 0;
    for (let axis = sizes.length - 1, rest = k; axis >= 0; axis--) {
      index += (rest % sizes[axis]!) * steps[axis]!;
      rest = Math.floor(rest / sizes[axis]!);
    }
    return index;
  };
}

/** A kernel [O, I], and a bias as the last column. */
export function kernelSource(
  graph: NormalGraph,
  kernel: ParameterUse,
  bias?: ParameterUse,
  order = (i: number) => i,
): Source {
  const columns = count(kernel.dims.slice(1));
  const at = storedIndex(kernel, graph);
  const atBias = bias && storedIndex(bias, graph);
  return (o, i) =>
    i < columns ? [kernel.parameter, at(o * columns + order(i))] : [bias!.parameter, atBias!(o)];
}

/** Columns of theta that have one parameter each. */
export const columnSource = (graph: NormalGraph, uses: readonly ParameterUse[]): Source => {
  const at = uses.map((use) => storedIndex(use, graph));
  return (o, i) => [uses[i]!.parameter, at[i]!(o)];
};

/** The parameter of a node in a role. */
export const useOf = ({ parameters }: NormalNode, role: Role): ParameterUse | undefined =>
  parameters.find((use) => use.role === role);

/**
 * Whether two parameters of a node are one block: every use of either one has the other beside it.
 */
export function areTogether({ nodes }: NormalGraph, a: ParameterUse, b: ParameterUse): boolean {
  const uses = (node: NormalNode, { parameter }: ParameterUse) =>
    node.parameters
      .filter((use) => use.parameter === parameter)
      .map(({ role, perm }) => `${role}:${perm?.join()}`);
  const [left, right] = [`${a.role}:${a.perm?.join()}`, `${b.role}:${b.perm?.join()}`];
  return nodes.every((node) => {
    const [x, y] = [uses(node, a).join(), uses(node, b).join()];
    return (x === "" && y === "") || (x === left && y === right);
  });
}
