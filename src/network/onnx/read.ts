/**
 * @file An ONNX model as a network with its own weights.
 */
import type { Engine, FloatArray } from "../../engine/engine.ts";
import { agree, InputError } from "../../error.ts";
import { decodeOnnx, type DecodeOptions } from "../../onnx/decode.ts";
import { encodeOnnx } from "../../onnx/encode.ts";
import { count, type OnnxModel } from "../../onnx/model.ts";
import type { NormalGraph, NormalNode } from "../../onnx/normal/graph.ts";
import { normalise, type NormaliseOptions } from "../../onnx/normal/normalise.ts";
import { modelOf } from "../../onnx/normal/write.ts";
import { reshape } from "../../ops/reshape.ts";
import type { Network } from "../network.ts";
import type { ModelBlock } from "./blocks.ts";
import { createConversion, type Conversion, type Convert } from "./conversion.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { LAYERS } from "./layers.ts";
import { MOVEMENT } from "./movement.ts";

/** Nodes of the normal form that are ops of a network. */
export const CONVERTS: Readonly<Record<string, Convert>> = { ...ELEMENTWISE, ...LAYERS, ...MOVEMENT };

/** Options of {@link readOnnx}. */
export type ReadOnnxOptions = DecodeOptions & NormaliseOptions;

/** A model that was read. */
export type OnnxNetwork = {
  readonly network: Network;
  /** Names of the parameters in each block of the network, first to last. */
  readonly names: readonly (readonly string[])[];
  /** theta [fanOut, columns] of every block, in the engine's precision: arrays of the caller's own, as `createWeights` takes them. */
  weights(engine: Engine): FloatArray[];
  /**
   * The model with such arrays as its weights, as the bytes of an ONNX file (opset 21): standard ops, and parameters under their own names.
   * @throws RangeError for arrays that are not one per block, of its size; InputError for 2 GiB and more.
   */
  write(weights: readonly FloatArray[]): Uint8Array;
};

/**
 * Reads an ONNX model: a network of its ops, and its weights. Samples are matrices as everywhere, one row per sample, in the order of the model's input
 * (images with channels first, token numbers as they are); outputs with several axes are flattened.
 * @throws InputError, on one line: for bytes that are no model, for what natgrad does not have (all ops at once), for a model that mixes samples.
 * @example
 * import { readFile } from "node:fs/promises";
 * import { createEngine, createWeights, matrix, ntk } from "natgrad";
 * import { readOnnx } from "natgrad/network";
 *
 * const model = await readOnnx(await readFile("test/fixtures/onnx/mlp_dynamo18.onnx"));
 * const engine = await createEngine();
 * const weights = createWeights(model.network, model.weights(engine));
 * const x = matrix(1, 6, Float64Array.of(1, 2, 3, 4, 5, 6));
 * const theta = await ntk(model.network, x, x, { kind: "empirical", engine, weights });
 * console.log(theta.rows, model.names[0]); // 3 [ '0.weight', '0.bias' ]
 * await engine.release();
 */
export async function readOnnx(bytes: Uint8Array, options: ReadOnnxOptions = {}): Promise<OnnxNetwork> {
  return networkOf(await decodeOnnx(bytes, options), options);
}

/**
 * A decoded model as a network.
 * @throws InputError as {@link readOnnx} does.
 */
export function networkOf(model: OnnxModel, options: NormaliseOptions = {}): OnnxNetwork {
  const graph = normalise(model, options);
  const { c, output } = convert(graph);
  const network = c.b.finish(output);
  const blocks = network.blocks.map(({ id }) => c.blocks[id!]!);
  demandOnce(blocks, graph);
  return {
    network,
    names: blocks.map(({ parameters }) => parameters.map((i) => graph.parameters[i]!.name)),
    weights: (engine) =>
      network.blocks.map((shape, l) =>
        filled(engine.floats(shape.fanOut * shape.columns), shape, blocks[l]!, graph),
      ),
    write(weights) {
      agree("weights", `${blocks.length} blocks`, `${weights.length} blocks`);
      const stored = graph.parameters.map(({ values }) => values().slice());
      for (const [l, { fanOut, columns }] of network.blocks.entries()) {
        const theta = weights[l]!;
        agree(`weights of block ${l + 1}`, fanOut * columns, theta.length);
        for (let k = 0; k < theta.length; k++) {
          const [parameter, index] = blocks[l]!.source(Math.floor(k / columns), k % columns);
          stored[parameter]![index] = theta[k]!;
        }
      }
      const parameters = graph.parameters.map((parameter, i) => ({ ...parameter, values: () => stored[i]! }));
      return encodeOnnx(modelOf({ ...graph, parameters }));
    },
  };
}

/**
 * The nodes of a normal graph as ops, and its output with one axis.
 * @throws InputError for nodes that are none, all at once.
 */
export function convert(graph: NormalGraph): { readonly c: Conversion; readonly output: number } {
  const c = createConversion(graph);
  const missing = new Set<string>();
  for (const node of graph.nodes) {
    const made = missing.size === 0 ? converted(c, node) : CONVERTS[node.op] && [0, "first" as const];
    if (!made) missing.add(node.op);
    else if (missing.size === 0) c.values.add(node.shape, made[1] as "first" | "last", made[0] as number);
  }
  if (missing.size > 0) {
    const got = [...missing].toSorted().join(", ");
    throw new InputError({ what: "ops", wanted: "those that natgrad has (docs/onnx.md)", got });
  }
  const last = c.values.get(graph.output.value, "first");
  const flat = c.b.shape(last).length === 1;
  return { c, output: flat ? last : c.b.apply(reshape(count(graph.output.shape)), [last]) };
}

/** @throws InputError for a parameter that is used in two ways that no block has. */
function demandOnce(blocks: readonly ModelBlock[], graph: NormalGraph): void {
  const all = blocks.flatMap(({ parameters }) => parameters);
  const twice = all.find((parameter, i) => all.indexOf(parameter) !== i);
  if (twice === undefined) return;
  const what = `parameter ${graph.parameters[twice]!.name}`;
  throw new InputError({ what, wanted: "one kind of use", got: "several" });
}

/** A node as an op; what its op refuses is a fault of the model. */
function converted(c: Conversion, node: NormalNode): ReturnType<Convert> {
  try {
    return CONVERTS[node.op]?.(c, node);
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof InputError)) throw error;
    const [, wanted, got] = /wanted (.*), got (.*)$/.exec(error.message) ?? [];
    const what = `${node.op} ${node.name}`;
    throw new InputError(
      { what, wanted: wanted ?? "what natgrad has", got: got ?? error.message },
      { cause: error },
    );
  }
}

/** theta from the stored numbers. */
function filled(
  theta: FloatArray,
  { fanOut, columns }: { fanOut: number; columns: number },
  { source }: ModelBlock,
  { parameters }: NormalGraph,
): FloatArray {
  for (let o = 0, k = 0; o < fanOut; o++) {
    for (let i = 0; i < columns; i++, k++) {
      const [parameter, index] = source(o, i);
      theta[k] = parameters[parameter]!.values()[index]!;
    }
  }
  return theta;
}
