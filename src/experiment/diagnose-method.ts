/**
 * @file How near to G = alpha I a method is on a kernel, and which learning rates are stable there, in a diagnosis.
 */
import { breathe, type Stoppable } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { isotropyOf } from "../dynamics/isotropy.ts";
import { responseOf, type LossAt } from "../dynamics/response.ts";
import { stableLearningRate } from "../dynamics/stability.ts";
import { bind, viewOf, type Fisher, type Propagator, type Shape } from "../fisher/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { multiply, transpose, zeros } from "../linalg/matrix.ts";
import type { Config } from "./config.ts";
import type { MethodFigures } from "./diagnosis.ts";

/** Largest n for which all columns of G (of S^T G) are formed. */
const SMALL = 256;

/** How many products with G are computed where it is not formed: few where each of them solves for every unit. */
const budgetOf = ({ needs }: Fisher): { maxProbes: number; iterations: number } =>
  needs === "units" ? { maxProbes: 4, iterations: 8 } : { maxProbes: 32, iterations: 32 };

/** The figures of a method. */
export async function measureMethod(
  fisher: Fisher,
  shape: Shape,
  kernel: Kernel,
  { damping, singular }: Pick<Config, "damping" | "singular">,
  { at, engine, signal }: ComputeOptions & { at: LossAt },
): Promise<MethodFigures> {
  const theory = fisher.alpha(shape, { singular });
  const view = viewOf(fisher, at.loss, at.f, at.y, damping);
  const mover = await (await bind(fisher, kernel, view, { singular, engine, signal }))(kernel);
  const { R: products, size: n } = responseOf(fisher, at, mover, damping);
  const whole = n <= SMALL && fisher.needs !== "units";
  const R = whole ? await formed(products, n, { signal }) : products;
  const { maxProbes, iterations } = whole ? { maxProbes: n, iterations: n } : budgetOf(fisher);
  return {
    ...(await isotropyOf(R, n, { maxColumns: whole ? n : 0, maxProbes, signal })),
    alpha_theory: theory ?? null,
    learning_rate: theory === undefined ? null : 1 / theory,
    // Rounding in the Grams of a float32 engine makes small eigenvalues of either sign.
    max_learning_rate: await stableLearningRate(R, n, {
      iterations,
      signal,
      epsilon: Math.max(1e-10, n * kernel.epsilon),
    }),
  };
}

/** G as a matrix [n, n], for many products. */
async function formed(G: Propagator, n: number, { signal }: Stoppable): Promise<Propagator> {
  const columns = zeros(n, n);
  for (let j = 0; j < n; j++) {
    await breathe(signal);
    const unit = new Float64Array(n);
    unit[j] = 1;
    columns.data.set(await G(unit), j * n);
  }
  const matrix = transpose(columns);
  return (residual) => multiply(matrix, { rows: n, cols: 1, data: residual }).data;
}
