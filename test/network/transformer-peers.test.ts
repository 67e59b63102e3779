/**
 * @file Attention and a transformer against PyTorch and Neural Tangents in float64 (test/fixtures/peers: torch.npz, networks.npz): outputs,
 * the NTK of all and of each block, and steps. Weights [out, in] of PyTorch and [in, out] of Neural Tangents are theta [out, in] here,
 * the bias last; tables and positions [rows, features] are theta [features, rows], and normalisations [features, 2].
 */
import { describe, expect, it } from "vitest";
import { createTrainer } from "../../src/dynamics/trainer.ts";
import { FISHERS } from "../../src/fisher/index.ts";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createFolder, createWeights } from "../../src/jacobian/weights.ts";
import { empiricalKernel } from "../../src/kernel/empirical.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { mse } from "../../src/loss/mse.ts";
import { attention } from "../../src/network/attention.ts";
import { residual, serial, type Composite } from "../../src/network/layers.ts";
import type { Network } from "../../src/network/network.ts";
import { activationNamed } from "../../src/ops/activations/index.ts";
import { OPS } from "../../src/ops/index.ts";
import { peerFixture, type Fixture } from "../support/fixtures.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const { activation, dense, embedding, layerNorm, matmul, mul, reduceMean, relu, reshape, shift } = OPS;
const { softmax, transpose } = OPS;

const gelu = activation(activationNamed("gelu"));

/** A matrix transposed, as the numbers of theta. */
const transposed = ({ rows, cols, data }: Matrix): Float64Array =>
  Float64Array.from({ length: rows * cols }, (_, at) => data[(at % rows) * cols + Math.floor(at / rows)]!);

/** Columns and, after them, another one of each row. */
const beside = ({ rows, cols, data }: Matrix, last: Matrix): Float64Array =>
  Float64Array.from({ length: rows * (cols + 1) }, (_, at) => {
    const [o, i] = [Math.floor(at / (cols + 1)), at % (cols + 1)];
    return i === cols ? last.data[o]! : data[o * cols + i]!;
  });

/** Outputs and kernels on both sides, and of the blocks that have a name. */
async function checkKernels(
  fixture: Fixture,
  name: string,
  network: Network,
  thetas: Float64Array[],
  blocks: readonly string[],
): Promise<void> {
  const of = (what: string): Matrix => fixture.get(`${name}_${what}`);
  const linearizer = await createLinearizer(await float64Engine(), network);
  const weights = createWeights(network, thetas);
  const { train, others } = await empiricalKernel(linearizer, weights, of("x_train"), [of("x_test")]);
  for (const [side, kernel] of [
    ["train", train],
    ["test", others[0]!],
  ] as const) {
    const close = (got: Matrix, wanted: string) =>
      expect(relativeError(got.data, of(wanted).data), wanted).toBeLessThan(TOLERANCE.peer);
    close(await linearizer.forward(weights, of(`x_${side}`)), `f_${side}`);
    close(await kernel.matrix(), `ntk_${side}`);
    expect(kernel.blocks).toHaveLength(blocks.length);
    for (const [l, block] of blocks.entries()) {
      close(await kernel.blocks![l]!.ntk(), `${block}_ntk_${side}`);
    }
  }
}

describe("a transformer of PyTorch", async () => {
  const fixture = await peerFixture("torch");
  const of = (what: string): Matrix => fixture.get(`transformer_${what}`);
  const standard = { parameterization: "standard", biasVariance: 1 } as const;
  const network = serial(
    5,
    embedding(6, 6),
    shift([5, 6]),
    residual(layerNorm(), attention({ ...standard, heads: 2 })),
    residual(layerNorm(), dense(8, standard), gelu, dense(6, standard)),
    layerNorm(),
    reduceMean({ axes: [0] }),
    dense(3, standard),
  );
  const tables = ["embedding", "positions"];
  const blocks = [...tables, "norm1", "query", "key", "value", "out", "norm2", "up", "down", "norm3", "head"];
  /** A gradient, or the parameters themselves, by block: a weight and after it the bias. */
  const thetaOf = (block: string, weight: Matrix, bias?: Matrix): Float64Array => {
    if (tables.includes(block)) return transposed(weight);
    const own = block.startsWith("norm") ? matrix(weight.data.length, 1, weight.data) : weight;
    return beside(own, bias!);
  };
  const thetas = () =>
    blocks.map((block) => {
      const weight = of(`${block}_weight`);
      return thetaOf(block, weight, tables.includes(block) ? undefined : of(`${block}_bias`));
    });

  it("has its outputs and kernels", () => checkKernels(fixture, "transformer", network, thetas(), blocks));

  it.each([
    ["gradient", "gradient", 0],
    ["exact", "exact", 1e-3],
    ["block_diagonal", "block_diagonal", 1e-3],
  ])("takes its steps of %s", async (method, wanted, damping) => {
    const engine = await float64Engine();
    const linearizer = await createLinearizer(engine, network);
    const weights = createWeights(network, thetas());
    const fisher = FISHERS.find(({ name }) => name === method)!;
    const data = { x: of("x_train"), y: of("y") };
    const trainer = createTrainer(linearizer, weights, fisher, mse, data);
    await trainer.step({ learningRate: 1, damping });
    const folder = createFolder(engine);
    for (const [l, block] of blocks.entries()) {
      await folder.fold(weights[l]!);
      const { data: step } = of(`${wanted}_${block}`);
      const { rows, cols } = of(`${block}_weight`);
      const [weight, bias] = [step.slice(0, rows * cols), step.slice(rows * cols)];
      const before = thetas()[l]!;
      const moved = before.map((value, i) => value - weights[l]!.base[i]!);
      const own = thetaOf(block, matrix(rows, cols, weight), matrix(1, bias.length, bias));
      expect(relativeError(moved, own), block).toBeLessThan(TOLERANCE.peer);
    }
  });
});

const scaled = { weightVariance: 2, biasVariance: 0.1 };

/**
 * Neural Tangents' attention: two heads of four channels for keys and three for values, deviations 2, 1.5, 1.25 and 0.75 of queries, keys,
 * values and outputs, heads as the fastest axis of what goes out. `tied`: the queries' weights are the keys'.
 */
const theirs = (scale: number, biasVariance: number, tied: boolean): Composite => ({
  name: "attention",
  append(b, [x]) {
    const part = (layer: number, d: number, ...order: number[]): number =>
      b.apply(transpose(...order), [b.apply(reshape(5, 2, d), [layer])]);
    const q = b.apply(dense(8, { weightVariance: 4 }), [x!]);
    const share = tied ? { shares: b.blocks.length - 1 } : {};
    const k = b.apply(dense(8, { weightVariance: 2.25 }), [x!], share);
    const v = b.apply(dense(6, { weightVariance: 1.5625 }), [x!]);
    const scores = b.apply(matmul(), [part(q, 4, 1, 0, 2), part(k, 4, 1, 2, 0)]);
    const weights = b.apply(softmax(), [b.apply(mul({ shape: [], data: [scale] }), [scores])]);
    const mixed = b.apply(transpose(1, 2, 0), [b.apply(matmul(), [weights, part(v, 3, 1, 0, 2)])]);
    return [b.apply(dense(6, { weightVariance: 0.5625, biasVariance }), [b.apply(reshape(5, 6), [mixed])])];
  },
});

describe("attention of Neural Tangents", async () => {
  const fixture = await peerFixture("networks");

  /** Heads [heads, in, d] as theta [heads d, in]. */
  const headsOf = ({ rows: heads, cols, data }: Matrix, fanIn: number): Float64Array => {
    const d = cols / fanIn;
    return Float64Array.from({ length: data.length }, (_, at) => {
      const [o, i] = [Math.floor(at / fanIn), at % fanIn];
      expect(heads).toBe(2);
      return data[Math.floor(o / d) * cols + i * d + (o % d)]!;
    });
  };
  const thetaOf = (name: string): Float64Array => {
    const [prefix, weight] = [name.replace(/_[A-Z]$|_positions$/, ""), fixture.get(name)];
    if (/_[QKV]$/.test(name)) return headsOf(weight, 6);
    if (name.endsWith("_positions")) return transposed(matrix(5, 6, weight.data));
    const flipped = matrix(weight.cols, weight.rows, transposed(weight));
    return fixture.names.includes(`${prefix}_b`) ? beside(flipped, fixture.get(`${prefix}_b`)) : flipped.data;
  };
  const check = (name: string, network: Network, blocks: readonly string[]): Promise<void> => {
    const thetas = blocks.map((block) => thetaOf(`${name}_${block}${/layer\d$/.test(block) ? "_W" : ""}`));
    return checkKernels(fixture, name, network, thetas, blocks);
  };

  it("has its outputs and kernels, with learned positions", () =>
    check(
      "attention",
      serial(
        [5, 4],
        dense(6, scaled),
        shift([5, 6]),
        theirs(1 / 2, 0.1, false),
        relu(),
        reduceMean({ axes: [0] }),
        dense(3, scaled),
      ),
      ["layer1", "layer2_positions", "layer2_Q", "layer2_K", "layer2_V", "layer2_O", "layer3"],
    ));

  it("has them where queries and keys share their weights", () => {
    const norm = layerNorm({ gain: false, shift: false, epsilon: 1e-12 });
    return check(
      "attention_tied",
      serial(
        [5, 4],
        dense(6, scaled),
        residual(norm, theirs(1 / 4, 0, true)),
        residual(norm, dense(8, scaled), gelu, dense(6, scaled)),
        norm,
        reduceMean({ axes: [0] }),
        dense(3, scaled),
      ),
      ["layer1", "layer2_K", "layer2_V", "layer2_O", "layer3", "layer4", "layer5"],
    );
  });
});
