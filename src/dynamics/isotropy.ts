/**
 * @file The isotropic condition of the paper (section 4): NGD converges as fast as exact NGD when G = alpha I. Here is
 * how far a method is from it on a given kernel: alpha = tr G / n, and |G - alpha I| / |alpha I| in Frobenius norm. Under a
 * loss with a curvature G is not square, and S^T G stands in its place (response.ts).
 */
import { breathe, type Stoppable } from "../breathe.ts";
import { bind } from "../fisher/bind.ts";
import { demandWhole } from "../error.ts";
import type { Fisher, Propagator, InvertOptions } from "../fisher/fisher.ts";
import { viewOf } from "../fisher/view.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { xorshift } from "../random/xorshift.ts";
import { responseOf, type LossAt } from "./response.ts";

/** The isotropy of a method. */
export type Isotropy = {
  /** alpha measured, tr G / n. */
  readonly alpha: number;
  /** |G - alpha I|_F / |alpha I|_F. */
  readonly deviation: number;
  /** Columns of G that were looked at: all n, or random probes for a large kernel (then both are estimates). */
  readonly probes: number;
  /** n, rows of G: one per sample and number of its residual. */
  readonly size: number;
};

/** Options of {@link isotropy}. */
export type IsotropyOptions = Stoppable & { maxColumns?: number; maxProbes?: number };

/** Largest n for which every column of G is formed, */
const MAX_COLUMNS = 256;
/** and the number of random sign vectors beyond it: the figures are then good to some percent, for fewer as n grows. */
const probesFor = (n: number): number => Math.max(8, Math.min(64, Math.round(2 ** 17 / n)));

/**
 * Isotropy of `fisher` on a training kernel: of G itself, or as seen by the loss `at` some outputs.
 * @throws SingularGramError as `fisher.prepare` does; InputError when the method does not exist for the loss.
 */
export async function isotropy(
  fisher: Fisher,
  kernel: Kernel,
  options: IsotropyOptions & InvertOptions & { damping?: number; at?: LossAt } = {},
): Promise<Isotropy> {
  const { damping = 0, at } = options;
  if (at) {
    const view = viewOf(fisher, at.loss, at.f, at.y, damping);
    const mover = await (await bind(fisher, kernel, view, options))(kernel);
    const { R, size } = responseOf(fisher, at, mover, damping);
    return isotropyOf(R, size, options);
  }
  const prepared = await fisher.prepare(kernel, damping, options);
  return isotropyOf(await prepared.onto(kernel), kernel.cols * kernel.outputs, options);
}

/** Isotropy of G [n, n]. */
export async function isotropyOf(G: Propagator, n: number, options: IsotropyOptions = {}): Promise<Isotropy> {
  demandWhole("n", n);
  const { maxColumns = MAX_COLUMNS, maxProbes = probesFor(n), signal } = options;
  const whole = n <= maxColumns;
  const probes = whole ? n : maxProbes;
  const probe = whole ? unitVectors(n) : randomSigns(n);

  // For unit vectors the sums below are tr G and |G - alpha I|^2; for random signs z, E[z z^T] = I, expectations of them.
  const zs = Array.from({ length: probes }, (_, p) => probe(p));
  const products: Float64Array[] = [];
  for (const z of zs) {
    await breathe(signal);
    products.push(await G(z));
  }
  const share = whole ? 1 : 1 / probes;
  let traceSum = 0;
  for (const [p, z] of zs.entries()) for (let i = 0; i < n; i++) traceSum += z[i]! * products[p]![i]!;
  const alpha = (traceSum * share) / n;
  let squares = 0;
  for (const [p, z] of zs.entries()) {
    for (let i = 0; i < n; i++) squares += (products[p]![i]! - alpha * z[i]!) ** 2;
  }
  // G = 0 is 0 times the identity.
  const deviation = squares === 0 ? 0 : Math.sqrt((squares * share) / n) / Math.abs(alpha);
  return { alpha, deviation, probes, size: n };
}

const unitVectors = (n: number) => (p: number) => {
  const z = new Float64Array(n);
  z[p] = 1;
  return z;
};

/** Vectors of random signs, the same in every run. */
function randomSigns(n: number): () => Float64Array {
  const next = xorshift();
  return () => Float64Array.from({ length: n }, () => (next() < 0 ? -1 : 1));
}
