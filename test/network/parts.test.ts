/**
 * @file Parts of networks: blocks that stay as they are, and a new last layer.
 */
import { describe, expect, it } from "vitest";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { exact } from "../../src/fisher/index.ts";
import { analyticNtk } from "../../src/kernel/analytic.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { mse } from "../../src/loss/index.ts";
import { freeze } from "../../src/network/freeze.ts";
import { withHead } from "../../src/network/head.ts";
import { initialise } from "../../src/network/initialise.ts";
import { residual, serial } from "../../src/network/layers.ts";
import { createBuilder } from "../../src/network/network.ts";
import { OPS } from "../../src/ops/index.ts";
import { randomState } from "../../src/random/random-state.ts";
import { checkJacobian } from "../support/differences.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";

const { conv, dense, flatten, globalAveragePool, relu, softmax } = OPS;
const biases = { biasVariance: 0.3 };

/** Two convolutions, one of them in a branch, and a dense layer. */
const images = serial(
  [4, 4, 2],
  conv(3, 2, biases),
  relu(),
  residual(conv(3, 3, { padding: "same" })),
  relu(),
  globalAveragePool(),
  dense(2, biases),
);

const drawn = (rows: number, cols: number, seed = 2): Matrix =>
  matrix(rows, cols, randomState(seed).normalsInto(new Float64Array(rows * cols)));

describe("freeze", () => {
  it("leaves a network of the same function whose Jacobian is that of the blocks that move", async () => {
    const engine = await float64Engine();
    const thetas = initialise(engine, images, 1);
    const x = drawn(3, images.inputs);
    const whole = await createLinearizer(engine, images);
    const weights = createWeights(images, thetas);
    const part = freeze(images, thetas, (l) => l !== 1);
    expect(part.blocks).toEqual([0, 2]);
    const linearizer = await createLinearizer(engine, part.network);
    const moving = createWeights(part.network, part.thetas);
    expect(
      relativeError((await linearizer.forward(moving, x)).data, (await whole.forward(weights, x)).data),
    ).toBe(0);
    const { train } = await empiricalKernel(linearizer, moving, x);
    const { train: all } = await empiricalKernel(whole, weights, x);
    const kept = [all.blocks![0]!, all.blocks![2]!];
    const wanted = (await kept[0]!.ntk()).data;
    for (const [i, value] of (await kept[1]!.ntk()).data.entries()) wanted[i]! += value;
    expect(relativeError((await train.matrix()).data, wanted)).toBeLessThan(1e-12);
    await checkJacobian(part.network, x, 5);
  });

  it("moves nothing else in a step", async () => {
    const engine = await float64Engine();
    const thetas = initialise(engine, images, 1);
    const before = thetas.map((theta) => theta.slice());
    const part = freeze(images, thetas, (l) => l === 2);
    const linearizer = await createLinearizer(engine, part.network);
    const weights = createWeights(part.network, part.thetas);
    const data = { x: drawn(3, images.inputs), y: drawn(3, 2, 3) };
    const trainer = createTrainer(linearizer, weights, exact, mse, data);
    const start = await trainer.evaluate();
    await trainer.step({ learningRate: 1, damping: 1e-6 });
    const after = await trainer.evaluate();
    expect(mse.value(after.train, data.y)).toBeLessThan(0.5 * mse.value(start.train, data.y));
    expect(thetas.slice(0, 2)).toEqual(before.slice(0, 2));
  });

  it("refuses arrays of another network, and a part without blocks", async () => {
    const thetas = initialise(await float64Engine(), images, 1);
    expect(() => freeze(images, thetas.slice(1), () => true)).toThrow(
      "thetas: wanted 3 blocks, got 2 blocks",
    );
    expect(() => freeze(images, thetas, () => false)).toThrow("freeze: wanted a block that moves, got none");
  });

  it("has no analytic kernel", async () => {
    const chain = serial(3, dense(4), relu(), dense(1));
    const { network } = freeze(chain, initialise(await float64Engine(), chain, 1), (l) => l === 1);
    await expect(analyticNtk(network, drawn(2, 3))).rejects.toThrow(
      "analytic kernel: wanted ops with a rule at infinite width, got dense(4)",
    );
  });
});

describe("withHead", () => {
  it("puts a new last layer in place of the old one and of what follows it", () => {
    const old = serial(6, dense(5), relu(), dense(5), relu(), dense(3), softmax());
    const { network, from } = withHead(old, 4, biases);
    expect(network.outputs).toBe(4);
    expect(network.nodes.map(({ op }) => op.name)).toEqual([
      "dense(5)",
      "relu",
      "dense(5)",
      "relu",
      "dense(4)",
    ]);
    expect(from).toEqual([0, 1, undefined]);
  });

  it("keeps shared blocks shared", () => {
    const b = createBuilder(4);
    const first = b.apply(relu(), [b.apply(dense(4), [0])]);
    const second = b.apply(relu(), [b.apply(dense(4), [first], { shares: 0 })]);
    const { network, from } = withHead(b.finish(b.apply(dense(2), [second])), 5);
    expect(network.blocks.map(({ positions = 1 }) => positions)).toEqual([2, 1]);
    expect(from).toEqual([0, undefined]);
  });

  it("refuses a network that ends in something else", () => {
    const ends = serial([4, 4, 2], conv(3, 2), globalAveragePool());
    expect(() => withHead(ends, 2)).toThrow(/^head: wanted a dense layer at the end, got conv\(3, 2/);
  });

  it("takes a convolution over all that is left for a dense layer", () => {
    const { network } = withHead(serial([3, 3, 2], conv(4, 2), relu(), conv(3, 2), flatten()), 5);
    expect(network.nodes.map(({ op }) => op.name)).toEqual(["conv(4, 2)", "relu", "flatten", "dense(5)"]);
  });
});
