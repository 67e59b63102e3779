/**
 * @file The analytic NTK of three layers over N samples, beside what an engine cannot do without: to evaluate the two maps of
 * ReLU once on N x N numbers and to write the matrix.
 *
 *     c = k / sqrt(p q),  t = arccos c,    out = k (pi - t) / 2 pi  +  sqrt(p q) (sin t + (pi - t) c) / 2 pi
 *
 * ONNX Runtime's CPU provider has Acos in float32 alone, so the floor is that graph in float32, and once more in float64 with
 * arccos composed of its other operations. Floors take their covariances from one tile, and leave out the product x.x' and
 * the second layer's maps, which the NTK has to compute.
 */
import { createEngine, type Engine, type Tensors } from "../src/engine/engine.ts";
import { createGraph, type Graph, type Precision, type Value } from "../src/engine/graph.ts";
import { randomState } from "../src/entry/data.ts";
import { analyticNtk } from "../src/entry/kernel.ts";
import { matrix, mlp } from "../src/index.ts";
import { sweep } from "../src/kernel/sweep.ts";
import { inFreshProcess, peakMemory, type Benchmark } from "./benchmark.ts";
import { mb, s, table, times } from "./markdown.ts";
import { columns, seconds } from "./statistics.ts";

const SIZES = [1000, 2000, 5000, 10_000];
const FEATURES = 784;
const RUNS = 3;
/** Numbers of a tile of the floor: of the sizes tried, the fastest. */
const TILE = 2 ** 16;

/** Seconds, the least of the runs; `peak` and `before` in bytes. `product` is the part of `ntk` that multiplies samples. */
type Measured = Record<"ntk" | "product" | "peak" | "before" | Precision, number>;

/** The NTK of N samples in this process, its floors turn by turn. */
export async function analyticNtkTask(N: number, runs: number): Promise<Measured> {
  const network = mlp(FEATURES, { depth: 3 });
  const x = matrix(N, FEATURES, randomState(1).normalsInto(new Float64Array(N * FEATURES)));
  const host = await createEngine({ precision: "float64" });
  const computing = { engine: host };
  const few = matrix(300, FEATURES, x.data.slice(0, 300 * FEATURES));
  await analyticNtk(network, few, few, computing);
  const before = process.memoryUsage.rss();
  await analyticNtk(network, x, x, computing);
  const peak = peakMemory();
  const work = {
    ntk: () => analyticNtk(network, x, x, computing),
    product: () => sweep(network, x, x, computing, 0, () => {}),
    float32: await createMaps("float32", N),
    float64: await createMaps("float64", N),
  };
  const best = { ntk: Infinity, product: Infinity, float32: Infinity, float64: Infinity };
  for (let i = 0; i < runs; i++) {
    for (const part of ["ntk", "product", "float32", "float64"] as const) {
      best[part] = Math.min(best[part], await seconds(work[part]));
    }
  }
  await host.release();
  return { ...best, peak, before };
}

/** The floor: a run of it fills a new matrix [N, N], in tiles of whole rows. */
async function createMaps(precision: Precision, N: number): Promise<() => Promise<void>> {
  const engine: Engine = await createEngine({ precision });
  const g = createGraph(precision);
  const k = g.input("k", ["rows", "cols"]);
  const norm = g.node("Mul", [g.input("p", ["rows", 1]), g.input("q", [1, "cols"])]);
  g.output("out", maps(g, k, norm), ["rows", "cols"]);
  const program = await engine.compile(g);
  const rows = Math.max(1, Math.floor(TILE / N));
  const numbers = (length: number, f: (i: number) => number) => engine.floats(length).map((_, i) => f(i));
  const covariances = numbers(rows * N, (i) => 0.999 * Math.cos(i));
  const ones = numbers(Math.max(rows, N), () => 1);
  return async () => {
    const out = engine.floats(N * N);
    for (let row = 0; row < N; row += rows) {
      const count = Math.min(rows, N - row);
      const feeds: Tensors = {
        k: engine.tensor(covariances.subarray(0, count * N), [count, N]),
        p: engine.tensor(ones.subarray(0, count), [count, 1]),
        q: engine.tensor(ones.subarray(0, N), [1, N]),
      };
      await program.run(feeds, { out: engine.tensor(out.subarray(row * N, (row + count) * N), [count, N]) });
    }
  };
}

/** k E[phi-dot phi-dot'] + E[phi phi']. */
function maps(g: Graph, k: Value, norm: Value): Value {
  const op = (name: string, ...inputs: (Value | number)[]): Value =>
    g.node(
      name,
      inputs.map((x) => (typeof x === "number" ? g.constant([x]) : x)),
    );
  const c = op("Clip", op("Div", k, norm), -1, 1);
  const rest = op("Sub", Math.PI, g.precision === "float32" ? op("Acos", c) : arccos(op, c));
  const sine = op("Sqrt", op("Sub", 1, op("Mul", c, c)));
  const first = op("Mul", norm, op("Add", sine, op("Mul", rest, c)));
  return op("Mul", op("Add", op("Mul", k, rest), first), 1 / (2 * Math.PI));
}

/** arccos c by Abramowitz & Stegun 4.4.46: sqrt(1 - |c|) times a polynomial of degree 7, to 2e-8; enough for a floor. */
function arccos(op: (name: string, ...inputs: (Value | number)[]) => Value, c: Value): Value {
  const size = op("Abs", c);
  const descending = [
    -0.0012624911, 0.0066700901, -0.0170881256, 0.030891881, -0.0501743046, 0.0889789874, -0.2145988016,
    1.570796305,
  ];
  const polynomial = descending
    .slice(1)
    .reduce<Value | number>((sum, a) => op("Add", op("Mul", size, sum), a), descending[0]!);
  const half = op("Mul", op("Sqrt", op("Sub", 1, size)), polynomial);
  return op("Where", op("Less", c, 0), op("Sub", Math.PI, half), half);
}

export const analyticBenchmark: Benchmark = {
  name: "analytic",
  title: `The analytic NTK, three layers, ${FEATURES} features, float64`,
  async run({ runs = RUNS, progress }) {
    const measured: Measured[] = [];
    for (const N of SIZES) {
      progress(`N = ${N}`);
      measured.push(await inFreshProcess<Measured>("analyticNtk", N, runs));
    }
    const rows = measured.map(({ ntk, product, peak, before, float32, float64 }, i) => {
      const N = SIZES[i]!;
      return [N, s(ntk), s(product), s(float32), times(ntk / float32), s(float64), times(ntk / float64)]
        .map(String)
        .concat(mb(peak), mb(before), mb(8 * N * N));
    });
    const head = ["N", "NTK, s", "of it x.x', s", "floor float32, s", "ratio", "floor float64, s", "ratio"];
    const memory = ["peak, MB", "before, MB", "matrix, MB"];
    return { text: `${table([...head, ...memory], rows)}\n`, raw: columns(measured) };
  },
};
