/**
 * @file Which kernel predicts where none is named: that of the infinitely wide network where natgrad knows it, else the network's own.
 */
import { InputError } from "../error.ts";
import { analyticFault } from "../kernel/sweep.ts";
import type { Network } from "../network/network.ts";
import type { Config } from "./config.ts";
import { isModel } from "./model/model-option.ts";

/** The kernel of a run, and why it is not the analytic one where none was named. */
export type KernelChoice = {
  readonly kernel: Exclude<Config["kernel"], "auto">;
  readonly reason?: string;
};

/**
 * The kernel that predicts a network.
 * @throws InputError for an analytic kernel of a network that has none.
 */
export function kernelFor(
  {
    kernel,
    kernel_path,
    architecture,
    blocks,
  }: Pick<Config, "kernel" | "kernel_path"> & Partial<Pick<Config, "architecture" | "blocks">>,
  network: Network,
): KernelChoice {
  if (kernel === "empirical" || kernel === "none") return { kernel };
  if (isModel(architecture)) {
    return { kernel: "empirical", reason: "the weights of a model are not drawn" };
  }
  if (blocks) return { kernel: "empirical", reason: "the other blocks do not move" };
  const fault = analyticFault(network);
  if (!fault) return { kernel: kernel === "auto" ? "analytic" : kernel };
  // What a file holds was made elsewhere.
  if (kernel === "auto" || kernel_path !== undefined) {
    return { kernel: "empirical", reason: `no analytic kernel is known for ${fault}` };
  }
  throw new InputError(
    `kernel: wanted empirical or none (no analytic kernel is known for ${fault}), got ${kernel}`,
  );
}
