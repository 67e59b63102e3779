/**
 * @file Unit-wise NGD on a block that is kept as the rows of its Jacobian: unit o (an output channel) has the rows J_o [N C, I], and its
 * part of the update is
 *
 *     dtheta_o = (J_o^T J_o / N + rho)^-1 J_o^T r / N,
 *
 * solved on the smaller side, I x I or N C x N C.
 */
import { breathe } from "../breathe.ts";
import type { BlockKernel } from "../kernel/block.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { addDiagonal, scale, zeros, type Matrix } from "../linalg/matrix.ts";
import { product } from "../linalg/product.ts";
import { addTimesTransposed } from "../linalg/vector-product.ts";
import type { Inversion, InvertOptions } from "./fisher.ts";
import { invert } from "./invert.ts";
import { columnsOf, rowsOf, type BlockUpdate } from "./written.ts";

/** r to dtheta_l, with the inverses of all units kept. */
export async function writtenUnits(
  kernel: Kernel,
  layer: BlockKernel,
  index: number,
  damping: number,
  options: InvertOptions,
): Promise<BlockUpdate> {
  const { cols: N, epsilon } = kernel;
  const { train } = await rowsOf(layer, "unit_wise");
  const { fanOut: O, columns: I } = layer;
  const { onInversion, signal } = options;
  let worst: Inversion | undefined;
  const units: ((residual: Float64Array) => Float64Array)[] = [];
  for (let o = 0; o < O; o++) {
    await breathe(signal);
    const J = columnsOf(train, o * I, (o + 1) * I);
    // A unit that no output sees does not move.
    if (J.data.every((x) => x === 0)) {
      units.push(() => new Float64Array(I));
      continue;
    }
    const what = `unit_wise: unit ${o + 1} of layer ${index + 1}`;
    units.push(
      await unitUpdate(
        J,
        N,
        damping,
        { what, epsilon },
        {
          ...options,
          ...(onInversion ? { onInversion: (each) => (worst = worse(worst, each)) } : {}),
        },
      ),
    );
  }
  if (worst) onInversion?.({ ...worst, what: `unit_wise: worst unit of layer ${index + 1}` });
  return async (residual) => {
    const out = zeros(O, I);
    for (const [o, unit] of units.entries()) out.data.set(unit(residual), o * I);
    return out;
  };
}

/** r to dtheta_o [I]. */
async function unitUpdate(
  J: Matrix,
  samples: number,
  damping: number,
  about: { what: string; epsilon: number },
  options: InvertOptions,
): Promise<(residual: Float64Array) => Float64Array> {
  const primal = J.cols <= J.rows;
  const gram = scale(
    await product(J, J, { ...options, ...(primal ? { transA: true } : { transB: true }) }),
    1 / samples,
  );
  const { solve } = await invert(
    addDiagonal(gram, damping),
    { ...about, maxRank: Math.min(J.rows, J.cols) },
    options,
  );
  const pulled = (v: Float64Array): Float64Array => {
    const out = new Float64Array(J.cols);
    addTimesTransposed(out, 1 / samples, J, v);
    return out;
  };
  return primal ? (residual) => solve(pulled(residual)) : (residual) => pulled(solve(residual));
}

/** Of two inversions the one that lacks more, or whose condition is larger. */
function worse(a: Inversion | undefined, b: Inversion): Inversion {
  if (!a) return b;
  const [x, y] = [a.size - a.rank, b.size - b.rank];
  const { size, rank } = y > x ? b : a;
  return { ...a, size, rank, condition: Math.max(a.condition, b.condition) };
}
