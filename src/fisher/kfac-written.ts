/**
 * @file K-FAC on blocks that act at several positions of a sample (pixels, tokens), in the two forms of Eschenhagen et al. (arXiv
 * 2311.00636, sections 3.1 and 3.2):
 *
 *     expand   A = (1/(N T)) sum over n, t of H[n, t] H[n, t]^T,    B = (1/N) sum over n, c, t of D[n, c, t] D[n, c, t]^T
 *     reduce   A = (1/N) sum over n of h_n h_n^T,  h_n = mean over t of H[n, t];
 *              B = (1/N) sum over n, c of d_nc d_nc^T,  d_nc = sum over t of D[n, c, t]
 *
 *     dtheta_l = (B + rho_B)^-1 (J_l^T r / N) (A + rho_A)^-1
 *
 * Both are kfac.ts where there is one position. A block of plain rows (gains and shifts) has no such factors and is inverted by
 * itself, damped by rho.
 */
import { InputError } from "../error.ts";
import type { BlockKernel } from "../kernel/block.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { matrix, norm, transpose, type Floats, type Matrix } from "../linalg/matrix.ts";
import type { InvertOptions } from "./fisher.ts";
import { blockInverse, pulledBack, rowsOf, sideInverse, type BlockUpdate } from "./written.ts";

/** rho_A and rho_B for traces of A and B, each over its size. */
export type DampingSplit = (traceA: number, traceB: number) => { inputs: number; signals: number };

/** Which of the two forms, under the name of the method. */
export type KfacForm = { readonly name: string; readonly expand: boolean };

/** r to dtheta_l. */
export async function writtenKfac(
  kernel: Kernel,
  layer: BlockKernel,
  index: number,
  damping: number,
  split: DampingSplit,
  form: KfacForm,
  options: InvertOptions,
): Promise<BlockUpdate> {
  const { cols: N, epsilon } = kernel;
  const name = `of layer ${index + 1}`;
  if (!layer.reduced) {
    return blockInverse(layer, N, damping, { what: `${form.name}: NTK ${name}`, epsilon }, options);
  }
  const { train } = await rowsOf(layer, form.name);
  const { inputs, signals, count } = await factorsOf(kernel, layer, form);
  const rho = split(norm(inputs) ** 2 / count / inputs.cols, norm(signals) ** 2 / N / signals.cols);
  const about = (what: string) => ({ what: `${form.name}: ${what} ${name}`, epsilon });
  const timesXA = await sideInverse(inputs, count, rho.inputs, about("inputs"), options);
  const timesXB = await sideInverse(signals, N, rho.signals, about("signals"), options);
  return async (residual) => {
    const right = await timesXA(pulledBack(layer, train, residual, N));
    return transpose(await timesXB(transpose(right)));
  };
}

/** Rows of which A and B are sums of outer products: A over `count`, B over N. */
export type FactorRows = {
  readonly inputs: Matrix<Floats>;
  readonly signals: Matrix<Floats>;
  readonly count: number;
};

/** The rows of either form. */
export async function factorsOf(
  { cols: N }: Kernel,
  layer: BlockKernel,
  form: KfacForm,
): Promise<FactorRows> {
  if (!form.expand) return { ...(await layer.reduced!()), count: N };
  if (!layer.expanded) {
    throw new InputError(
      `${form.name}: wanted a kernel with all positions of a layer, got their means and sums`,
    );
  }
  const { inputs, signals } = await layer.expanded();
  const byPosition = (m: Matrix<Floats>, cols: number) => matrix(m.data.length / cols, cols, m.data);
  const rows = byPosition(inputs, layer.columns);
  return { inputs: rows, signals: byPosition(signals, layer.fanOut), count: rows.rows };
}
