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
import { addDiagonal, scale, zeros } from "../linalg/matrix.ts";
import { product } from "../linalg/product.ts";
import { addRow } from "../linalg/vector-product.ts";
import type { Inversion, InvertOptions } from "./fisher.ts";
import { invert } from "./invert.ts";
import { columnsOf, pulledBack, rowsOf, type BlockUpdate } from "./written.ts";

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
  const primal = I <= train.rows;
  let worst: Inversion | undefined;
  const noting = onInversion ? { onInversion: (each: Inversion) => (worst = worse(worst, each)) } : {};
  const solves: ((b: Float64Array) => Float64Array)[] = [];
  const ofSmaller = { ...options, ...(primal ? { transA: true } : { transB: true }) };
  for (let o = 0; o < O; o++) {
    await breathe(signal);
    const J = columnsOf(train, o * I, (o + 1) * I);
    // A unit that no output sees does not move.
    if (J.data.every((x) => x === 0)) {
      solves.push((b) => new Float64Array(b.length));
      continue;
    }
    const gram = scale(await product(J, J, ofSmaller), 1 / N);
    const what = `unit_wise: unit ${o + 1} of layer ${index + 1}`;
    const about = { what, epsilon, maxRank: Math.min(J.rows, I) };
    solves.push((await invert(addDiagonal(gram, damping), about, { ...options, ...noting })).solve);
  }
  if (worst) onInversion?.({ ...worst, what: `unit_wise: worst unit of layer ${index + 1}` });

  return async (residual) => {
    if (primal) {
      const out = pulledBack(layer, train, residual, N);
      for (const [o, solve] of solves.entries()) {
        const unit = out.data.subarray(o * I, (o + 1) * I);
        unit.set(solve(unit.slice()));
      }
      return out;
    }
    const out = zeros(O, I);
    for (const [o, solve] of solves.entries()) {
      const v = solve(residual);
      for (let row = 0; row < train.rows; row++)
        addRow(out.data, o * I, train.data, row * train.cols + o * I, I, v[row]! / N);
    }
    return out;
  };
}

/** Of two inversions the one that lacks more, or whose condition is larger. */
function worse(a: Inversion | undefined, b: Inversion): Inversion {
  if (!a) return b;
  const [x, y] = [a.size - a.rank, b.size - b.rank];
  const { size, rank } = y > x ? b : a;
  return { ...a, size, rank, condition: Math.max(a.condition, b.condition) };
}
