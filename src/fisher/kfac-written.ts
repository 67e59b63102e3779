/**
 * @file K-FAC on blocks that act at several positions of a sample (pixels, tokens), in its reduced form (Eschenhagen et al.,
 * arXiv 2311.00636, section 3.2): inputs averaged and signals summed over the positions,
 *
 *     h_n = mean over t of H[n, t],    d_nc = sum over t of D[n, c, t],    A = (1/N) sum h h^T,    B = (1/N) sum d d^T,
 *     dtheta_l = (B + rho_B)^-1 (J_l^T r / N) (A + rho_A)^-1,
 *
 * which is that of kfac.ts where there is one position. A block of plain rows (gains and shifts) has no such factors and is inverted
 * by itself, damped by rho.
 */
import type { BlockKernel, Reduced } from "../kernel/block.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { norm, transpose } from "../linalg/matrix.ts";
import type { InvertOptions } from "./fisher.ts";
import { blockInverse, pulledBack, rowsOf, sideInverse, type BlockUpdate } from "./written.ts";

/** rho_A and rho_B for traces of A and B, each over its size. */
export type DampingSplit = (traceA: number, traceB: number) => { inputs: number; signals: number };

/** r to dtheta_l. */
export async function writtenKfac(
  kernel: Kernel,
  layer: BlockKernel,
  index: number,
  damping: number,
  split: DampingSplit,
  options: InvertOptions,
): Promise<BlockUpdate> {
  const { cols: N, epsilon } = kernel;
  const name = `of layer ${index + 1}`;
  if (!layer.reduced) {
    return blockInverse(layer, N, damping, { what: `kfac: NTK ${name}`, epsilon }, options);
  }
  const { train } = await rowsOf(layer, "kfac");
  const { inputs, signals } = await layer.reduced();
  const rho = split(...meanTraces({ inputs, signals }, N));
  const timesXA = await sideInverse(
    inputs,
    N,
    rho.inputs,
    { what: `kfac: inputs ${name}`, epsilon },
    options,
  );
  const timesXB = await sideInverse(
    signals,
    N,
    rho.signals,
    { what: `kfac: signals ${name}`, epsilon },
    options,
  );
  return async (residual) => {
    const right = await timesXA(pulledBack(layer, train, residual, N));
    return transpose(await timesXB(transpose(right)));
  };
}

/** tr A / I and tr B / O. */
export const meanTraces = ({ inputs, signals }: Reduced, samples: number): [number, number] => [
  norm(inputs) ** 2 / samples / inputs.cols,
  norm(signals) ** 2 / samples / signals.cols,
];
