/**
 * @file Reads a file of layers, JSON or YAML: a list of them, or an object whose `layers` is one. Its content is data alone; layer-list.ts
 * makes layers of it.
 */
import { readFileSync, statSync } from "node:fs";
import { parse } from "yaml";
import { checkPlain, errorCode } from "../../data/node/files.ts";
import { InputError } from "../../error.ts";

/** Endings of files of layers. */
export const LAYER_FILE = /\.(json|ya?ml)$/i;

/** Bytes that a file of layers may have. */
const LIMIT = 2 ** 20;

/** Aliases of YAML may stand for so many nodes. */
const ALIASES = 10_000;

/** A network of layers as data. */
export type LayerList = {
  /** The file that it was read from. */
  readonly file?: string;
  readonly layers: readonly unknown[];
};

/**
 * The layers in a file.
 * @throws InputError naming the file: it cannot be read, is too large, or is no JSON or YAML with a list of layers.
 */
export function readLayerFile(file: string): LayerList {
  return { file, layers: layersIn(contentOf(file), file) };
}

/**
 * A list of layers, or the `layers` of an object.
 * @param what what errors call it
 * @throws InputError where it is neither.
 */
export function layersIn(content: unknown, what: string): readonly unknown[] {
  if (Array.isArray(content)) return content;
  if (typeof content !== "object" || content === null || !("layers" in content)) {
    throw new InputError(`${what}: wanted a list of layers, or layers: and a list, got ${kindOf(content)}`);
  }
  const stranger = Object.keys(content).find((name) => name !== "layers" && name !== "file");
  if (stranger !== undefined) throw new InputError(`${what}: wanted layers alone, got ${stranger}`);
  const { layers } = content;
  if (Array.isArray(layers)) return layers;
  throw new InputError(`${what}: layers: wanted a list, got ${kindOf(layers)}`);
}

function contentOf(file: string): unknown {
  let text: string;
  try {
    const found = statSync(file);
    checkPlain(found, file);
    const { size } = found;
    if (size > LIMIT) throw new InputError(`${file}: wanted a file of layers below 1 MiB, got ${size} bytes`);
    // Some editors begin a file with a byte order mark.
    text = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${file}: wanted a file of layers, got ${errorCode(error)}`);
  }
  const isJson = /json$/i.test(file);
  try {
    return isJson
      ? (JSON.parse(text) as unknown)
      : parse(text, { maxAliasCount: ALIASES, logLevel: "error" });
  } catch (error) {
    const [line] = (error as Error).message.split("\n");
    throw new InputError(`${file}: wanted ${isJson ? "JSON" : "YAML"}, got ${line!.replace(/:$/, "")}`);
  }
}

/** A value by its kind: an error need not print all of it. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return `an object with ${Object.keys(value).join(", ") || "nothing in it"}`;
  return JSON.stringify(value);
}
