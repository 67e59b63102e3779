/**
 * @file Layers from data: a name (`relu`), or an object with one name and what it takes (`conv: {channels: 64, size: 3}`). Errors name the
 * layer by its path, as layers[3].residual[1].conv.size; so does what does not fit when the network is made.
 */
import { z } from "zod";
import { InputError } from "../../error.ts";
import { appendLayer, parallel, residual, sequence, type Layer } from "../../network/layers.ts";
import { mul } from "../../ops/arithmetic.ts";
import { concatenate } from "../../ops/concatenate.ts";
import { sum } from "../../ops/sum.ts";
import { shown } from "../shown.ts";
import { KINDS, type Surroundings } from "./kinds.ts";
import { kindOf, type LayerList } from "./layer-file.ts";

/** Lists in lists. */
const DEEPEST = 100;

/** Layers that hold layers. */
const HOLDERS = ["residual", "parallel", "sequence"];

/** Names of all layers. */
export const LAYER_NAMES: readonly string[] = [...Object.keys(KINDS), ...HOLDERS];

/** An error that says where it is. */
class PlacedError extends InputError {
  override readonly name = "PlacedError";
}

const refuse = (path: string, wanted: string, got: unknown): never => {
  throw new PlacedError(
    `${path}: wanted ${wanted}, got ${typeof got === "object" || got === undefined ? kindOf(got) : shown(got)}`,
  );
};

/**
 * The layers of a list.
 * @throws InputError naming the file, the layer by its path, what was wanted and what was there.
 */
export function layersOf({ file, layers }: LayerList, around: Surroundings): Layer[] {
  const start = file === undefined ? "layers" : `${file}: layers`;
  if (layers.length === 0) refuse(start, "one layer or more", layers);
  return listOf(layers, start, around);
}

const listOf = (layers: unknown, path: string, around: Surroundings): Layer[] => {
  if (!Array.isArray(layers)) return refuse(path, "a list of layers", layers);
  const depth = path.split("[").length;
  if (depth > DEEPEST) throw new PlacedError(`layers: wanted lists at most ${DEEPEST} deep, got deeper ones`);
  return layers.map((layer: unknown, i) => layerOf(layer, `${path}[${i}]`, around));
};

function layerOf(given: unknown, path: string, around: Surroundings): Layer {
  const [name, options] = namedOf(given, path);
  const inner = `${path}.${name}`;
  if (name === "parallel") return placed(inner, parallelOf(options, inner, around));
  if (HOLDERS.includes(name)) {
    const layers = listOf(options, inner, around);
    return name === "residual" ? placed(inner, residual(...layers)) : sequence(...layers);
  }
  return placed(inner, build(name, options, inner, around));
}

/** The name of a layer, and what it takes. */
function namedOf(given: unknown, path: string): [name: string, options: unknown] {
  const entries: [string, unknown][] =
    typeof given === "string"
      ? [[given, undefined]]
      : typeof given === "object" && given !== null && !Array.isArray(given)
        ? Object.entries(given)
        : [];
  const [first] = entries;
  if (!first || entries.length > 1)
    return refuse(path, "the name of a layer, or one name and what it takes", given);
  if (!LAYER_NAMES.includes(first[0])) refuse(path, `one of ${LAYER_NAMES.join(", ")}`, first[0]);
  return first;
}

/** What joins branches. */
const JOINS = { sum, concatenate, multiply: mul } as const;

/** Branches alone, which are added, or `branches` and how they are joined. */
function parallelOf(given: unknown, path: string, around: Surroundings): Layer {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return parallel(branchesOf(given, path, around), sum());
  }
  const { branches, join = "sum", ...rest } = given as { branches?: unknown; join?: unknown };
  const [stranger] = Object.keys(rest);
  if (stranger !== undefined) refuse(path, "one of branches, join", stranger);
  if (typeof join !== "string" || !Object.keys(JOINS).includes(join)) {
    return refuse(`${path}.join`, `one of ${Object.keys(JOINS).join(", ")}`, join);
  }
  return parallel(branchesOf(branches, `${path}.branches`, around), JOINS[join as keyof typeof JOINS]());
}

/** Branches: lists of layers, or single ones; an empty list passes its input on. */
function branchesOf(given: unknown, path: string, around: Surroundings): Layer[] {
  if (!Array.isArray(given) || given.length < 2) return refuse(path, "a list of two branches or more", given);
  return given.map((branch: unknown, i) =>
    Array.isArray(branch)
      ? sequence(...listOf(branch, `${path}[${i}]`, around))
      : layerOf(branch, `${path}[${i}]`, around),
  );
}

/** A layer of a kind without layers in it. */
function build(name: string, given: unknown, path: string, around: Surroundings): Layer {
  const { options: schemas, main, build } = KINDS[name]!;
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
  if (!isObject && given !== undefined && given !== null && main === undefined) {
    refuse(path, Object.keys(schemas).length === 0 ? "no options" : "options by name", given);
  }
  const options = isObject ? given : given === undefined || given === null ? {} : { [main!]: given };
  const checked = z.strictObject(schemas).safeParse(options);
  if (checked.success) return buildAt(path, () => build(checked.data, around));
  const issue = checked.error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const names = Object.keys(schemas).join(", ");
    return refuse(path, names === "" ? "no options" : `one of ${names}`, issue.keys[0]);
  }
  const option = String(issue.path[0]);
  return refuse(`${path}.${option}`, issue.message, (options as Record<string, unknown>)[option]);
}

/** What an op refuses, with the place of the layer. */
function buildAt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof PlacedError || !(error instanceof InputError || error instanceof RangeError))
      throw error;
    throw new PlacedError(`${path}: ${error.message.replace(/^[^:]*: (?=wanted )/, "")}`, { cause: error });
  }
}

/** The same layer, whose faults in a network have its place. */
const placed = (path: string, layer: Layer): Layer => ({
  name: layer.name,
  append: (b, inputs) => buildAt(path, () => appendLayer(b, layer, inputs)),
});

/** Whether the last layer of a list is a dense one, which then makes the outputs. */
export function endsInDense({ layers }: LayerList): boolean {
  const last = layers.at(-1);
  return last === "dense" || (typeof last === "object" && last !== null && "dense" in last);
}

/** The path of the last layer. */
export const lastPath = ({ file, layers }: LayerList): string =>
  `${file === undefined ? "" : `${file}: `}layers[${layers.length - 1}]`;
