/**
 * @file Networks written as ONNX models: run as they are by ONNX Runtime, and read again.
 */
import { describe, expect, it } from "vitest";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix, type Matrix } from "../../src/linalg/matrix.ts";
import { attention } from "../../src/network/attention.ts";
import { initialise } from "../../src/network/initialise.ts";
import { residual, serial } from "../../src/network/layers.ts";
import { mlp } from "../../src/network/mlp.ts";
import type { Network } from "../../src/network/network.ts";
import { readOnnx } from "../../src/network/onnx/read.ts";
import { writeOnnx } from "../../src/network/write-onnx.ts";
import { OPS } from "../../src/ops/index.ts";
import { randomState } from "../../src/random/random-state.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";

const { conv, dense, globalAveragePool, layerNorm, maxPool, relu } = OPS;
const biases = { biasVariance: 0.3 };

const NETWORKS: Readonly<Record<string, Network>> = {
  mlp: mlp(5, { depth: 3, width: 7, outputs: 2, biasVariance: 0.1 }),
  cnn: serial(
    [6, 6, 2],
    conv(3, 3, { padding: "same", ...biases }),
    relu(),
    maxPool(2, { stride: 2 }),
    residual(conv(3, 3, { padding: "same" })),
    globalAveragePool(),
    dense(2, biases),
  ),
  transformer: serial(
    [4, 6],
    residual(layerNorm(), attention({ heads: 2 })),
    residual(layerNorm(), dense(8, biases), relu(), dense(6)),
    globalAveragePool(),
    dense(2),
  ),
};

const samples = (network: Network): Matrix =>
  matrix(3, network.inputs, randomState(3).normalsInto(new Float64Array(3 * network.inputs)));

async function outputsOf(
  network: Network,
  thetas: Parameters<typeof createWeights>[1],
): Promise<Float64Array> {
  const linearizer = await createLinearizer(await float64Engine(), network);
  return (await linearizer.forward(createWeights(network, thetas), samples(network))).data;
}

describe.each(Object.entries(NETWORKS))("%s written as an ONNX model", (_, network) => {
  it("has its outputs in ONNX Runtime, from samples in their shape", async () => {
    const engine = await float64Engine();
    const thetas = initialise(engine, network, 1);
    const bytes = writeOnnx(network, thetas, { input: "image", output: "logits" });
    const program = await engine.compile({ toModel: () => bytes });
    const { data } = samples(network);
    const image = engine.tensor(data, [3, ...network.shapes[0]!]);
    const { logits } = await program.run({ image }, { logits: null });
    expect(logits!.dims).toEqual([3, 2]);
    expect(relativeError(logits!.data as Float64Array, await outputsOf(network, thetas))).toBeLessThan(1e-12);
  });

  it("is read again as a network of as many blocks with the same outputs", async () => {
    const engine = await float64Engine();
    const thetas = initialise(engine, network, 1);
    const again = await readOnnx(writeOnnx(network, thetas));
    expect(again.network.blocks).toHaveLength(network.blocks.length);
    const outputs = await outputsOf(again.network, again.weights(engine));
    expect(relativeError(outputs, await outputsOf(network, thetas))).toBeLessThan(1e-12);
  });
});

describe("names in a model", () => {
  const network = mlp(3, { depth: 2, width: 2 });
  const thetas = network.blocks.map(({ fanOut, columns }) => new Float32Array(fanOut * columns));

  it("are those of the blocks", async () => {
    const { names } = await readOnnx(writeOnnx(network, thetas, { names: ["first", "second"] }));
    expect(names).toEqual([["first"], ["second"]]);
  });

  it.each([[["one"]], [["same", "same"]], [["input", "b"]], [["", "b"]]])("may not be %j", (names) => {
    expect(() => writeOnnx(network, thetas, { names })).toThrow(/^names: wanted 2 for blocks, .*, got /);
  });
});
