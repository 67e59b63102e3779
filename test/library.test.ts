/**
 * @file Every function of the library with wrong arguments: sizes that disagree, numbers that are none, names that do not
 * exist, what was released, what is of another network. Each is one line `what: wanted X, got Y` of a typed error, never
 * numbers that are finite and wrong.
 */
import { afterAll, describe, expect, it } from "vitest";
import * as dataEntry from "../src/entry/data.ts";
import * as dynamicsEntry from "../src/entry/dynamics.ts";
import * as engineEntry from "../src/entry/engine.ts";
import * as fisherEntry from "../src/entry/fisher.ts";
import * as jacobianEntry from "../src/entry/jacobian.ts";
import * as kernelEntry from "../src/entry/kernel.ts";
import * as linalgEntry from "../src/entry/linalg.ts";
import * as lossEntry from "../src/entry/loss.ts";
import * as networkEntry from "../src/entry/network.ts";
import type { Outputs } from "../src/entry/dynamics.ts";
import type { Linearization } from "../src/entry/jacobian.ts";
import type { Kernel } from "../src/entry/kernel.ts";
import type { Floats, Matrix } from "../src/entry/linalg.ts";
import type { CurvatureFactor } from "../src/entry/loss.ts";
import * as index from "../src/index.ts";
import * as node from "../src/node.ts";
import { MANIFEST } from "./support/checkout.ts";
import { createGraph } from "../src/engine/graph.ts";
import { gemm } from "../src/engine/ops.ts";
import { partsOf } from "./support/kernels.ts";
import { OP_REFUSALS, SAFE_OPS } from "./support/op-refusals.ts";

/** Every entry of the package by its name there; no name means two things. */
const ENTRIES = {
  ".": index,
  "./data": dataEntry,
  "./dynamics": dynamicsEntry,
  "./engine": engineEntry,
  "./fisher": fisherEntry,
  "./jacobian": jacobianEntry,
  "./kernel": kernelEntry,
  "./linalg": linalgEntry,
  "./loss": lossEntry,
  "./network": networkEntry,
  "./node": node,
};
const natgrad = {
  ...dataEntry,
  ...dynamicsEntry,
  ...engineEntry,
  ...fisherEntry,
  ...jacobianEntry,
  ...kernelEntry,
  ...linalgEntry,
  ...lossEntry,
  ...networkEntry,
  ...node,
  ...index,
};

const { matrix, mlp, mse, crossEntropy, exact, kfac } = natgrad;

const [N, M0, C] = [4, 5, 2];
const engine = await natgrad.createEngine({ threads: 1 });
const wide = await natgrad.createEngine({ threads: 1, precision: "float64" });
const released = await natgrad.createEngine({ threads: 1 });
afterAll(() => Promise.all([engine.release(), wide.release()]));

const floats = (
  rows: number,
  cols: number,
  value: (i: number) => number = (i) => Math.sin(1 + i * i),
): Matrix =>
  matrix(
    rows,
    cols,
    Float64Array.from({ length: rows * cols }, (_, i) => value(i)),
  );
const withNaN = (a: Matrix): Matrix => ({ ...a, data: a.data.map((x, i) => (i === 3 ? Number.NaN : x)) });
/** Rows of the float32 engine. */
const narrow = (a: Matrix): Matrix<Floats> => ({ ...a, data: Float32Array.from(a.data) });

const network = mlp(M0, { depth: 3, width: 12, outputs: C });
const other = mlp(M0, { depth: 2, width: 6, outputs: C });
const weightsOf = (of = network, on = engine) => natgrad.createWeights(of, natgrad.initialise(on, of, 1));
const weights = weightsOf();
const linearizer = await natgrad.createLinearizer(engine, network);
const doomed = await natgrad.createLinearizer(released, network);
const doomedProgram = await released.compile(productGraph());
await released.release();

const x = floats(N, M0);
const x32 = narrow(x);
const y = floats(N, C);
/** The identity [2, 2]. */
const unit = floats(2, 2, (i) => Number(i % 3 === 0));
const oneHot = floats(N, C, (i) => Number(i % C === Math.floor(i / C) % C));
const f = floats(N, C);
const { train: kernel, others } = await natgrad.empiricalKernel(linearizer, weights, x32, [
  narrow(floats(3, M0)),
]);
const kernels = { train: kernel, test: others[0]! };
const parts = await partsOf(kernel);
const { train: larger } = await natgrad.empiricalKernel(linearizer, weights, narrow(floats(N + 1, M0)), []);
const analytic = {
  train: await natgrad.analyticKernel(network, x),
  test: await natgrad.analyticKernel(network, floats(3, M0), x),
  testTest: await natgrad.analyticKernel(network, floats(3, M0)),
};
const spectrum = await natgrad.kernelSpectrum(analytic.train);
const linearization = await linearizer.linearize(weights, x32);
/** What a later pass cannot overwrite. */
const kept: Linearization = {
  ...linearization,
  layers: linearization.layers.map((layer) => ({
    ...layer,
    inputs: { ...layer.inputs, data: layer.inputs.data.slice() },
    signals: { ...layer.signals, data: layer.signals.data.slice() },
  })),
};
const layer = kept.layers[1]!;
const { factor } = crossEntropy.curvature!(
  floats(N + 1, C),
  floats(N + 1, C, (i) => Number(i % C === 0)),
);
const S: CurvatureFactor = factor;
const grams = natgrad.createGrams(engine);
const jacobian = natgrad.createJacobian(engine);
const lean = natgrad.linearizedKernel(kept, { grams, jacobian, epsilon: engine.epsilon });
const updater = natgrad.createUpdater(engine);
const start: Outputs = { train: f, test: floats(3, C) };
const view = natgrad.viewOf(exact, mse, f, y, 0.1);
const curved = natgrad.viewOf(exact, crossEntropy, f, oneHot, 0.1);
const whitened = { ...curved, curvature: S };
const step = { learningRate: 0.1, damping: 0.1 };
const trainer = () => natgrad.createTrainer(linearizer, weightsOf(), exact, mse, { x: x32, y });
/** The first row of a training. */
const trained = (
  problem: Partial<Parameters<typeof natgrad.train>[0]>,
  options: Partial<Parameters<typeof natgrad.train>[1]> = {},
) =>
  natgrad
    .train({ network, data: dataset, loss: mse, method: exact, ...problem }, { engine, steps: 1, ...options })
    .next();
const dataset = { xTrain: x, yTrain: y, xTest: floats(3, M0), yTest: floats(3, C), targetClasses: [] };
const selection = { targetClasses: [0, 1], trainSize: 2, testSize: 2, loss: mse };
const images = (inputs: number) => ({
  labels: Uint8Array.of(0, 1, 0, 1),
  inputs,
  read: async (indices: Uint32Array) => Uint8Array.from({ length: 3 * indices.length }, (_, i) => i * i),
});
const propagator = async (r: Float64Array): Promise<Float64Array> => r;

function productGraph() {
  const g = createGraph("float32");
  g.output("c", gemm(g, g.input("a", ["n", 3]), g.input("b", [3, "m"])), ["n", "m"]);
  return g;
}
const program = await engine.compile(productGraph());
const tensor = (rows: number, cols: number) => engine.tensor(new Float32Array(rows * cols), [rows, cols]);
const feeds = { a: tensor(2, 3), b: tensor(3, 2) };

/** What no type allows, given all the same. */
const any = (value: unknown): never => value as never;

type Case = readonly [name: string, what: string, call: () => unknown, message: RegExp];

const numbers = (wanted: number, got: number): RegExp =>
  new RegExp(`wanted ${wanted} numbers, got ${got} numbers`);

const cases: readonly Case[] = [
  ...OP_REFUSALS,
  [
    "createEngine",
    "an unknown device",
    () => natgrad.createEngine({ device: any("tpu") }),
    /^device: .*got "tpu"/,
  ],
  [
    "createEngine",
    "an unknown precision",
    () => natgrad.createEngine({ precision: any("int8") }),
    /^precision: /,
  ],
  ["createEngine", "no threads", () => natgrad.createEngine({ threads: 0 }), /^threads: .*got 0$/],
  [
    "createEngine",
    "NaN threads",
    () => natgrad.createEngine({ threads: Number.NaN }),
    /^threads: .*got NaN$/,
  ],
  [
    "createEngine",
    "a tensor of another size",
    () => engine.tensor(new Float32Array(3), [2, 2]),
    /^tensor \[2, 2\]: /,
  ],
  [
    "createEngine",
    "a released engine that compiles",
    () => released.compile(productGraph()),
    /^engine: .*released$/,
  ],
  [
    "createEngine",
    "a program of a released engine",
    () => doomedProgram.run(feeds, { c: null }),
    /released$/,
  ],
  [
    "createEngine",
    "a missing feed",
    () => program.run({ a: feeds.a }, { c: null }),
    /^feeds: wanted a, b, got a$/,
  ],
  ["createEngine", "no feed", () => program.run({}, { c: null }), /^feeds: wanted a, b, got none$/],
  [
    "createEngine",
    "an unknown feed",
    () => program.run({ ...feeds, z: feeds.a }, { c: null }),
    /^feeds: .*got a, b, z$/,
  ],
  [
    "createEngine",
    "a feed of another width",
    () => program.run({ ...feeds, a: tensor(2, 4) }, { c: null }),
    /^feeds: /,
  ],
  [
    "createEngine",
    "a feed of another type",
    () => program.run({ ...feeds, a: engine.integers(1) }, { c: null }),
    /^feeds: /,
  ],
  [
    "createEngine",
    "an output that is too small",
    () => program.run(feeds, { c: tensor(1, 2) }),
    /^feeds: .*\{1,2\}.*\{2,2\}/,
  ],
  ["createEngine", "an unknown output", () => program.run(feeds, { q: null }), /^outputs: wanted c, got q$/],
  ["createWorkerEngine", "no workers", () => natgrad.createWorkerEngine({ workers: 0 }), /^workers: /],
  ["createWorkerEngine", "no threads", () => natgrad.createWorkerEngine({ threads: 0 }), /^threads: /],
  [
    "createWorkerEngine",
    "an unknown precision",
    () => natgrad.createWorkerEngine({ precision: any("f") }),
    /^precision: /,
  ],

  [
    "matrix",
    "too few numbers",
    () => matrix(2, 2, new Float64Array(3)),
    /^matrix: wanted 2 x 2 = 4 numbers, got 3$/,
  ],
  ["eigen", "a matrix that is not square", () => natgrad.eigen(floats(2, 3)), /^eigen: .*got 2 x 3$/],
  ["spectrum", "NaN", () => natgrad.spectrum(withNaN(floats(2, 2))), /^eigen: .*got NaN/],
  [
    "factorize",
    "a matrix that is not square",
    () => natgrad.factorize(floats(3, 2), { what: "K" }),
    /^K: wanted a square matrix, got 3 x 2$/,
  ],
  [
    "factorize",
    "a vector of another size",
    async () => (await natgrad.factorize(unit, { what: "K" })).solve(new Float64Array(3)),
    /^K: wanted 2 numbers, got 3 numbers$/,
  ],
  [
    "factorize",
    "a matrix of other rows",
    async () => (await natgrad.factorize(unit, { what: "K" })).solveUpper(floats(3, 1)),
    /^K: wanted 2 rows, got 3 rows$/,
  ],
  ["factorize", "NaN", () => natgrad.factorize(withNaN(floats(2, 2)), { what: "K" }), /^K: .*Gram, got/],
  [
    "factorizeGeneral",
    "a matrix that is not square",
    () => natgrad.factorizeGeneral(floats(3, 2), "A"),
    /^A: wanted a square matrix, got 3 x 2$/,
  ],
  [
    "factorizeGeneral",
    "a matrix of other rows",
    async () => (await natgrad.factorizeGeneral(unit, "A")).solveMatrix(floats(3, 1)),
    /^A: wanted 2 rows, got 3 rows$/,
  ],
  [
    "pseudoInverse",
    "a vector of another size",
    async () => (await natgrad.pseudoInverse(unit)).solve(new Float64Array(3)),
    /^pseudoInverse: wanted 2 numbers, got 3 numbers$/,
  ],
  [
    "conjugateGradients",
    "products of another size",
    () => natgrad.conjugateGradients((v) => v.subarray(1), Float64Array.of(1, 1)),
    /wanted 2 numbers in A v, got 1$/,
  ],
  [
    "invert",
    "a matrix that is not square",
    () => natgrad.invert(floats(3, 2), { what: "K", epsilon: 2 ** -52 }, {}),
    /wanted a square matrix, got 3 x 2$/,
  ],
  ["createGraph", "an unknown precision", () => natgrad.createGraph(any("int8")), /^precision: /],
  ["matrix", "negative sizes", () => matrix(-2, -2, new Float64Array(4)), /^matrix: /],
  ["matrix", "NaN rows", () => matrix(Number.NaN, 2, new Float64Array(4)), /^matrix: /],
  [
    "readNpy",
    "bytes of something else",
    () => natgrad.readNpy(new Uint8Array(20), "x.npy"),
    /x\.npy: wanted a \.npy/,
  ],
  [
    "writeNpy",
    "another shape",
    () => natgrad.writeNpy({ shape: [2], data: new Float64Array(3) }),
    /got 3 numbers$/,
  ],
  ["readNpz", "no bytes", () => natgrad.readNpz(new Uint8Array(0), "x.npz"), /x\.npz: wanted a whole \.npz/],
  [
    "writeNpz",
    "another shape",
    () => natgrad.writeNpz({ a: { shape: [2], data: new Float64Array(3) } }),
    /got 3 numbers$/,
  ],
  ["randomState", "a negative seed", () => natgrad.randomState(-1), /^randomState: .*got -1$/],
  ["randomState", "NaN", () => natgrad.randomState(Number.NaN), /^randomState: .*got NaN$/],

  [
    "decodeDataset",
    "no bytes",
    () => natgrad.decodeDataset(new Uint8Array(0), "x", { loss: mse }),
    /x: wanted a/,
  ],
  [
    "decodeDataset",
    "an unknown loss",
    () => natgrad.decodeDataset(natgrad.encodeDataset(dataset), "x", { loss: any("l1") }),
    /^loss: wanted a loss, .*got "l1"$/,
  ],
  [
    "decodeDataset",
    "a NaN size",
    () => natgrad.decodeDataset(natgrad.encodeDataset(dataset), "x", { loss: mse, trainSize: Number.NaN }),
    /^trainSize: .*got NaN$/,
  ],
  [
    "encodeDataset",
    "too few labels",
    () => natgrad.encodeDataset({ ...dataset, yTrain: floats(3, C) }),
    /^training labels: wanted 4 rows, got 3 rows$/,
  ],
  [
    "encodeDataset",
    "other test inputs",
    () => natgrad.encodeDataset({ ...dataset, xTest: floats(3, 6) }),
    /^test inputs: /,
  ],
  ["fitForster", "NaN", () => natgrad.fitForster(withNaN(x)), /finite/],
  [
    "fitForster",
    "NaN iterations",
    () => natgrad.fitForster(x, { iterations: Number.NaN }),
    /^iterations: .*got NaN$/,
  ],
  ["fitForster", "no tolerance", () => natgrad.fitForster(x, { tolerance: 0 }), /^tolerance: .*got 0$/],
  [
    "applyForster",
    "another width",
    async () => natgrad.applyForster(await natgrad.fitForster(x), floats(2, 6), "x"),
    /^product: /,
  ],
  ["forsterTransform", "NaN", () => natgrad.forsterTransform({ ...dataset, xTrain: withNaN(x) }), /finite/],
  [
    "imageDataset",
    "an unknown loss",
    () => natgrad.imageDataset(images(3), images(3), { ...selection, loss: any("l1") }),
    /^loss: wanted a loss, .*got "l1"$/,
  ],
  [
    "imageDataset",
    "images of another size",
    () => natgrad.imageDataset(images(4), images(4), selection),
    /^training images: wanted 8 numbers, got 6 numbers$/,
  ],
  [
    "synthetic",
    "an unknown loss",
    () => natgrad.synthetic(natgrad.randomState(1).normalsInto, { ...selection, loss: any("l1") }),
    /^loss: wanted a loss, .*got "l1"$/,
  ],
  [
    "synthetic",
    "an unknown kind",
    () => natgrad.synthetic(natgrad.randomState(1).normalsInto, { ...selection, kind: any("moons") }),
    /^synthetic kind: /,
  ],
  [
    "mnist",
    "a NaN size",
    () => natgrad.mnist({ ...selection, trainSize: Number.NaN }),
    /^trainSize: .*got NaN$/,
  ],
  [
    "cifar10",
    "an unknown loss",
    () => natgrad.cifar10({ ...selection, loss: any("l1") }),
    /^loss: wanted a loss, .*got "l1"$/,
  ],
  [
    "fashionMnist",
    "one class",
    () => natgrad.fashionMnist({ ...selection, targetClasses: [1] }),
    /^targetClasses: /,
  ],
  [
    "readOnnx",
    "the name of a file",
    () => natgrad.readOnnx(any("model.onnx")),
    /^model: wanted the bytes of an ONNX file \(a Uint8Array\), got "model\.onnx"$/,
  ],
  [
    "readOnnx",
    "other bytes",
    () => natgrad.readOnnx(new TextEncoder().encode("no model")),
    /^model: wanted an ONNX model, got 8 bytes/,
  ],
  [
    "externalDataOf",
    "a file that is not there",
    () => natgrad.externalDataOf("/model.onnx")({ location: "weights.bin", offset: 0, length: 4 }),
    /^external data: wanted a readable file weights\.bin, got ENOENT$/,
  ],
  [
    "loadDataset",
    "an empty name",
    () => natgrad.loadDataset("", { loss: mse }),
    /^"": wanted a readable file, got ENOENT$/,
  ],
  [
    "loadDataset",
    "a name with a line break",
    () => natgrad.loadDataset("a\n\u001b[1mb", { loss: mse }),
    /^a\\n\\u001b\[1mb: wanted/,
  ],
  [
    "saveDataset",
    "too few labels",
    () => natgrad.saveDataset("never.npz", { ...dataset, yTest: floats(2, C) }),
    /^test labels: /,
  ],
  [
    "saveDataset",
    "a place that is none",
    () => natgrad.saveDataset("/dev/null/x.npz", dataset),
    /wanted a writable place/,
  ],
  ["readWhole", "an empty name", () => natgrad.readWhole(""), /^"": wanted a readable file, got ENOENT$/],
  [
    "writeWhole",
    "a place that is none",
    () => natgrad.writeWhole("/dev/null/x", "x"),
    /wanted a writable place/,
  ],

  ["dense", "no width", () => natgrad.dense(0), /^width: /],
  [
    "dense",
    "an unknown parameterisation",
    () => natgrad.dense(3, { parameterization: any("foo") }),
    /^parameterization: .*got "foo"$/,
  ],
  ["dense", "an unknown place", () => natgrad.dense(3, { role: any("middle") }), /^role: .*got "middle"$/],
  [
    "dense",
    "a NaN variance",
    () => natgrad.dense(3, { weightVariance: Number.NaN }),
    /^weightVariance: .*got NaN$/,
  ],
  [
    "mlp",
    "an unknown parameterisation",
    () => mlp(3, { parameterization: any("mup2") }),
    /^parameterization: /,
  ],
  ["mlp", "no inputs", () => mlp(0), /^inputs: .*got 0$/],
  ["mlp", "half an input", () => mlp(1.5), /^inputs: .*got 1\.5$/],
  ["mlp", "no outputs", () => mlp(3, { outputs: 0 }), /^outputs: .*got 0$/],
  ["mlp", "no layers", () => mlp(3, { depth: 0 }), /^depth: /],
  ["gaussHermite", "no nodes", () => natgrad.gaussHermite(0), /^points: .*got 0$/],
  [
    "dualsByQuadrature",
    "NaN points",
    () => natgrad.dualsByQuadrature(Math.tanh, Math.cosh, { points: Number.NaN }),
    /^points: .*got NaN$/,
  ],
  ["conv", "no channels", () => natgrad.conv(0, 3), /^conv: channels: .*got 0$/],
  ["averagePool", "no size", () => natgrad.averagePool(0), /^averagePool: size: .*got 0$/],
  ["sumPool", "half a stride", () => natgrad.sumPool(2, { stride: 1.5 }), /^sumPool: stride: .*got 1\.5$/],
  [
    "maxPool",
    "windows of padding alone",
    () =>
      natgrad
        .maxPool(2, {
          padding: [
            [2, 0],
            [0, 0],
          ],
        })
        .shape([[4, 4, 1]]),
    /^maxPool\(2\): .*got one of padding alone$/,
  ],
  [
    "globalAveragePool",
    "values without positions",
    () => natgrad.globalAveragePool().shape([[4]]),
    /one axis$/,
  ],
  ["globalSumPool", "values without positions", () => natgrad.globalSumPool().shape([[4]]), /one axis$/],
  ["globalMaxPool", "values without positions", () => natgrad.globalMaxPool().shape([[4]]), /one axis$/],
  ["flatten", "no input", () => natgrad.flatten().shape([]), /^flatten: wanted 1 input, got 0 inputs$/],
  ["transpose", "an axis twice", () => natgrad.transpose(1, 1), /^transpose: .*got "1, 1"$/],
  [
    "dualsByExpansion",
    "no derivative",
    () => natgrad.dualsByExpansion(Math.tanh, any(undefined)),
    /^derivative: wanted a function of a number, got undefined$/,
  ],
  ["activationNamed", "a name of none", () => natgrad.activationNamed("reul"), /^activation: .*got "reul"$/],
  [
    "withModules",
    "a module that is not there",
    () => natgrad.withModules({ activation: "./none.mjs" }),
    /^activation: wanted a module that can be read, got "\.\/none\.mjs" \(ENOENT\)$/,
  ],
  ["mlp", "an activation of no name", () => mlp(3, { activation: "reul" }), /^activation: .*got "reul"$/],
  ["leakyRelu", "a slope that is none", () => natgrad.leakyRelu(Number.NaN), /^slope: .*got NaN$/],
  ["rbf", "no gamma", () => natgrad.rbf(0), /^gamma: .*got 0$/],
  ["hermite", "degree 0", () => natgrad.hermite(0), /^degree: .*got 0$/],
  ["polynomial", "a constant", () => natgrad.polynomial([1]), /^coefficients: .*got an array$/],
  [
    "freeze",
    "arrays of another network",
    () => natgrad.freeze(mlp(3, { width: 2 }), [], () => true),
    /^thetas: wanted 3 blocks, got 0 blocks$/,
  ],
  [
    "writeOnnx",
    "arrays of another network",
    () => natgrad.writeOnnx(mlp(3, { width: 2 }), []),
    /^thetas: wanted 3 blocks, got 0 blocks$/,
  ],
  [
    "withHead",
    "half an output",
    () => natgrad.withHead(mlp(3, { width: 2 }), 0.5),
    /^outputs: wanted a whole number >= 1, got 0.5$/,
  ],
  ["serial", "no layers", () => natgrad.serial(3), /^network: wanted a layer with weights, got none$/],
  ["reshape", "no size", () => natgrad.reshape(2, 0), /^reshape: wanted a whole number >= 1, got 0$/],
  [
    "serial",
    "a reshape of other sizes",
    () => natgrad.serial(3, natgrad.reshape(2, 2), natgrad.dense(1)),
    /^reshape\(2, 2\): wanted 4 numbers per sample, got 3 numbers per sample$/,
  ],
  ["serial", "NaN inputs", () => natgrad.serial(Number.NaN, natgrad.dense(2)), /^inputs: .*got NaN$/],
  [
    "initialise",
    "an unknown stream",
    () => natgrad.initialise(engine, network, 1, any("torch")),
    /^prng: .*got "torch"$/,
  ],
  ["initialise", "a negative seed", () => natgrad.initialise(engine, network, -1), /seed/],

  ["createLinearizer", "a released engine", () => natgrad.createLinearizer(released, network), /released$/],
  [
    "createLinearizer",
    "a pass on a released engine",
    () => doomed.forward(weightsOf(network), x32),
    /released$/,
  ],
  [
    "createLinearizer",
    "another input width",
    () => linearizer.forward(weights, narrow(floats(2, 6))),
    /^x: wanted 5 columns, got 6 columns$/,
  ],
  [
    "createLinearizer",
    "NaN inputs",
    () => linearizer.linearize(weights, narrow(withNaN(x))),
    /^x: wanted finite numbers/,
  ],
  [
    "createLinearizer",
    "NaN inputs of a forward pass",
    () => linearizer.forward(weights, narrow(withNaN(x))),
    /^x: wanted finite/,
  ],
  [
    "createLinearizer",
    "weights of another network",
    () => linearizer.forward(weightsOf(other), x32),
    /^weights: wanted 3 layers, got 2 layers$/,
  ],
  [
    "createLinearizer",
    "weights of another width",
    () => linearizer.forward(weightsOf(mlp(M0, { width: 6, outputs: C })), x32),
    /^weights of layer 1: wanted 12 x 5, got 6 x 5$/,
  ],
  [
    "createLinearizer",
    "weights of another precision",
    () => linearizer.forward(weightsOf(network, wide), x32),
    /^weights of layer 1: wanted float32, got float64$/,
  ],
  [
    "createLinearizer",
    "more samples than there are",
    () => linearizer.linearize(weights, x32, N + 1),
    /^count: /,
  ],
  ["createLinearizer", "no tile", () => linearizer.forward(weights, x32, { tile: 0 }), /^tile: .*got 0$/],
  [
    "createWeights",
    "too few arrays",
    () => natgrad.createWeights(network, []),
    /^weights: wanted 3 layers, got 0 layers$/,
  ],
  [
    "createWeights",
    "too many arrays",
    () => natgrad.createWeights(network, [...natgrad.initialise(engine, network, 1), new Float32Array(1)]),
    /^weights: /,
  ],
  [
    "createFolder",
    "weights of another precision",
    () => natgrad.createFolder(engine).fold(weightsOf(network, wide)[0]!),
    /^weights: wanted float32/,
  ],
  [
    "createUpdater",
    "too few coefficients",
    () => updater.combine(layer, { kind: "per-sample", values: new Float64Array(3) }),
    numbers(N * C, 3),
  ],
  [
    "createUpdater",
    "a mixing matrix of another size",
    () => updater.combine(layer, { kind: "mixing", matrix: floats(N, N) }),
    /^coefficients: wanted 8 x 4, got 4 x 4$/,
  ],
  [
    "createUpdater",
    "an update of another size",
    () => updater.apply(weightsOf()[1]!, layer, { kind: "update", matrix: floats(N, 3) }, 1),
    /^coefficients: /,
  ],
  [
    "createUpdater",
    "weights of another layer",
    () => updater.apply(weightsOf()[0]!, layer, { kind: "none" }, 1),
    /^weights: wanted 12 x 12, got 12 x 5$/,
  ],
  [
    "createUpdater",
    "a NaN factor",
    () => updater.apply(weightsOf()[1]!, layer, { kind: "none" }, Number.NaN),
    /^factor: .*got NaN$/,
  ],
  [
    "createJacobian",
    "a vector of another size",
    () => jacobian.tangentProduct(kept, new Float64Array(3)),
    numbers(N * C, 3),
  ],
  [
    "createJacobian",
    "a matrix of another size",
    () => jacobian.addProduct(new Float64Array(N * C), layer, new Float32Array(3)),
    /^G: wanted 12 x 12 numbers, got 3 numbers$/,
  ],

  [
    "analyticKernel",
    "another input width",
    () => natgrad.analyticKernel(network, floats(2, 6)),
    /^x: wanted 5 columns, got 6 columns$/,
  ],
  [
    "analyticKernel",
    "two widths",
    () => natgrad.analyticKernel(network, x, floats(2, 4)),
    /^x: wanted 5 columns, got 4 columns$/,
  ],
  ["analyticKernel", "NaN inputs", () => natgrad.analyticKernel(network, withNaN(x)), /finite variances/],
  ["analyticNtk", "NaN inputs", () => natgrad.analyticNtk(network, withNaN(x)), /finite variances/],
  ["analyticNtk", "no tile", () => natgrad.analyticNtk(network, x, x, { tile: 0 }), /^tile: /],
  [
    "analyticNtk",
    "a place that is too small",
    () => natgrad.analyticNtk(network, x, x, { into: new Float32Array(3) }),
    /^matrix: /,
  ],
  ["analyticNngp", "another input width", () => natgrad.analyticNngp(network, floats(2, 6)), /^x: /],
  [
    "empiricalKernel",
    "another input width",
    () => natgrad.empiricalKernel(linearizer, weights, narrow(floats(2, 6))),
    /^x: /,
  ],
  [
    "empiricalKernel",
    "NaN test inputs",
    () => natgrad.empiricalKernel(linearizer, weights, x32, [narrow(withNaN(x))]),
    /^x: wanted finite/,
  ],
  [
    "empiricalKernel",
    "weights of another network, where the sum alone is needed",
    () => natgrad.empiricalKernel(linearizer, weightsOf(other), x32, [], { needs: "ntk" }),
    /^weights: /,
  ],
  [
    "empiricalKernel",
    "no tile",
    () => natgrad.empiricalKernel(linearizer, weights, x32, [], { needs: "ntk", tile: 0 }),
    /^tile: /,
  ],
  [
    "kernelOf",
    "a linearisation of no layer",
    () => natgrad.kernelOf({ engine, network: other }, { ...kept, layers: [] }),
    /^linearization: wanted 2 layers, got 0 layers$/,
  ],
  [
    "createGrams",
    "two widths",
    () => grams.product(layer.inputs, kept.layers[0]!.inputs),
    /^gram: wanted 12 columns, got 5 columns$/,
  ],
  [
    "createGrams",
    "two networks",
    () => grams.theta(kept.layers, kept.layers.slice(1)),
    /^theta: wanted 3 layers, got 2 layers$/,
  ],
  ["createGrams", "no tile", () => grams.product(layer.inputs, undefined, { tile: 0 }), /^tile: /],
  ["empiricalKernel", "a vector of another size", () => kernel.times(new Float64Array(3)), numbers(N * C, 3)],
  [
    "blocksKernel",
    "Grams of other samples",
    () => natgrad.blocksKernel({ ...kernel, cols: 3 }, parts),
    /^kernel: A of layer 1: wanted 3 columns, got 4 columns$/,
  ],
  [
    "matrixKernel",
    "a matrix of other samples",
    () => natgrad.matrixKernel({ ...kernel, rows: 3 }, floats(N * C, N * C)),
    /^kernel: wanted 6 rows, got 8 rows$/,
  ],
  ["linearizedKernel", "a vector of another size", () => lean.times(new Float64Array(3)), numbers(N * C, 3)],
  [
    "whitenKernel",
    "a curvature of other samples, where there are no layers",
    () => natgrad.whitenKernel(lean, S),
    /^curvature: wanted 4 samples of 2 outputs, got 5/,
  ],
  ["whitenKernel", "a curvature of other samples", () => natgrad.whitenKernel(kernel, S), /^curvature: /],
  ["whitenColumns", "a curvature of other samples", () => natgrad.whitenColumns(kernel, S), /^curvature: /],
  [
    "trainingKernel",
    "a curvature of other samples",
    () => natgrad.trainingKernel(kernel, whitened),
    /^curvature: /,
  ],
  [
    "crossKernel",
    "a curvature of other samples",
    () => natgrad.crossKernel(kernels.test, whitened),
    /^curvature: /,
  ],
  [
    "onPlainSignals",
    "too few coefficients",
    () => natgrad.onPlainSignals({ kind: "per-sample", values: new Float64Array(3) }, curved),
    numbers(N, 3),
  ],
  [
    "expandOutputs",
    "no copies",
    () => natgrad.expandOutputs({ ...analytic.train, copies: 0 }),
    /^kernel: copies: .*got 0$/,
  ],
  [
    "blocksKernel",
    "B of other outputs",
    () => natgrad.blocksKernel(kernel, [{ ...parts[0]!, B: floats(3, 3) }]),
    /^kernel: B of layer 1: wanted 8 columns, got 3 columns$/,
  ],
  ["ntk", "another input width", () => natgrad.ntk(network, floats(2, 6)), /^x: wanted 5 columns/],
  ["ntk", "an unknown kind", () => natgrad.ntk(network, x, x, { kind: any("ntk") }), /^kind: .*got "ntk"$/],
  [
    "ntk",
    "weights of another network",
    () => natgrad.ntk(network, x, x, { kind: "empirical", engine, weights: weightsOf(other) }),
    /^weights: /,
  ],
  [
    "ntk",
    "no engine",
    () => natgrad.ntk(network, x, x, any({ kind: "empirical" })),
    /^engine: wanted an engine with kind "empirical", got none$/,
  ],
  [
    "blocksKernel",
    "no layers",
    () => natgrad.blocksKernel(kernel, []),
    /^kernel: wanted a layer or more, got none$/,
  ],
  [
    "blocksKernel",
    "NaN samples",
    () => natgrad.blocksKernel({ ...kernel, cols: Number.NaN }, parts),
    /^kernel: cols: .*got NaN$/,
  ],
  [
    "withUnits",
    "samples of another kernel",
    () => natgrad.withUnits(network, analytic, floats(3, M0), floats(3, M0), natgrad.randomState(1)),
    /^kernel: wanted 3 training samples, got 4/,
  ],
  [
    "withUnits",
    "another network",
    () => natgrad.withUnits(other, analytic, x, floats(3, M0), natgrad.randomState(1)),
    /^kernel: wanted 2 layers, got 3 layers$/,
  ],

  [
    "accuracy",
    "labels of other samples",
    () => natgrad.accuracy(f, floats(3, C)),
    /^labels: wanted 4 x 2, got 3 x 2$/,
  ],
  [
    "lossNamed",
    "a name of none",
    () => natgrad.lossNamed("l1"),
    /^loss_type: wanted one of mse, cross_entropy, got "l1"$/,
  ],
  ["mse", "labels of other outputs", () => mse.value(f, floats(N, 1)), /^labels: /],
  ["mse", "a residual of other samples", () => mse.residual(f, floats(3, C)), /^labels: /],
  ["crossEntropy", "labels of other samples", () => crossEntropy.value(f, floats(3, C)), /^labels: /],
  [
    "crossEntropy",
    "one output",
    () => crossEntropy.curvature!(floats(N, 1), floats(N, 1)),
    /^cross_entropy: .*got 1$/,
  ],
  [
    "crossEntropy",
    "signs",
    () => crossEntropy.checkLabels!(floats(N, C, () => -0.5)),
    /^labels: wanted probabilities/,
  ],
  [
    "crossEntropy",
    "a NaN damping",
    () => crossEntropy.newton!(f, oneHot, Number.NaN),
    /^damping: .*got NaN$/,
  ],

  [
    "exact",
    "a NaN damping",
    () => exact.prepare(kernel, Number.NaN),
    /^damping: wanted a finite number >= 0, got NaN$/,
  ],
  [
    "exact",
    "a negative damping of a kernel without layers",
    () => exact.prepare(lean, -1),
    /^damping: .*got -1$/,
  ],
  [
    "exact",
    "a tolerance of one",
    () => exact.prepare(lean, 0.1, { solver: "cg", tolerance: 1 }),
    /tolerance .*got 1$/,
  ],
  ["viewOf", "a negative damping", () => natgrad.viewOf(exact, mse, f, y, -1), /^damping: .*got -1$/],
  ["viewOf", "labels of other samples", () => natgrad.viewOf(exact, mse, f, floats(3, C), 0), /^labels: /],
  ["bind", "a negative damping", () => natgrad.bind(exact, kernel, { ...view, damping: -1 }), /^damping: /],
  [
    "bind",
    "a cross kernel of other samples",
    async () => (await natgrad.bind(exact, kernel, view))(larger),
    /^kernel: wanted 4 training samples, got 5/,
  ],
  ["fisherNamed", "an unknown name", () => natgrad.fisherNamed("adam"), /^method: .*got "adam"$/],
  ["defaultRank", "NaN", () => natgrad.defaultRank(Number.NaN), /^unknowns: .*got NaN$/],

  [
    "alignment",
    "labels of other samples",
    () => natgrad.alignment(kernel, floats(3, C)),
    /^labels: wanted 4 rows, got 3 rows$/,
  ],
  [
    "dampingController",
    "an unknown schedule",
    () => natgrad.dampingController(any("linear"), 1),
    /^schedule: .*got "linear"$/,
  ],
  [
    "dampingController",
    "a NaN damping",
    () => natgrad.dampingController("levenberg_marquardt", Number.NaN),
    /^damping: /,
  ],
  [
    "isotropy",
    "a negative damping",
    () => natgrad.isotropy(kfac, kernel, { damping: -1 }),
    /^damping: .*got -1$/,
  ],
  [
    "predictSteps",
    "a NaN learning rate",
    () => natgrad.predictSteps(exact, mse, kernels, start, y, { learningRate: Number.NaN }),
    /^learningRate: .*got NaN$/,
  ],
  [
    "predictSteps",
    "a negative damping",
    () => natgrad.predictSteps(exact, mse, kernels, start, y, { learningRate: 1, damping: -1 }),
    /^damping: /,
  ],
  [
    "predictSteps",
    "outputs of other samples",
    () =>
      natgrad.predictSteps(exact, mse, kernels, { ...start, train: floats(3, C) }, y, { learningRate: 1 }),
    /^start\.train: wanted 4 x 2, got 3 x 2$/,
  ],
  [
    "predictSteps",
    "labels of other outputs",
    () =>
      natgrad.predictSteps(exact, mse, kernels, { train: floats(N, 3), test: floats(3, 3) }, floats(N, 3), {
        learningRate: 1,
      }),
    /^labels: wanted 2 columns, got 3 columns$/,
  ],
  [
    "predictSteps",
    "a sample that is not there",
    async () =>
      (await natgrad.predictSteps(exact, mse, kernels, start, y, { learningRate: 1, damping: 1 })).step(1, [
        N,
      ]),
    /^samples: .*got 4 at 0$/,
  ],
  [
    "gradientFlow",
    "a NaN learning rate",
    () => natgrad.gradientFlow(kernels, start, y, { learningRate: Number.NaN }),
    /^learningRate: /,
  ],
  [
    "gradientFlow",
    "labels of other samples",
    () => natgrad.gradientFlow(kernels, start, floats(3, C), { learningRate: 1 }),
    /^labels: /,
  ],
  [
    "gradientFlowOf",
    "a NaN learning rate",
    () => natgrad.gradientFlowOf(mse, kernels, start, y, { learningRate: Number.NaN }),
    /^learningRate: /,
  ],
  [
    "createPosterior",
    "an unknown kind",
    () => natgrad.createPosterior(analytic, y, { kind: any("gp") }),
    /^kind: .*got "gp"$/,
  ],
  [
    "createPosterior",
    "a negative regularisation",
    () => natgrad.createPosterior(analytic, y, { regularisation: -1 }),
    /^regularisation: /,
  ],
  [
    "createPosterior",
    "labels of other samples",
    () => natgrad.createPosterior(analytic, floats(3, C)),
    /^labels: /,
  ],
  [
    "createPosterior",
    "a NaN time",
    async () => (await natgrad.createPosterior(analytic, y)).at(Number.NaN),
    /^posterior time: .*got NaN$/,
  ],
  [
    "deviations",
    "a covariance that is not square",
    () => natgrad.deviations({ mean: f, covariance: floats(2, 3) }),
    /^covariance: /,
  ],
  [
    "kernelSpectrum",
    "a cross kernel",
    () => natgrad.kernelSpectrum(analytic.test),
    /wanted a square matrix, got 3 x 4$/,
  ],
  [
    "modeEnergies",
    "a residual of other samples",
    () => natgrad.modeEnergies(spectrum, floats(3, C)),
    /^modes: /,
  ],
  [
    "labelEnergy",
    "labels of other samples",
    () => natgrad.labelEnergy(spectrum, floats(N + 1, 1)),
    /^modes: /,
  ],
  [
    "convergenceTime",
    "a NaN fraction",
    () => natgrad.convergenceTime(spectrum, y, Number.NaN),
    /^fraction: .*got NaN$/,
  ],
  [
    "convergenceTime",
    "a fraction above one",
    () => natgrad.convergenceTime(spectrum, y, 2),
    /^fraction: .*got 2$/,
  ],
  [
    "convergenceSteps",
    "a NaN learning rate",
    () => natgrad.convergenceSteps(spectrum, y, 0.1, Number.NaN),
    /^learningRate: /,
  ],
  ["stableLearningRate", "no rows", () => natgrad.stableLearningRate(propagator, 0), /^n: .*got 0$/],
  [
    "stableLearningRate",
    "a G of other rows",
    () => natgrad.stableLearningRate(async () => new Float64Array(2), 3),
    numbers(3, 2),
  ],
  [
    "stableLearningRate",
    "a G without numbers",
    () => natgrad.stableLearningRate(async () => new Float64Array(3).fill(Number.NaN), 3),
    /^G: wanted finite/,
  ],

  ["train", "half a step", () => trained({}, { steps: 0.5 }), /^steps: wanted a whole number >= 0, got 0.5$/],
  ["train", "rows of no step", () => trained({}, { every: 0 }), /^every: .*got 0$/],
  ["train", "an empty mini-batch", () => trained({}, { batchSize: 0 }), /^batchSize: .*got 0$/],
  [
    "train",
    "an unknown kernel",
    () => trained({}, { kernel: "finite" as never }),
    /^kernel: .*got "finite"$/,
  ],
  [
    "train",
    "no learning rate",
    () => trained({ method: natgrad.gradient }),
    /^learningRate: wanted a number for gradient, got none$/,
  ],
  [
    "train",
    "a NaN learning rate",
    () => trained({}, { learningRate: Number.NaN }),
    /^learningRate: .*got NaN$/,
  ],
  ["train", "a negative damping", () => trained({}, { damping: -1 }), /^damping: .*got -1$/],
  [
    "train",
    "data of other features",
    () => trained({ network: mlp(6, { depth: 2, width: 8, outputs: C }) }),
    /wanted \S+ columns, got \S+/,
  ],
  ["train", "weights of another network", () => trained({}, { weights: weightsOf(other) }), /^weights: /],
  ["train", "what was released", () => trained({}, { engine: released }), /^engine: .*released/],
  [
    "createTrainer",
    "another input width",
    () => natgrad.createTrainer(linearizer, weights, exact, mse, { x: narrow(floats(N, 6)), y }),
    /^x: wanted 5 columns/,
  ],
  [
    "createTrainer",
    "other outputs",
    () => natgrad.createTrainer(linearizer, weights, exact, mse, { x: x32, y: floats(N, 1) }),
    /^y: wanted 2 columns, got 1 columns$/,
  ],
  [
    "createTrainer",
    "more labels than samples",
    () => natgrad.createTrainer(linearizer, weights, exact, mse, { x: x32, y: floats(N + 1, C) }),
    /^y: /,
  ],
  [
    "createTrainer",
    "no labels",
    () => natgrad.createTrainer(linearizer, weights, exact, mse, { x: x32, y: floats(0, C) }),
    /^y: .*got 0$/,
  ],
  [
    "createTrainer",
    "NaN inputs",
    () => natgrad.createTrainer(linearizer, weights, exact, mse, { x: narrow(withNaN(x)), y }),
    /^x: wanted finite/,
  ],
  [
    "createTrainer",
    "NaN labels",
    () => natgrad.createTrainer(linearizer, weights, exact, mse, { x: x32, y: withNaN(y) }),
    /^y: wanted finite/,
  ],
  [
    "createTrainer",
    "labels of another loss",
    () => natgrad.createTrainer(linearizer, weights, exact, crossEntropy, { x: x32, y }),
    /^labels: wanted probabilities/,
  ],
  [
    "createTrainer",
    "weights of another network",
    () => natgrad.createTrainer(linearizer, weightsOf(other), exact, mse, { x: x32, y }),
    /^weights: /,
  ],
  [
    "createTrainer",
    "weights of another precision",
    () => natgrad.createTrainer(linearizer, weightsOf(network, wide), exact, mse, { x: x32, y }),
    /float32, got float64$/,
  ],
  [
    "createTrainer",
    "a NaN learning rate",
    () => trainer().step({ ...step, learningRate: Number.NaN }),
    /^learningRate: .*got NaN$/,
  ],
  [
    "createTrainer",
    "a NaN damping",
    () => trainer().step({ ...step, damping: Number.NaN }),
    /^damping: .*got NaN$/,
  ],
  [
    "createTrainer",
    "a negative damping",
    () => trainer().step({ ...step, damping: -1 }),
    /^damping: .*got -1$/,
  ],
  [
    "createTrainer",
    "a NaN damping from a function",
    () => trainer().step({ ...step, damping: () => Number.NaN }),
    /^damping: .*got NaN$/,
  ],
  ["createTrainer", "no samples", () => trainer().step({ ...step, samples: [] }), /^samples: .*got none$/],
  [
    "createTrainer",
    "a sample that is not there",
    () => trainer().step({ ...step, samples: [0, N] }),
    /^samples: .*got 4 at 1$/,
  ],
  [
    "createTrainer",
    "a sample twice",
    () => trainer().step({ ...step, samples: [0, 0] }),
    /^samples: .*got 0 at 1$/,
  ],
  [
    "createTrainer",
    "a released engine",
    () => natgrad.createTrainer(doomed, weightsOf(), exact, mse, { x: x32, y }).step(step),
    /released$/,
  ],

  [
    "parseConfig",
    "null",
    () => natgrad.parseConfig(any(null)),
    /^options: wanted an object of options by name, got null$/,
  ],
  ["parseConfig", "nothing", () => natgrad.parseConfig(any(undefined)), /^options: .*got undefined$/],
  ["parseConfig", "a list", () => natgrad.parseConfig(any([])), /^options: .*got an array$/],
  ["parseConfig", "a text", () => natgrad.parseConfig(any("exact")), /^options: .*got "exact"$/],
  ["parseDiagnosis", "null", () => natgrad.parseDiagnosis(any(null)), /^options: .*got null$/],
  [
    "explain",
    "null",
    () => natgrad.explain(any(null)),
    /^config: wanted what parseConfig returns, got null$/,
  ],
  ["run", "null", () => natgrad.run(any(null)).next(), /^config: wanted what parseConfig returns, got null$/],
  [
    "run",
    "options that were not parsed",
    () => natgrad.run(any({ natural_gradient_type: "exact" })).next(),
    /^config: .*without dataset$/,
  ],
  [
    "diagnose",
    "no configuration",
    () => natgrad.diagnose(any({ methods: [] })).next(),
    /^config: .*got undefined$/,
  ],
  [
    "loadKernels",
    "a file that is not there",
    () =>
      natgrad.loadKernels(
        "/dev/null/k.npz",
        any({ config: {}, network, dataset: { xTrain: x, xTest: x } }),
        natgrad.exact,
      ),
    /wanted a readable file/,
  ],
  [
    "saveKernels",
    "a place that is none",
    () => natgrad.saveKernels("/dev/null/k.npz", kernels, any({ kind: "analytic" })),
    /wanted a writable place/,
  ],
  [
    "loadWeights",
    "a folder that is not there",
    () => natgrad.loadWeights("/dev/null/w", engine, network),
    /wanted a readable file/,
  ],
  ["parseFlags", "no options", () => natgrad.parseFlags(any(null)), /^options: wanted an object/],
  [
    "parseDiagnosisFlags",
    "no options",
    () => natgrad.parseDiagnosisFlags(any(null)),
    /^options: wanted an object/,
  ],
  [
    "breathe",
    "a signal that is aborted",
    () => natgrad.breathe(AbortSignal.abort(new RangeError("stop: wanted nothing more, got work"))),
    /^stop: /,
  ],
  ["stackRows", "other columns", () => natgrad.stackRows([floats(2, 3), floats(2, 4)]), /wanted .*, got/],
  [
    "drawWeights",
    "an unknown stream",
    () => natgrad.drawWeights(engine, network, 1, { prng: any("xorshift") }),
    /^prng: /,
  ],
  [
    "saveWeights",
    "a place that is none",
    () => natgrad.saveWeights("/dev/null/w", network, natgrad.initialise(engine, network, 1)),
    /wanted a writable place/,
  ],
];

/** Functions without arguments that could be wrong beyond their types: constructors of errors, words, formulas. */
const SAFE = [
  ...SAFE_OPS,
  "InputError",
  "NotFiniteError",
  "OptionError",
  "SingularGramError",
  "UnsolvedError",
  "stoppedText",
  "relu",
  "activation",
  "dualMaps",
  // Whatever they are given is of a type that has no wrong values.
  "existsFor",
  "residualColumns",
  "residualFor",
  "responseOf",
  "eigenBytes",
  "matrixBytes",
  "originOf",
  "diagnosisMethods",
];

describe("the library", () => {
  it.each(cases)("%s refuses %s", async (_, __, call, message) => {
    const error: unknown = await Promise.resolve()
      .then(call)
      .then(
        () => "no error",
        (thrown: unknown) => thrown,
      );
    expect(
      [natgrad.InputError, RangeError].some((type) => error instanceof type),
      String(error),
    ).toBe(true);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/^[^\n]+: wanted [^\n]+, got [^\n]+$/);
  });

  it.each(natgrad.FISHERS.map((fisher) => [fisher.name, fisher] as const))(
    "%s refuses dampings, kernels and residuals that do not fit",
    async (_, fisher) => {
      const units: Kernel = kernel;
      for (const damping of [Number.NaN, -1, Infinity]) {
        await expect(fisher.prepare(units, damping)).rejects.toThrow(
          /^damping: wanted a finite number >= 0, got /,
        );
      }
      await expect(fisher.prepare({ ...units, cols: 3 }, 1)).rejects.toThrow(RangeError);
      await expect(fisher.prepare(kernels.test, 1)).rejects.toThrow(/^kernel: wanted 8 rows, got 6 rows$/);
      const prepared = await fisher.prepare(units, 1);
      const short = new Float64Array(3);
      await expect(prepared.solve(short)).rejects.toThrow(/^residual: wanted 8 numbers, got 3 numbers$/);
      await expect(prepared.onto(larger)).rejects.toThrow(/^kernel: wanted 4 training samples/);
      const G = await prepared.onto(kernels.test);
      expect(() => G(short)).toThrow(/^residual: wanted 8 numbers, got 3 numbers$/);
      expect((await G(new Float64Array(N * C).fill(1))).every(Number.isFinite)).toBe(true);
    },
  );

  it("has no function that is not tried here", () => {
    const tried = new Set([...SAFE, ...cases.map(([name]) => name)]);
    const functions = Object.entries(natgrad).filter(([, value]) => typeof value === "function");
    expect(functions.map(([name]) => name).filter((name) => !tried.has(name))).toEqual([]);
  });

  it("has the entries of the package, and a name means one thing in all of them", () => {
    expect(Object.keys(ENTRIES).toSorted()).toEqual(Object.keys(MANIFEST.exports).toSorted());
    const all: Readonly<Record<string, unknown>> = natgrad;
    const other = Object.values(ENTRIES).flatMap((entry) =>
      Object.entries(entry).filter(([name, value]) => all[name] !== value),
    );
    expect(other).toEqual([]);
  });

  it("has a main entry of what is in the others, and of few names", () => {
    const { ".": main, ...parts } = ENTRIES;
    const elsewhere = new Set(Object.values(parts).flatMap((entry) => Object.keys(entry)));
    // Errors of input are everywhere.
    expect(Object.keys(main).filter((name) => !elsewhere.has(name))).toEqual(["InputError"]);
    expect(Object.keys(main).length).toBeLessThan(30);
  });
});
