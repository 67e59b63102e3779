/**
 * @file A method bound to a training kernel in a view of a loss: G, and G' of any cross kernel.
 */
import type { Kernel } from "../kernel/kernel.ts";
import type { Fisher, PrepareOptions, Propagator } from "./fisher.ts";
import { crossKernel, trainingKernel, type View } from "./view.ts";

/** r to G' r on the rows of a kernel, for residuals of `outputs` outputs. */
export type Mover = { readonly G: Propagator; readonly outputs: number };

/**
 * Prepares `fisher` on a training kernel.
 * @throws SingularGramError as `fisher.prepare` does; RangeError for a method that needs the layers of a summed kernel.
 */
export async function bind(
  fisher: Fisher,
  training: Kernel,
  view: View,
  options: PrepareOptions = {},
): Promise<(cross: Kernel) => Promise<Mover>> {
  const prepared = await fisher.prepare(trainingKernel(training, view, options), view.damping, options);
  return async (cross) => {
    const seen = crossKernel(cross, view, options);
    return { G: await prepared.onto(seen), outputs: seen.outputs };
  };
}
