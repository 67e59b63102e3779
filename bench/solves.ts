/**
 * @file Factorisations and solves on the host in float64, each beside the time that its operations take in the engine's
 * float64 Gemm, measured in the same run.
 */
import { createEngine } from "../src/engine/engine.ts";
import { factorize } from "../src/linalg/cholesky.ts";
import { factorizeGeneral } from "../src/linalg/lu.ts";
import { addDiagonal, matrix, zeros, type Matrix } from "../src/linalg/matrix.ts";
import { accumulate, product } from "../src/linalg/product.ts";
import { inFreshProcess, peakMemory, type Benchmark } from "./benchmark.ts";
import { mb, ms, table, times } from "./markdown.ts";
import { seconds } from "./statistics.ts";

const SIZES = [500, 1000, 2000, 4000, 10_000];
const RUNS = 3;
/** Beyond this size only the Cholesky factor and its solve for one vector are timed. */
const LARGEST = 4000;
/** Size of the Gemm that is the floor: large enough to run at full speed. */
const GEMM = 1500;
const RANK = 200;

/** What is timed, with its operations in units of n^3 / 3. */
const OPERATIONS = {
  cholesky: 1,
  "solve, one vector": 0,
  "solve, n vectors": 6,
  inverse: 2,
  lu: 2,
  "lu solve, n vectors": 6,
} as const;

type Name = keyof typeof OPERATIONS;

/** Least seconds of everything, and of one operation of the Gemm. */
type Times = { operation: number; peak: number; matrix: number; seconds: Partial<Record<Name, number>> };

/** Times for one n, the Gemm before each. */
export async function solves(n: number, runs: number): Promise<Times> {
  const engine = await createEngine({ precision: "float64" });
  const [a, b, c] = [filled(GEMM, GEMM), filled(GEMM, GEMM), zeros(GEMM, GEMM)];
  let gemm = Infinity;
  const least: Partial<Record<Name, number>> = {};
  const time = async (name: Name, work: () => unknown): Promise<void> => {
    const t = await seconds(() => accumulate(c, -1, a, b, { engine, transB: true }));
    gemm = Math.min(gemm, t);
    least[name] = Math.min(least[name] ?? Infinity, await seconds(work));
  };
  const half = filled(n, RANK);
  const vector = filled(n, 1);
  for (let run = 0; run < runs; run++) {
    // Made anew for every run: a copy to keep would be as large as itself.
    const k = addDiagonal(await product(half, half, { engine, transB: true }), RANK);
    if (n <= LARGEST) {
      let general = await factorizeGeneral(k, "benchmark", { engine });
      await time("lu", async () => (general = await factorizeGeneral(k, "benchmark", { engine })));
      await time("lu solve, n vectors", () => general.solveMatrix(k));
    }
    let factor: Awaited<ReturnType<typeof factorize>> | undefined;
    const copy = n <= LARGEST ? matrix(n, n, k.data.slice()) : k;
    await time(
      "cholesky",
      async () => (factor = await factorize(copy, { what: "benchmark", overwrite: true, engine })),
    );
    await time("solve, one vector", () => factor!.solve(vector.data));
    if (n > LARGEST) continue;
    await time("solve, n vectors", () => factor!.solveMatrix(k));
    await time("inverse", () => factor!.inverse());
  }
  await engine.release();
  return { operation: gemm / (2 * GEMM ** 3), peak: peakMemory(), matrix: 8 * n * n, seconds: least };
}

/** Numbers of unit size without a pattern that would make a product of low rank. */
function filled(rows: number, cols: number): Matrix {
  const out = zeros(rows, cols);
  for (let i = 0; i < out.data.length; i++) out.data[i] = Math.sin((i * i) % 1_000_003);
  return out;
}

function report(n: number, { operation, peak, matrix, seconds }: Times): string {
  const rows = (Object.entries(seconds) as [Name, number][]).map(([name, t]) => {
    const floor = ((OPERATIONS[name] * n ** 3) / 3) * operation;
    // A solve for one vector reads the factor twice; what it has for a floor is memory.
    if (floor === 0) return [name, ms(t), "", "", `${(matrix / t / 1e9).toFixed(1)} GB/s`];
    return [name, ms(t), ms(floor), times(t / floor), `${((floor / t) * 100).toFixed(0)} %`];
  });
  const gigaflops = (1e-9 / operation).toFixed(0);
  return [
    table([`n = ${n}, Gemm ${gigaflops} GFLOP/s`, "ms", "floor ms", "ratio", "of Gemm"], rows),
    "",
    `Peak memory ${mb(peak)} MB; the matrix has ${mb(matrix)} MB.`,
    "",
  ].join("\n");
}

export const solvesBenchmark: Benchmark = {
  name: "solves",
  title: "Cholesky, LU, solves and inverses",
  async run({ runs = RUNS, progress }) {
    const raw: Record<number, Times> = {};
    for (const n of SIZES) {
      progress(`n = ${n}`);
      raw[n] = await inFreshProcess<Times>("solves", n, runs);
    }
    return {
      text: Object.entries(raw)
        .map(([n, times]) => report(Number(n), times))
        .join("\n"),
      raw,
    };
  },
};
