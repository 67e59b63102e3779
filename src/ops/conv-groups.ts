/**
 * @file Convolutions by groups of channels, as stacks of products: group k of the outputs sees group k of the inputs alone.
 */
import type { Graph, Value } from "../engine/graph.ts";
import { matMul, reshape, transpose } from "../engine/ops.ts";
import type { Passed, Point, Shape } from "./op.ts";

/** Groups, positions T of the output, and columns of theta. */
export type Groups = { readonly groups: number; readonly T: number; readonly columns: number };

/** [N, ...positions, channels] as [N groups, P, channels / groups]. */
export function splitGroups(g: Graph, x: Value, P: number, groups: number, perGroup: number): Value {
  if (groups === 1) return reshape(g, x, -1, P, perGroup);
  const split = transpose(g, reshape(g, x, -1, P, groups, perGroup), [0, 2, 1, 3]);
  return reshape(g, split, -1, P, perGroup);
}

/** The way back of {@link splitGroups}, to [N, P, channels] or what is the same in memory. */
export function joinGroups(g: Graph, x: Value, P: number, groups: number, perGroup: number): Value {
  if (groups === 1) return x;
  return transpose(g, reshape(g, x, -1, groups, P, perGroup), [0, 2, 1, 3]);
}

/** theta [O, columns] as [groups, O / groups, columns]. */
const byGroup = (g: Graph, theta: Value, { groups, columns }: Groups): Value =>
  reshape(g, theta, groups, -1, columns);

/** H theta^T of H [N groups T, columns], as [N, ...output]; keeps H [N, groups, T, columns]. */
export function groupedForward(g: Graph, rows: Value, theta: Value, output: Shape, of: Groups): Passed {
  const kept = reshape(g, rows, -1, of.groups, of.T, of.columns);
  const u = matMul(g, kept, transpose(g, byGroup(g, theta, of), [0, 2, 1]));
  return { output: reshape(g, transpose(g, u, [0, 2, 1, 3]), -1, ...output), kept };
}

/** delta theta [N, groups, T, columns] of delta [N, T, O]. */
export function groupedBack(g: Graph, delta: Value, theta: Value, of: Groups): Value {
  const split = transpose(g, reshape(g, delta, 0, of.T, of.groups, -1), [0, 2, 1, 3]);
  return matMul(g, split, byGroup(g, theta, of));
}

/** The sums over t of D[t, o] H[t, group of o], [C, N, O, columns], from D as a matrix with a row per output and sample. */
export function groupedRows(g: Graph, at: Point, H: Value, D: Value, O: number, of: Groups): Value {
  const perGroup = O / of.groups;
  const split = transpose(g, reshape(g, D, -1, of.T, of.groups, perGroup), [0, 2, 3, 1]);
  const J = matMul(g, at.cotangent(split, [of.groups, perGroup, of.T]), H);
  return at.cotangent(J, [O, of.columns]);
}
