/**
 * @file What reports print of a network.
 */
import type { NetworkText } from "../experiment/architecture/describe.ts";
import { BESIDE_MODEL } from "../experiment/conflicts.ts";
import { isModel } from "../experiment/model/model-option.ts";
import type { Config } from "../experiment/config.ts";

/** The lines of a network: its widths, or its layers. */
export const networkLines = ({ widths, layers = [], parameters }: NetworkText): string[] =>
  widths ? [`widths: ${widths.join(" - ")}`] : [`layers: ${layers.join(" - ")}`, `parameters: ${parameters}`];

/** Options that layers of a file make idle. */
const OF_NAMED: readonly string[] = ["n_layers", "width", "activation"];

/** Options that a model makes idle. */
const OF_DRAWN: readonly string[] = BESIDE_MODEL;

/** Whether an option about the network has a place in the report: the default network has no name there. */
export function networkOptionCounts(name: string, { architecture }: Pick<Config, "architecture">): boolean {
  if (isModel(architecture)) return !OF_DRAWN.includes(name);
  if (name === "architecture") return architecture !== "mlp";
  return typeof architecture === "string" || !OF_NAMED.includes(name);
}
