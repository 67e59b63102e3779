/**
 * @file The named networks: their values have the shapes of the papers, they begin with images however those are stored, and their
 * Jacobians are those of differences.
 */
import { afterAll, describe, expect, it } from "vitest";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { cnn } from "../../src/network/cnn.ts";
import { initialise } from "../../src/network/initialise.ts";
import { myrtle } from "../../src/network/myrtle.ts";
import type { Network } from "../../src/network/network.ts";
import { resnet } from "../../src/network/resnet.ts";
import { transformer } from "../../src/network/transformer.ts";
import { randomState } from "../../src/random/random-state.ts";
import { checkJacobianAlong } from "../support/differences.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";

const engine = await float64Engine();
afterAll(() => engine.release());

/** Names and shapes of all values that differ in shape from the one before. */
const shapesOf = ({ nodes, shapes }: Network): string[] =>
  nodes.flatMap(({ op, block }, k) =>
    block !== undefined || shapes[k]!.join() !== shapes[k + 1]!.join()
      ? [`${op.name} ${shapes[k + 1]!.join(" x ")}`]
      : [],
  );

describe("cnn", () => {
  it("has one convolution less than weight layers, and pools over all pixels", () => {
    expect(shapesOf(cnn([8, 8, 3], { depth: 3, width: 4, strides: [1, 2], outputs: 5 }))).toEqual([
      "conv(4, 3) 8 x 8 x 4",
      "conv(4, 3) 4 x 4 x 4",
      "globalAveragePool 4",
      "dense(5) 5",
    ]);
  });

  it("reads all pixels out", () => {
    const network = cnn([6, 6], { depth: 2, width: 4, padding: "valid", readout: "flatten" });
    expect(shapesOf(network)).toEqual([
      "reshape(6, 6, 1) 6 x 6 x 1",
      "conv(4, 3) 4 x 4 x 4",
      "flatten 64",
      "dense(1) 1",
    ]);
  });

  it("is the same function of images that are stored by channels", async () => {
    const options = { depth: 3, width: 3, outputs: 2, biasVariance: 0.1, activation: "erf" };
    const [last, first] = [cnn([4, 5, 2], options), cnn([2, 4, 5], { ...options, channelsFirst: true })];
    const stored = randomState(1).normalsInto(new Float64Array(80));
    // [channel, pixel] from [pixel, channel].
    const planes = stored.map((_, i) => {
      const [n, c, p] = [Math.floor(i / 40), Math.floor((i % 40) / 20), i % 20];
      return stored[n * 40 + p * 2 + c]!;
    });
    const outputs = async (network: Network, x: Float64Array) => {
      const linearizer = await createLinearizer(engine, network);
      return linearizer.forward(createWeights(network, initialise(engine, network, 3)), matrix(2, 40, x));
    };
    const error = relativeError((await outputs(first, planes)).data, (await outputs(last, stored)).data);
    expect(error).toBeLessThan(1e-14);
  });
});

describe("myrtle", () => {
  it.each([5, 7, 10])("%i has as many weight layers, on 8 x 8 pixels at the end", (depth) => {
    const network = myrtle([32, 32, 3], { depth, width: 2, outputs: 10 });
    expect(network.blocks.length).toBe(depth);
    expect(network.shapes.at(-3)).toEqual([8, 8, 2]);
    expect(network.outputs).toBe(10);
  });
});

describe("resnet", () => {
  it("is WideResnet of Neural Tangents", () => {
    // block_size 1, k 2: 16 channels first, then 32, 64 and 128 with a 3 x 3 convolution beside each group's first block.
    const network = resnet([32, 32, 3], { blocks: [1, 1, 1], width: 32, outputs: 10 });
    const convolutions = network.nodes.flatMap(({ op, block }) => (block === undefined ? [] : [op.name]));
    const groups = [32, 64, 128].flatMap((channels) =>
      Array.from({ length: 3 }, () => `conv(${channels}, 3)`),
    );
    expect(convolutions).toEqual(["conv(16, 3)", ...groups, "dense(10)"]);
    expect(network.shapes.at(-3)).toEqual([8, 8, 128]);
  });

  it("is ResNet-18: seventeen convolutions, three that fit shapes, and a dense layer", () => {
    const network = resnet([32, 32, 3], { form: "standard", outputs: 10 });
    const names = network.nodes.flatMap(({ op, block }) => (block === undefined ? [] : [op.name]));
    expect(names.filter((name) => name.endsWith(", 3)")).length).toBe(17);
    expect(names.filter((name) => name.endsWith(", 1)"))).toEqual([
      "conv(128, 1)",
      "conv(256, 1)",
      "conv(512, 1)",
    ]);
    // 11.2 million, as ResNet-18 has without its normalisations.
    const parameters = network.blocks.reduce((sum, { columns, fanOut }) => sum + columns * fanOut, 0);
    expect(parameters).toBe(11_164_352);
    expect(network.nodes.at(-2)?.op.name).toBe("globalAveragePool");
  });
});

/** Without kinks, which differences of thousands of units would straddle. */
const activation = "erf";

describe("transformer", () => {
  it("has tokens of patches, of rows, or of a table", () => {
    const options = { depth: 1, width: 8, heads: 2, outputs: 3 };
    const { shapes } = transformer([8, 12, 2], { ...options, patch: 4 });
    expect(shapes.slice(1, 4)).toEqual([
      [2, 3, 8],
      [6, 8],
      [6, 8],
    ]);
    const rows = transformer([5, 7], options);
    const ids = transformer([5], { ...options, vocabulary: 11 });
    for (const { blocks, outputs } of [rows, ids]) {
      // Tokens, positions, two normalisations, four matrices of attention, two dense layers, and the last two.
      expect([blocks.length, outputs]).toEqual([12, 3]);
    }
    expect(ids.blocks[0]).toMatchObject({ columns: 11, fanOut: 8, positions: 5 });
    expect(transformer([2, 8, 12], { ...options, channelsFirst: true }).shapes[2]).toEqual([2, 3, 8]);
  });
});

it.each([
  ["a transformer", transformer([5, 3], { depth: 1, width: 8, heads: 2, biasVariance: 0.1 })],
  ["a causal one on ids", transformer([4], { vocabulary: 6, depth: 1, width: 8, heads: 2, causal: true })],
  ["cnn", cnn([6, 6, 2], { depth: 3, width: 16, strides: [1, 2], activation })],
  ["myrtle", myrtle([8, 8, 2], { width: 8, activation })],
  ["a wide resnet", resnet([8, 8, 2], { width: 8, stem: 8, activation })],
  ["a standard resnet", resnet([8, 8, 2], { form: "standard", blocks: [1, 1], width: 8, activation })],
])("%s has a Jacobian of differences", async (_, network) => {
  const normals = randomState(2).normalsInto(new Float64Array(2 * network.inputs));
  const isOfIds = network.nodes[0]!.op.name.startsWith("embedding");
  const x = matrix(2, network.inputs, isOfIds ? normals.map((_, i) => i % 6) : normals);
  await checkJacobianAlong(network, x, 5);
});
