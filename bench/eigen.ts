/**
 * @file Symmetric eigendecompositions of Grams, values alone and with vectors, beside one float64 product of as many rows
 * and beside ml-matrix.
 */
import { EigenvalueDecomposition, Matrix as MlMatrix } from "ml-matrix";
import { createEngine, type Engine } from "../src/engine/engine.ts";
import { eigen, spectrum } from "../src/linalg/eigen.ts";
import { matrix, zeros, type Matrix } from "../src/linalg/matrix.ts";
import { product, productInto } from "../src/linalg/product.ts";
import { randomState } from "../src/random/random-state.ts";
import type { Benchmark } from "./benchmark.ts";
import { s as inSeconds, table, times } from "./markdown.ts";
import { seconds } from "./statistics.ts";

const SIZES = [100, 300, 1000, 2000];
const RUNS = 3;
/** Rows beyond which ml-matrix takes minutes. */
const LARGEST_REFERENCE = 1000;

/** Least seconds of each part. */
type Row = { n: number; floor: number; values: number; vectors: number; reference: number };

export const eigenBenchmark: Benchmark = {
  name: "eigen",
  title: "Eigenvalues and eigenvectors of a Gram in float64",
  async run({ runs = RUNS, progress }) {
    const engine = await createEngine({ precision: "float64" });
    const rows: Row[] = [];
    for (const n of SIZES) {
      progress(`N = ${n}`);
      rows.push(await measure(engine, n, runs));
    }
    await engine.release();
    const text = [
      table(
        [`least of ${runs}, s`, "Gemm", "values", "ratio", "vectors", "ratio", "ml-matrix"],
        rows.map(({ n, floor, values, vectors, reference }) => [
          `N = ${n}`,
          floor.toFixed(4),
          inSeconds(values),
          times(values / floor),
          inSeconds(vectors),
          times(vectors / floor),
          n > LARGEST_REFERENCE ? "-" : inSeconds(reference),
        ]),
      ),
      "",
    ];
    return { text: text.join("\n"), raw: rows };
  },
};

async function measure(engine: Engine, n: number, runs: number): Promise<Row> {
  const k = await gram(engine, n);
  const out = zeros(n, n);
  const row: Row = { n, floor: Infinity, values: Infinity, vectors: Infinity, reference: Infinity };
  for (let run = 0; run < runs; run++) {
    // In turns: what else the machine does meets all of them.
    row.floor = Math.min(row.floor, await seconds(() => productInto(out, k, k, { engine })));
    row.values = Math.min(row.values, await seconds(() => spectrum(k, { engine })));
    row.vectors = Math.min(row.vectors, await seconds(() => eigen(k, { engine })));
  }
  if (n <= LARGEST_REFERENCE) row.reference = await seconds(() => byMlMatrix(k));
  return row;
}

/** X X^T of as many columns as rows. */
async function gram(engine: Engine, n: number): Promise<Matrix> {
  const x = matrix(n, n, randomState(0).normalsInto(new Float64Array(n * n)));
  return product(x, x, { engine, transB: true });
}

const byMlMatrix = ({ rows, data }: Matrix): EigenvalueDecomposition =>
  new EigenvalueDecomposition(MlMatrix.from1DArray(rows, rows, data), { assumeSymmetric: true });
