/**
 * @file What reports print of a network.
 */
import type { NetworkText } from "../experiment/architecture/describe.ts";
import type { Config } from "../experiment/config.ts";

/** The lines of a network: its widths, or its layers. */
export const networkLines = ({ widths, layers = [], parameters }: NetworkText): string[] =>
  widths ? [`widths: ${widths.join(" - ")}`] : [`layers: ${layers.join(" - ")}`, `parameters: ${parameters}`];

/** Options that layers of a file make idle. */
const OF_NAMED: readonly string[] = ["n_layers", "width", "activation"];

/** Whether an option about the network has a place in the report: the default network has no name there. */
export const networkOptionCounts = (name: string, { architecture }: Pick<Config, "architecture">): boolean =>
  name === "architecture"
    ? architecture !== "mlp"
    : typeof architecture === "string" || !OF_NAMED.includes(name);
