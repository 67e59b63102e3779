/**
 * @file The NTK of a network between two sets of samples in one call, with no normalisation by N:
 *
 *     analytic    Theta [N', N] of one output of the infinitely wide network;
 *     empirical   Theta [N' C, N C] of a network at its weights, rows and columns (n, c), n outermost.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { demandName, InputError } from "../error.ts";
import type { Engine } from "../engine/engine.ts";
import { createLinearizer } from "../jacobian/linearize.ts";
import { createWeights, type Weights } from "../jacobian/weights.ts";
import type { Floats, Matrix } from "../linalg/matrix.ts";
import { drawWeights } from "../network/initialise.ts";
import type { Network } from "../network/network.ts";
import { analyticNtk } from "./analytic.ts";
import { stack } from "./empirical.ts";
import { createGrams } from "./gram.ts";

/** Options of {@link ntk}. */
export type NtkOptions = ComputeOptions &
  (
    | {
        /** Of the infinitely wide network; the default. */
        kind?: "analytic";
      }
    | {
        /** Of the network at its weights. */
        kind: "empirical";
        /** What runs the network; in its precision. */
        engine: Engine;
        /** Default: the initial weights of seed 1. */
        weights?: Weights;
      }
  );

const KINDS: readonly string[] = ["analytic", "empirical"];

/**
 * The NTK of a network between samples `x1` [N', M_0] and `x2` [N, M_0] (default: `x1` itself): of the infinitely wide network, or of
 * this one at its weights. {@link analyticKernel} and {@link empiricalKernel} have its layers.
 * @throws InputError for samples that are not finite, RangeError for samples or weights of another network.
 * @example
 * import { createEngine, matrix, mlp, ntk } from "natgrad";
 *
 * const x = matrix(3, 2, Float64Array.of(1, 0, 0, 1, 0.6, 0.8)); // three samples, two features
 * const network = mlp(2, { depth: 3, width: 512 });
 * const infinite = await ntk(network, x); // [3, 3]
 *
 * const engine = await createEngine();
 * const finite = await ntk(network, x, x, { kind: "empirical", engine });
 * await engine.release();
 */
export async function ntk(
  network: Network,
  x1: Matrix<Floats>,
  x2: Matrix<Floats> = x1,
  options: NtkOptions = {},
): Promise<Matrix> {
  demandName("kind", KINDS, options.kind ?? "analytic");
  const { signal } = options;
  if (options.kind !== "empirical") return analyticNtk(network, x1, x2, { engine: options.engine, signal });
  if (!options.engine) throw new InputError('engine: wanted an engine with kind "empirical", got none');
  const { engine, weights = createWeights(network, await drawWeights(engine, network, 1, { signal })) } =
    options;
  const linearizer = await createLinearizer(engine, network);
  const right = await stack(linearizer, weights, x2, { signal });
  if (x1 === x2) return createGrams(engine).theta(right, undefined, { signal });
  return createGrams(engine).theta(await stack(linearizer, weights, x1, { signal }), right, { signal });
}
