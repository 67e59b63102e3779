/**
 * @file Every method on networks that are no chains of dense layers on vectors: token-wise layers, branches and shared weights. Steps of
 * the trainer against solves with the explicit P x P Fisher matrix, and G against J times the step.
 */
import { describe, expect, it } from "vitest";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import {
  FISHERS,
  viewOf,
  trainingKernel,
  crossKernel,
  existsFor,
  type Fisher,
} from "../../src/fisher/index.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createLinearizer, type LayerLinearization } from "../../src/jacobian/linearize.ts";
import { createFolder, createWeights } from "../../src/jacobian/weights.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import { matrix, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { parallel, residual, sequence, serial } from "../../src/network/layers.ts";
import { createBuilder, neighboursIn, type Network } from "../../src/network/network.ts";
import { OPS } from "../../src/ops/index.ts";
import { isOuter } from "../../src/ops/op.ts";
import { randomState } from "../../src/random/random-state.ts";
import { float64Engine, relativeError, toRows } from "../support/tiny.ts";
import { apply, type Vector } from "../support/twin.ts";
import {
  layerSteps,
  twinCrossEntropy,
  twinMse,
  wholeJacobian,
  type TwinLayer,
} from "../support/twin-steps.ts";

const { dense, relu, reshape, sum } = OPS;
const biases = { biasVariance: 0.3 };

/** A layer on three tokens, a branch, and a layer on all of them. */
const tokens = (C: number): Network =>
  serial([3, 2], dense(3, biases), relu(), residual(dense(3)), relu(), reshape(9), dense(C, biases));

/** Two branches that meet. */
const branches = (C: number): Network =>
  serial(
    3,
    dense(4, biases),
    relu(),
    parallel([dense(3), sequence(dense(4), relu(), dense(3))], sum()),
    relu(),
    dense(C),
  );

/** One matrix that is used twice, as in an unrolled recurrence. */
function shared(C: number): Network {
  const b = createBuilder(3);
  const first = b.apply(relu(), [b.apply(dense(3, biases), [0])]);
  const second = b.apply(relu(), [b.apply(dense(3, biases), [first], { shares: 0 })]);
  return b.finish(b.apply(dense(C), [second]));
}

const NETWORKS = { tokens, branches, shared };

/** A block as the twin sees it. */
function twinLayer(layer: LayerLinearization, neighbours: readonly number[]): TwinLayer {
  const { inputs, signals, reduced, columns, fanOut } = layer;
  const rows = (m: Matrix<Float32Array | Float64Array>) => toRows({ ...m, data: Float64Array.from(m.data) });
  if (isOuter(layer)) return { H: rows(inputs), D: rows(signals), columns, fanOut, neighbours };
  const factors = reduced ? { H: rows(reduced.inputs), D: rows(reduced.signals) } : { H: [], D: [] };
  return { ...factors, J: rows(signals), columns, fanOut, neighbours };
}

async function problem(networkOf: (C: number) => Network, loss: Loss, seed: number) {
  const engine = await float64Engine();
  const C = loss === mse ? 2 : 3;
  const network = networkOf(C);
  const { normalsInto } = randomState(seed);
  const draw = (rows: number, cols: number): Matrix =>
    matrix(rows, cols, normalsInto(new Float64Array(rows * cols)));
  const thetas = network.blocks.map(({ fanOut, columns }) => draw(fanOut, columns).data);
  const [train, test] = [draw(3, network.inputs), draw(2, network.inputs)];
  const y = loss === mse ? draw(3, C) : zeros(3, C);
  if (loss !== mse) for (let n = 0; n < 3; n++) y.data[n * C + n] = 1;
  const linearizer = await createLinearizer(engine, network);
  return { engine, network, linearizer, weights: createWeights(network, thetas), train, test, y };
}

/** An undamped step exists where nothing that the method inverts is singular; these networks are too small for that. */
const RHOS = [1e-2, 1e-5];

const cases = Object.entries(NETWORKS).flatMap(([name, network]) =>
  [mse, crossEntropy].flatMap((loss) =>
    FISHERS.filter((fisher) => existsFor(fisher, loss) && fisher.curvature !== "newton").map(
      (fisher) => [name, fisher.name, loss.name, network, fisher, loss] as const,
    ),
  ),
);

describe.each(cases)("on %s, %s under %s", (_, __, ___, networkOf, fisher: Fisher, loss: Loss) => {
  it.each(RHOS)("takes the step of the P x P solve, in both spaces, at rho = %s", async (rho) => {
    const { engine, network, linearizer, weights, train, test, y } = await problem(networkOf, loss, 7);
    const neighbours = neighboursIn(network);
    const twinsOf = async (x: Matrix) =>
      (await linearizer.linearize(weights, x)).layers.map((layer, l) => twinLayer(layer, neighbours[l]!));
    const layers = await twinsOf(train);
    const others = await twinsOf(test);
    const f = await linearizer.forward(weights, train);
    const twinLoss = (loss === mse ? twinMse : twinCrossEntropy)(toRows(f), toRows(y));
    const steps = layerSteps(fisher.name, layers, twinLoss, rho);

    const { train: kernel, others: crosses } = await empiricalKernel(linearizer, weights, train, [test]);
    const view = viewOf(fisher, loss, f, y, rho);
    const prepared = await fisher.prepare(trainingKernel(kernel, view), rho, { singular: "least_norm" });
    const G = await prepared.onto(crossKernel(crosses[0]!, view));
    const moved = await G(view.residual.data);
    const wanted: Vector = apply(wholeJacobian(others), steps.flat());
    expect(relativeError(moved, wanted), "function space").toBeLessThan(1e-8);

    const before = weights.map(({ base }) => base.slice());
    await createTrainer(linearizer, weights, fisher, loss, { x: train, y }).step({
      learningRate: 1,
      damping: rho,
      singular: "least_norm",
    });
    const folder = createFolder(engine);
    for (const layer of weights) await folder.fold(layer);
    for (const [l, { base }] of weights.entries()) {
      const change = Array.from(base, (x, i) => before[l]![i]! - x);
      expect(relativeError(change, steps[l]!, 1e-6), `theta ${l + 1}`).toBeLessThan(1e-7);
    }
  });
});
