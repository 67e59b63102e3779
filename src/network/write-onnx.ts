/**
 * @file A network with its weights as an ONNX model (opset 21) of standard ops, for any runtime: what natgrad computes forward, with the weights of
 * every block as an initialiser under the block's name.
 */
import { agree, InputError } from "../error.ts";
import type { FloatArray } from "../engine/engine.ts";
import { createGraph } from "../engine/graph.ts";
import { appendOps } from "./backward.ts";
import type { Network } from "./network.ts";

/** Options of {@link writeOnnx}. */
export type WriteOnnxOptions = {
  /** Names of the blocks' weights. Default: layer1, layer2, ... */
  names?: readonly string[];
  /** Default: "input" and "output". */
  input?: string;
  output?: string;
};

/**
 * The bytes of a model with input [samples, ...shape of a sample] and output [samples, C]. Weights are theta [O, I] of each block (with biases in
 * the last column), in the precision of the arrays; scales of the parameterisation are part of the graph.
 * @throws RangeError for arrays that are not those of the network; InputError for names that are not one per block, each once.
 * @example
 * import { createEngine, initialise, mlp } from "natgrad";
 * import { writeOnnx } from "natgrad/network";
 *
 * const network = mlp(8, { depth: 2, width: 16 });
 * const engine = await createEngine();
 * const bytes = writeOnnx(network, initialise(engine, network, 1));
 * console.log(bytes.length > 8 * 16 * 4); // true
 * await engine.release();
 */
export function writeOnnx(
  network: Network,
  thetas: readonly FloatArray[],
  {
    names = network.blocks.map((_, l) => `layer${l + 1}`),
    input = "input",
    output = "output",
  }: WriteOnnxOptions = {},
): Uint8Array {
  const { blocks, shapes, outputs } = network;
  agree("thetas", `${blocks.length} blocks`, `${thetas.length} blocks`);
  for (const [l, { fanOut, columns }] of blocks.entries()) {
    agree(`theta ${l + 1}`, `${fanOut * columns} numbers`, `${thetas[l]!.length} numbers`);
  }
  const all = [...names, input, output];
  if (names.length !== blocks.length || new Set(all).size !== all.length || all.includes("")) {
    throw new InputError(
      `names: wanted ${blocks.length} for blocks, another for the input and one for the output, got ${all.join(", ")}`,
    );
  }
  const g = createGraph(thetas[0] instanceof Float64Array ? "float64" : "float32");
  const x = g.input(input, ["samples", ...shapes[0]!]);
  const weights = blocks.map(({ fanOut, columns }, l) => ({
    base: g.initializer(names[l]!, thetas[l]!, [fanOut, columns]),
  }));
  g.output(output, appendOps(g, network, x, weights).f, ["samples", outputs]);
  return g.toModel();
}
