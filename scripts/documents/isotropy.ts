/**
 * @file G of every method on the kernel of the network itself, with and without damping, as heat maps. In float64, so
 * that an entry near the edge of its colour has the same one on every machine.
 */
import {
  createEngine,
  type Engine,
  createLinearizer,
  createWeights,
  empiricalKernel,
  initialise,
  matrix,
  mlp,
  mse,
  type Fisher,
  type Kernel,
  type Matrix,
} from "../../src/index.ts";
import { mnist } from "../../src/node.ts";
import { methodNamed } from "./methods.ts";
import { isotropyFigure, type IsotropyGroup, type IsotropyPanel } from "../figures/isotropy.ts";
import type { FigureOptions } from "../figures/sheet.ts";

const WIDTH = 4096;
const PER_CLASS = 20;
const RHO = 1e-5;
const NATURAL = ["exact", "block_diagonal", "block_tri_diagonal", "kfac", "unit_wise"].map(methodNamed);
const GRADIENT = methodNamed("gradient");

/** G of every method, undamped and damped. */
export async function measureIsotropy(): Promise<IsotropyGroup[]> {
  const all = await mnist({ targetClasses: [0, 1], trainSize: 100, testSize: 1, loss: mse });
  // Both classes one after the other, so that what their samples share can be seen.
  const rows = [0.5, -0.5].flatMap((label) =>
    [...all.yTrain.data.keys()].filter((n) => all.yTrain.data[n] === label).slice(0, PER_CLASS),
  );
  const M0 = all.xTrain.cols;
  const pixels = rows.flatMap((n) => [...all.xTrain.data.subarray(n * M0, (n + 1) * M0)]);
  const x = matrix(rows.length, M0, Float64Array.from(pixels));
  const engine = await createEngine({ precision: "float64" });
  try {
    const network = mlp(M0, { width: WIDTH });
    const weights = createWeights(network, initialise(engine, network, 1));
    const { train: kernel } = await empiricalKernel(await createLinearizer(engine, network), weights, x);

    const panelsAt = async (fishers: readonly Fisher[], rho: number): Promise<IsotropyPanel[]> => {
      const panels: IsotropyPanel[] = [];
      for (const fisher of fishers) {
        const title = fisher === GRADIENT ? "gradient descent" : fisher.name;
        panels.push({ title, G: await formG(engine, fisher, kernel, rho) });
      }
      return panels;
    };
    return [
      { panels: await panelsAt([GRADIENT], 0) },
      { heading: "Natural gradients, undamped", panels: await panelsAt(NATURAL, 0) },
      {
        heading: `Natural gradients, damping ρ = ${RHO.toExponential().replace("e-", "e−")}`,
        panels: await panelsAt(NATURAL, RHO),
      },
    ];
  } finally {
    await engine.release();
  }
}

/** docs/figures/isotropy.svg. */
export function drawIsotropy(groups: readonly IsotropyGroup[], options: FigureOptions): string {
  const samples = 2 * PER_CLASS;
  const caption = {
    title: "Undamped, every Fisher approximation is isotropic: G = αI",
    subtitle: `G / α on ${samples} training samples, ${PER_CLASS} zeros and ${PER_CLASS} ones, from the kernel of a network of width ${WIDTH}. α is tr\u00a0G\u00a0/\u00a0n, the deviation ‖G\u00a0−\u00a0αI‖\u00a0/\u00a0‖αI‖.`,
    halves: ["zeros", "ones"] as const,
  };
  return isotropyFigure(groups, caption, options);
}

/** G [n, n], column by column. */
async function formG(engine: Engine, fisher: Fisher, kernel: Kernel, rho: number): Promise<Matrix> {
  const G = await (await fisher.prepare(kernel, rho, { engine })).onto(kernel);
  const n = kernel.cols * kernel.outputs;
  const data = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const unit = new Float64Array(n);
    unit[j] = 1;
    for (const [i, g] of (await G(unit)).entries()) data[i * n + j] = g;
  }
  return matrix(n, n, data);
}
