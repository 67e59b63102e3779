/**
 * @file The network of a run, as it is after its last step, in an ONNX file.
 */
import { writeWhole } from "../../data/node/files.ts";
import { InputError } from "../../error.ts";
import { createFolder, type Weights } from "../../jacobian/weights.ts";
import type { Engine, FloatArray } from "../../engine/engine.ts";
import type { Network } from "../../network/network.ts";
import { writeOnnx } from "../../network/write-onnx.ts";
import { sizeText } from "../bytes.ts";
import type { Config } from "../config.ts";
import { headedNames } from "./head.ts";
import { isModel, readOf, type ReadModel } from "./model-option.ts";

/** Bytes of the largest message that readers of ONNX take. */
const LARGEST = 2 ** 31 - 1;

/**
 * Checks that a network can be saved, before it is trained.
 * @throws InputError with the figures.
 */
export function demandModelFits(
  { save_model, precision }: Pick<Config, "save_model" | "precision">,
  { blocks }: Network,
): void {
  if (save_model === undefined) return;
  const numbers = blocks.reduce((sum, { fanOut, columns }) => sum + fanOut * columns, 0);
  const bytes = numbers * (precision === "float64" ? 8 : 4);
  if (bytes + 1e6 < LARGEST) return;
  throw new InputError(
    `save_model: wanted a file below ${sizeText(LARGEST)}, got one of ${sizeText(bytes)} (${save_model})`,
  );
}

/** A network after its training. */
export type Trained = {
  readonly engine: Engine;
  /** All of it, and theta of all of its blocks, which the weights change in place. */
  readonly network: Network;
  readonly thetas: readonly FloatArray[];
  /** Of the blocks that move. */
  readonly weights: Weights;
};

/**
 * Writes the network with its weights; what steps have added to them is folded in first.
 * @throws InputError where the file cannot be written.
 */
export async function saveModel(
  path: string,
  { architecture, head }: Pick<Config, "architecture" | "head">,
  { engine, network, thetas, weights }: Trained,
): Promise<void> {
  const folder = createFolder(engine);
  for (const layer of weights) await folder.fold(layer);
  const names = isModel(architecture) ? namesOf(readOf(architecture), network, head) : undefined;
  await writeWhole(path, writeOnnx(network, thetas, names ? { names } : {}));
}

/** Names that graphs have of their own: of their ends, and of what natgrad numbers. */
const TAKEN = /^(input|output|[a-z]+_?\d+)$/i;

/** A name per block: that of its parameter, or of its first one. */
function namesOf(model: ReadModel, { outputs }: Network, head: Config["head"]): string[] {
  const names = head === undefined ? model.names : headedNames(model, outputs);
  const firsts = names.map(([name = ""]) => name);
  // A new layer may have the name of an old one.
  const isOwn = (name: string, l: number) => name !== "" && !TAKEN.test(name) && firsts.indexOf(name) === l;
  return firsts.map((name, l) => (isOwn(name, l) ? name : `layer${l + 1}.${name}`));
}
