/**
 * @file A method bound to a training kernel in a view of a loss: G, and G' of any cross kernel. A kernel that holds the
 * NTK of the network alone will do for methods that look at no layer by itself.
 */
import { expandOutputs, isSummed, ntk, type AnyKernel } from "../kernel/kernel.ts";
import { kernelTangent } from "../kernel/tangent.ts";
import { rightProduct } from "../loss/curvature.ts";
import type { Fisher, InvertOptions, Propagator } from "./fisher.ts";
import { thetaPropagator } from "./tangent.ts";
import { crossKernel, trainingKernel, trainingTangent, type View } from "./view.ts";

/** r to G' r on the rows of a kernel, for residuals of `outputs` outputs. */
export type Mover = { readonly G: Propagator; readonly outputs: number };

/**
 * Prepares `fisher` on a training kernel.
 * @throws SingularGramError as `fisher.prepare` does; RangeError for a method that needs the layers of a summed kernel.
 */
export async function bind(
  fisher: Fisher,
  training: AnyKernel,
  view: View,
  options: InvertOptions = {},
): Promise<(cross: AnyKernel) => Promise<Mover>> {
  if (isSummed(training)) {
    if (!fisher.fromTangent) throw new RangeError(`${fisher.name}: wanted a kernel of layers, got their sum`);
    const whole = view.curvature ? expandOutputs(training) : training;
    const solve = await fisher.fromTangent(
      trainingTangent(kernelTangent(whole), view, options),
      view.damping,
      options,
    );
    return async (cross) => {
      const { curvature } = view;
      if (!curvature) return { G: thetaPropagator(ntk(cross), cross.samples, solve), outputs: cross.outputs };
      const theta = await rightProduct(ntk(expandOutputs(cross)), curvature, options);
      return { G: thetaPropagator(theta, cross.samples, solve), outputs: curvature.columns };
    };
  }
  const preconditioner = await fisher.prepare(
    await trainingKernel(training, view, options),
    view.damping,
    options,
  );
  return async (cross) => {
    if (isSummed(cross)) throw new RangeError("bind: wanted a cross kernel of layers, got their sum");
    const seen = await crossKernel(cross, view, options);
    return { G: await preconditioner.propagator(seen), outputs: seen.outputs };
  };
}
