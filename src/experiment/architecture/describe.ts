/**
 * @file A network in words: the widths of a chain of dense layers, or its layers with the shapes of their values.
 */
import { basename } from "node:path";
import type { Network } from "../../network/network.ts";
import { isModel } from "../model/model-option.ts";
import type { NetworkOptions } from "./named.ts";

/** What is printed of a network: widths of an mlp, layers of another. */
export type NetworkText = {
  /** M_0, ..., M_L. */
  readonly widths?: readonly number[];
  /** Layers with the shapes of their values where those change, and P, the number of parameters. */
  readonly layers?: readonly string[];
  readonly parameters?: number;
};

/** What is printed of a network. */
export function describeNetwork(
  { architecture, blocks: moving }: Pick<NetworkOptions, "architecture" | "blocks">,
  { inputs, nodes, shapes, blocks }: Network,
): NetworkText {
  if (architecture === "mlp" && moving === undefined)
    return { widths: [inputs, ...blocks.map(({ fanOut }) => fanOut)] };
  const shaped = (k: number): string => `[${shapes[k]!.join(", ")}]`;
  const layers = nodes.map(({ op, inputs: from }, k) => {
    const changes = from.some((id) => shapes[id]!.join() !== shapes[k + 1]!.join());
    return changes ? `${op.name} ${shaped(k + 1)}` : op.name;
  });
  const parameters = blocks.reduce((sum, { columns, fanOut }) => sum + columns * fanOut, 0);
  return { layers: [`input ${shaped(0)}`, ...layers], parameters };
}

/** The name of an architecture: its own, or that of its file. */
export const architectureText = (architecture: NetworkOptions["architecture"]): string =>
  typeof architecture === "string"
    ? architecture
    : isModel(architecture)
      ? architecture.model
      : (architecture.file ?? "layers");

/** The same without folders, for names of files. */
export const architectureName = (architecture: NetworkOptions["architecture"]): string =>
  basename(architectureText(architecture)).replace(/\.\w+$/, "");
