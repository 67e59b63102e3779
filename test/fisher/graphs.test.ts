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
import { createGrams } from "../../src/kernel/gram.ts";
import { linearizedKernel } from "../../src/kernel/linearized.ts";
import { createJacobian } from "../../src/jacobian/jacobian.ts";
import { createLinearizer, type LayerLinearization } from "../../src/jacobian/linearize.ts";
import { createFolder, createWeights } from "../../src/jacobian/weights.ts";
import { crossEntropy, mse, type Loss } from "../../src/loss/index.ts";
import { matrix, zeros, type Matrix } from "../../src/linalg/matrix.ts";
import { parallel, residual, sequence, serial } from "../../src/network/layers.ts";
import { createBuilder, neighboursIn, type Network } from "../../src/network/network.ts";
import { OPS } from "../../src/ops/index.ts";
import { isOuter, keptForm } from "../../src/ops/op.ts";
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

/** Few positions of wide layers, whose Jacobian is kept at every position. */
const wide = (C: number): Network =>
  serial([2, 7], dense(8, biases), relu(), dense(9), relu(), reshape(18), dense(C));

const NETWORKS = { tokens, branches, shared, wide };

it("covers every form in which a Jacobian is kept", () => {
  const forms = (network: Network) => network.blocks.map((shape) => keptForm(shape, network.outputs));
  expect(forms(tokens(2))).toEqual(["rows", "rows", "outer"]);
  expect(forms(wide(2))).toEqual(["pairs", "pairs", "outer"]);
});

/** A block as the twin sees it. */
function twinLayer(layer: LayerLinearization, neighbours: readonly number[]): TwinLayer {
  const { inputs, signals, reduced, expanded, kept, columns, fanOut } = layer;
  const rows = (m: Matrix<Float32Array | Float64Array>) => toRows({ ...m, data: Float64Array.from(m.data) });
  if (isOuter(layer)) return { H: rows(inputs), D: rows(signals), columns, fanOut, neighbours };
  const factors = reduced ? { H: rows(reduced.inputs), D: rows(reduced.signals) } : { H: [], D: [] };
  const J = kept === 1 ? rows(signals) : writtenOut(rows(inputs), rows(signals), kept);
  const all = expanded ? { expanded: { H: rows(expanded.inputs), D: rows(expanded.signals) } } : {};
  return { ...factors, ...all, J, columns, fanOut, neighbours };
}

/** The sum over positions of outer products. */
const writtenOut = (H: number[][], D: number[][], T: number): number[][] =>
  D.map((delta, row) => {
    const h = H[Math.floor((row * H.length) / D.length)]!;
    const [O, I] = [delta.length / T, h.length / T];
    return Array.from({ length: O * I }, (_, at) => {
      const [o, i] = [Math.floor(at / I), at % I];
      return Array.from({ length: T }, (__, t) => delta[t * O + o]! * h[t * I + i]!).reduce((a, b) => a + b);
    });
  });

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

/** The tri-diagonal Fisher matrix is not definite: a smaller rho may come near to one of its negative eigenvalues. */
const RHOS = [1e-1, 1e-3];

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
      (await linearizer.linearize(weights, x, x.rows, { positions: true })).layers.map((layer, l) =>
        twinLayer(layer, neighbours[l]!),
      );
    const layers = await twinsOf(train);
    const others = await twinsOf(test);
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
    const wanted: Vector = apply(wholeJacobian(others), steps.flat());
    expect(relativeError(moved, wanted), "function space").toBeLessThan(1e-8);

    // The kernel of a linearisation, whose products never form Theta.
    const about = await linearizer.linearize(weights, train);
    const lazyKernel = linearizedKernel(about, {
      grams: createGrams(engine),
      jacobian: createJacobian(engine),
      epsilon: engine.epsilon,
    });
    const theta = await kernel.matrix();
    expect(relativeError((await lazyKernel.matrix()).data, theta.data)).toBeLessThan(1e-12);
    const v = Float64Array.from({ length: theta.rows }, (_, i) => Math.sin(i + 1));
    expect(relativeError(await lazyKernel.times(v), apply(toRows(theta), [...v]))).toBeLessThan(1e-12);
    expect(relativeError((await lazyKernel.diagonal()).data, (await kernel.diagonal()).data)).toBeLessThan(
      1e-12,
    );
    expect(
      relativeError((await lazyKernel.rowsOf([2, 0])).data, (await kernel.rowsOf([2, 0])).data),
    ).toBeLessThan(1e-12);

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
