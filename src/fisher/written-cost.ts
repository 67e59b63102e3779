/**
 * @file What methods take on blocks that are kept as rows (written.ts), beside those rows: bytes and operations from sizes alone.
 */
import { isOuter } from "../ops/op.ts";
import {
  eigenBytes,
  inverseBytes,
  invertBytes,
  matrixBytes,
  type CostLayer,
  type CostSizes,
} from "./cost.ts";

/** Of all such blocks together: what stays, the most while it is made, the updates themselves, and operations. */
export type WrittenCost = {
  readonly kept: number;
  readonly peak: number;
  readonly updates: number;
  readonly operations: number;
};

const NOTHING: WrittenCost = { kept: 0, peak: 0, updates: 0, operations: 0 };

/** The blocks that are kept as outer products. */
export const outerLayers = (layers: readonly CostLayer[]): readonly CostLayer[] => layers.filter(isOuter);

/** The sum of `each` over the blocks that are not; what passes counts once, the largest. */
export function writtenCost(
  layers: readonly CostLayer[],
  each: (layer: Required<CostLayer>) => WrittenCost,
): WrittenCost {
  let passing = 0;
  let sum = NOTHING;
  for (const layer of layers) {
    if (isOuter(layer)) continue;
    const { columns = 1, positions = 1, form = "outer", fanOut } = layer;
    const { kept, peak, updates, operations } = each({ columns, positions, form, fanOut });
    passing = Math.max(passing, peak - kept);
    sum = {
      kept: sum.kept + kept,
      peak: 0,
      updates: sum.updates + updates,
      operations: sum.operations + operations,
    };
  }
  return { ...sum, peak: sum.kept + passing };
}

/** K-FAC: an inverse or eigenvectors of A and B; rows of which they are sums as float64, of all positions with `expand`. */
export const writtenKfacCost =
  (
    { samples: N, outputs, leastNorm = false }: CostSizes,
    { expand, eigenvectors }: { expand: boolean; eigenvectors: boolean },
  ) =>
  ({ columns: I, fanOut: O, positions, form }: Required<CostLayer>): WrittenCost => {
    const m = N * outputs;
    const update = matrixBytes(O, I);
    if (form === "rows") {
      const block = invertBytes(m, { leastNorm });
      return {
        kept: block.kept,
        peak: block.peak + 2 * matrixBytes(m),
        updates: update,
        operations: m ** 3 / 3,
      };
    }
    const T = expand ? positions : 1;
    const rows = matrixBytes(N * T, I) + matrixBytes(m * T, O);
    const sides = [I, O];
    const each = (n: number): number => (eigenvectors ? matrixBytes(n) : inverseBytes(n));
    const made = (n: number): number =>
      2 * matrixBytes(n) + (eigenvectors || leastNorm ? eigenBytes(n) : inverseBytes(n));
    const kept = sides.reduce((sum, n) => sum + each(n), 0) + (eigenvectors ? update : 0);
    const factor = eigenvectors ? 7 : 4 / 3;
    return {
      kept,
      peak: kept + rows + Math.max(...sides.map(made)),
      updates: 4 * update,
      operations:
        sides.reduce((sum, n) => sum + factor * n ** 3, 0) + 2 * N * T * (I ** 2 + outputs * O ** 2),
    };
  };

/** Unit-wise: an inverse on the smaller side of every unit. */
export const writtenUnitsCost =
  ({ samples: N, outputs, leastNorm = false }: CostSizes) =>
  ({ columns: I, fanOut: O }: Required<CostLayer>): WrittenCost => {
    const m = N * outputs;
    const n = Math.min(I, m);
    const unit = invertBytes(n, { leastNorm });
    const kept = O * unit.kept;
    return {
      kept,
      peak: kept + unit.peak + 2 * matrixBytes(n) + matrixBytes(m, I),
      updates: 2 * matrixBytes(O, I),
      operations: O * (n ** 3 / 3 + 2 * n ** 2 * Math.max(I, m)),
    };
  };
