/**
 * @file The empirical NTK of a convolutional network: four 3 x 3 convolutions of 64 channels on 32 x 32 x 3 (strides 1, 2, 2, 2), ReLU,
 * the average over all positions, dense; 64 samples, float32. Kernels and floors take turns in one process, so that both see the same
 * machine.
 */
import { createGrams } from "../src/entry/kernel.ts";
import { cnn } from "../src/network/cnn.ts";
import {
  createEngine,
  createLinearizer,
  createWeights,
  initialise,
  matrix,
  type Network,
} from "../src/index.ts";
import { positionsOf } from "../src/ops/op.ts";
import { inFreshProcess, peakMemory, type Benchmark } from "./benchmark.ts";
import { createFloor, type Product } from "./gemm.ts";
import { mb, ms, table, times, verdict } from "./markdown.ts";
import { columns, median, seconds } from "./statistics.ts";

const SAMPLES = 64;
const OUTPUTS = [1, 10];
const RUNS = 10;
/** Seconds with one output, on two cores that do nothing else. */
const TARGET = 0.12;

/** Seconds of a kernel and of its floors. */
type Times = Record<"linearize" | "theta" | "linearizeFloor" | "thetaFloor", number>;

/** What a process found; operations of the floor, memory in bytes. */
type Found = { times: Times[]; operations: number; before: number; peak: number };

const network = (outputs: number): Network =>
  cnn([32, 32, 3], { depth: 5, width: 64, strides: [1, 2, 2, 2], outputs, biasVariance: 0.1 });

/** Forward, way back (but for the first layer) and rows of the Jacobian of each layer, at all positions of all samples. */
function linearizeProducts({ blocks, outputs }: Network): Product[] {
  return blocks.flatMap((block, l) => {
    const positions = SAMPLES * positionsOf(block);
    const H = { name: `H${l}`, rows: positions, cols: block.columns };
    const D = { name: `D${l}`, rows: outputs * positions, cols: block.fanOut };
    const theta = { name: `theta${l}`, rows: block.fanOut, cols: block.columns };
    const rows = Array.from({ length: outputs }, (_, c) => ({
      name: `rows${l} ${c}`,
      left: { ...H, name: `D${l} ${c}`, cols: block.fanOut },
      right: H,
      transA: true,
    }));
    const forward = { name: `forward${l}`, left: H, right: theta, transB: true };
    return [forward, ...(l > 0 ? [{ name: `back${l}`, left: D, right: theta }] : []), ...rows];
  });
}

/** J J^T of each layer. */
const thetaProducts = ({ blocks, outputs }: Network): Product[] =>
  blocks.map(({ columns: I, fanOut }, l) => {
    const J = { name: `J${l}`, rows: SAMPLES * outputs, cols: fanOut * I };
    return { name: `theta${l}`, left: J, right: J, transB: true };
  });

/** Kernels of the network with so many outputs in this process, a floor after each. */
export async function cnnKernel(outputs: number, runs: number): Promise<Found> {
  const engine = await createEngine();
  const net = network(outputs);
  const linearizer = await createLinearizer(engine, net);
  const weights = createWeights(net, initialise(engine, net, 1));
  const pixels = Float32Array.from({ length: SAMPLES * net.inputs }, (_, i) => Math.sin(i * i));
  const x = matrix(SAMPLES, net.inputs, pixels);
  const grams = createGrams(engine);
  const before = process.memoryUsage.rss();
  const kernel = async () => {
    const start = performance.now();
    const { layers } = await linearizer.linearize(weights, x);
    const middle = performance.now();
    await grams.theta(layers);
    return { linearize: (middle - start) / 1000, theta: (performance.now() - middle) / 1000 };
  };
  await kernel();
  const peak = peakMemory();

  const floors = {
    linearize: await createFloor(engine, linearizeProducts(net)),
    theta: await createFloor(engine, thetaProducts(net)),
  };
  const found: Times[] = [];
  for (let i = 0; i <= runs; i++) {
    const each = {
      ...(await kernel()),
      linearizeFloor: await seconds(floors.linearize.run),
      thetaFloor: await seconds(floors.theta.run),
    };
    if (i > 0) found.push(each);
  }
  return { times: found, operations: floors.linearize.operations + floors.theta.operations, before, peak };
}

export const cnnBenchmark: Benchmark = {
  name: "cnn",
  title: `The empirical NTK of a convolutional network, N = ${SAMPLES} (target: ${ms(TARGET)} ms with one output on two idle cores)`,
  async run({ runs = RUNS, progress }) {
    const lines: string[] = [];
    const raw: Record<number, Found> = {};
    for (const C of OUTPUTS) {
      progress(`${C} outputs`);
      const found = (raw[C] = await inFreshProcess<Found>("cnnKernel", C, runs));
      const { linearize, theta, linearizeFloor, thetaFloor } = columns(found.times);
      const both = (a: readonly number[], b: readonly number[]) => a.map((t, i) => t + b[i]!);
      const row = (what: string, time: readonly number[], floor: readonly number[], target?: number) => [
        what,
        ms(median(time)),
        ms(Math.min(...time)),
        ms(median(floor)),
        times(median(time.map((t, i) => t / floor[i]!))),
        target === undefined ? "" : `${ms(target)} ${verdict(Math.min(...time), target)}`,
      ];
      const total = both(linearize, theta);
      lines.push(
        table(
          [`C = ${C}, ${runs} runs`, "median ms", "min ms", "floor ms", "ratio", "target"],
          [
            row("kernel", total, both(linearizeFloor, thetaFloor), C === 1 ? TARGET : undefined),
            row("linearize", linearize, linearizeFloor),
            row("Theta", theta, thetaFloor),
          ],
        ),
        "",
        `${(found.operations / 1e9).toFixed(1)} GFLOP in the floor; peak memory ${mb(found.peak)} MB, of which ${mb(found.before)} MB before it.`,
        "",
      );
    }
    return { text: lines.join("\n"), raw };
  },
};
