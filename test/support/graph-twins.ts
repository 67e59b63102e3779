/**
 * @file Networks of any ops as the plain twin sees them, one step of a method in both spaces, and what it should be.
 */
import { expect } from "vitest";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { crossKernel, trainingKernel, viewOf, type Fisher } from "../../src/fisher/index.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createLinearizer, type LayerLinearization, type Linearizer } from "../../src/jacobian/linearize.ts";
import { createFolder, createWeights, type Weights } from "../../src/jacobian/weights.ts";
import { mse, type Loss } from "../../src/loss/index.ts";
import { matrix, zeros, type Floats, type Matrix } from "../../src/linalg/matrix.ts";
import { neighboursIn, type Network } from "../../src/network/network.ts";
import { isOuter } from "../../src/ops/op.ts";
import { randomState } from "../../src/random/random-state.ts";
import { rowsOf } from "./differences.ts";
import { float64Engine, relativeError, toRows } from "./tiny.ts";
import { apply } from "./twin.ts";
import { layerSteps, twinCrossEntropy, twinMse, wholeJacobian, type TwinLayer } from "./twin-steps.ts";

/** A network with data and normal weights of a seed. */
export type GraphProblem = {
  readonly linearizer: Linearizer;
  readonly weights: Weights;
  readonly train: Matrix;
  readonly test: Matrix;
  readonly y: Matrix;
};

/** So many training samples, and two for testing. */
export async function graphProblem(
  network: Network,
  loss: Loss,
  seed: number,
  samples = 3,
): Promise<GraphProblem> {
  const engine = await float64Engine();
  const C = network.outputs;
  const { normalsInto } = randomState(seed);
  const draw = (rows: number, cols: number): Matrix =>
    matrix(rows, cols, normalsInto(new Float64Array(rows * cols)));
  const thetas = network.blocks.map(({ fanOut, columns }) => draw(fanOut, columns).data);
  const [train, test] = [draw(samples, network.inputs), draw(2, network.inputs)];
  const y = loss === mse ? draw(samples, C) : zeros(samples, C);
  if (loss !== mse) for (let n = 0; n < samples; n++) y.data[n * C + (n % C)] = 1;
  const linearizer = await createLinearizer(engine, network);
  return { linearizer, weights: createWeights(network, thetas), train, test, y };
}

/** The blocks of a network on samples as the twin sees them. */
export async function twinLayersOf({ linearizer, weights }: GraphProblem, x: Matrix): Promise<TwinLayer[]> {
  const neighbours = neighboursIn(linearizer.network);
  const { layers } = await linearizer.linearize(weights, x, x.rows, { positions: true });
  return layers.map((layer, l) => twinLayer(layer, neighbours[l]!));
}

function twinLayer(layer: LayerLinearization, neighbours: readonly number[]): TwinLayer {
  const { inputs, signals, reduced, expanded, columns, fanOut } = layer;
  const rows = (m: Matrix<Floats>) => toRows({ ...m, data: Float64Array.from(m.data) });
  if (isOuter(layer)) return { H: rows(inputs), D: rows(signals), columns, fanOut, neighbours };
  const factors = reduced ? { H: rows(reduced.inputs), D: rows(reduced.signals) } : { H: [], D: [] };
  const all = expanded ? { expanded: { H: rows(expanded.inputs), D: rows(expanded.signals) } } : {};
  return { ...factors, ...all, J: rowsOf(layer).map((row) => [...row]), columns, fanOut, neighbours };
}

/** Compares one step of learning rate 1 with the P x P solve, in function space and in parameter space. */
export async function compareStep(
  problem: GraphProblem,
  fisher: Fisher,
  loss: Loss,
  rho: number,
  tolerance: { functions: number; parameters: number },
): Promise<void> {
  const { linearizer, weights, train, test, y } = problem;
  const layers = await twinLayersOf(problem, train);
  const others = await twinLayersOf(problem, test);
  const f = await linearizer.forward(weights, train);
  const twinLoss = (loss === mse ? twinMse : twinCrossEntropy)(toRows(f), toRows(y));
  const steps = layerSteps(fisher.name, layers, twinLoss, rho);

  const { train: kernel, others: crosses } = await empiricalKernel(linearizer, weights, train, [test], {
    needs: fisher.needs === "positions" ? "positions" : "units",
  });
  const view = viewOf(fisher, loss, f, y, rho);
  const prepared = await fisher.prepare(trainingKernel(kernel, view), rho, { singular: "least_norm" });
  const G = await prepared.onto(crossKernel(crosses[0]!, view));
  const moved = await G(view.residual.data);
  const wanted = apply(wholeJacobian(others), steps.flat());
  expect(relativeError(moved, wanted, 1e-6), `${fisher.name}: function space`).toBeLessThan(
    tolerance.functions,
  );

  const before = weights.map(({ base }) => base.slice());
  await createTrainer(linearizer, weights, fisher, loss, { x: train, y }).step({
    learningRate: 1,
    damping: rho,
    singular: "least_norm",
  });
  const folder = createFolder(linearizer.engine);
  for (const layer of weights) await folder.fold(layer);
  for (const [l, { base }] of weights.entries()) {
    const change = Array.from(base, (x, i) => before[l]![i]! - x);
    base.set(before[l]!);
    const error = relativeError(change, steps[l]!, 1e-6);
    expect(error, `${fisher.name}: theta ${l + 1}`).toBeLessThan(tolerance.parameters);
  }
}
