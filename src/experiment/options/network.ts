/**
 * @file Options about the network and its initial weights.
 */
import { z } from "zod";
import { ACTIVATION_NAMES } from "../../ops/activations/index.ts";
import { PRNGS } from "../../network/initialise.ts";
import { PARAMETERIZATIONS } from "../../ops/parameterization.ts";
import { aboutIn } from "./about.ts";
import type { HeadOption, ModelFile } from "../model/model-option.ts";
import { LAYER_FILE, layersIn, readLayerFile, type LayerList } from "../architecture/layer-file.ts";
import { NETWORK_NAMES, type NetworkName } from "../architecture/named.ts";
import { choice, choiceOrOwn, notNegative, path, positive, whole, type Reader } from "./values.ts";

const about = aboutIn("Network");

const ARCHITECTURE = { error: `one of ${NETWORK_NAMES.join(", ")}, or a file of layers (.json, .yaml)` };

/** A name, a file, or layers as data. */
const readArchitecture: Reader<string | LayerList | readonly unknown[]> = (v: unknown) => {
  if (typeof v === "string") return LAYER_FILE.test(v) ? readLayerFile(v) : v;
  if (typeof v !== "object" || v === null) return v;
  const file = "file" in v && typeof v.file === "string" ? { file: v.file } : {};
  return { ...file, layers: layersIn(v, "architecture") };
};

const isArchitecture = (v: unknown): boolean =>
  typeof v === "object" ? v !== null : (NETWORK_NAMES as readonly unknown[]).includes(v);

const readHead: Reader<HeadOption> = (v: unknown) =>
  typeof v === "string" && /^\d+$/.test(v) ? Number(v) : v;

const isHead = (v: unknown): boolean => v === "auto" || (Number.isSafeInteger(v) && (v as number) >= 1);

const GLOBS = { error: "names of blocks, or globs of them, as head.*,layer3" };

const readGlobs: Reader<readonly string[] | string> = (v: unknown) =>
  typeof v === "string" ? v.split(",").map((glob) => glob.trim()) : v;

export const NETWORK_OPTIONS = {
  architecture: z
    .preprocess(readArchitecture, z.custom<NetworkName | LayerList | ModelFile>(isArchitecture, ARCHITECTURE))
    .default(NETWORK_NAMES[0]!)
    .meta(
      about(
        "<name|file>",
        `the network (${NETWORK_NAMES.join(" | ")}), or a file of layers (.json, .yaml; see below)`,
      ),
    ),
  model: path()
    .optional()
    .meta(about("<file>", "an ONNX model as the network, with its own weights, in place of an architecture")),
  head: z
    .preprocess(readHead, z.custom<HeadOption>(isHead, { error: "a whole number >= 1, or auto" }))
    .optional()
    .meta(
      about(
        "<n>",
        "a new last layer of the model, drawn, with so many outputs; auto: as loss and classes want",
      ),
    ),
  blocks: z
    .preprocess(readGlobs, z.array(z.string(GLOBS).min(1, GLOBS), GLOBS).min(1, GLOBS).readonly())
    .optional()
    .meta(
      about(
        "<glob,...>",
        "only these blocks move: globs of names as natgrad model prints them, or layer1, layer2 and so on",
      ),
    ),
  n_layers: whole(1, 1000)
    .default(3)
    .meta(
      about(
        "<n>",
        "weight layers, L (blocks of a transformer); other networks than mlp have defaults of their own",
      ),
    ),
  width: whole(1)
    .default(4096)
    .meta(
      about(
        "<n>",
        "width of every hidden layer, M: channels of cnn, myrtle and (first group) resnet, features of a token",
      ),
    ),
  activation: choiceOrOwn(ACTIVATION_NAMES)
    .default(ACTIVATION_NAMES[0]!)
    .meta(
      about("<name|file>", "nonlinearity between the layers, or a module that exports yours as activation"),
    ),
  weight_variance: positive()
    .default(2)
    .meta(
      about(
        "<x>",
        "sigma_w^2: a weight has variance sigma_w^2 / fan-in; 2 keeps the size of signals under relu, tanh and its like want 1",
      ),
    ),
  bias_variance: notNegative()
    .default(0)
    .meta(about("<x>", "sigma_b^2: variance of a bias; 0 means no biases")),
  parameterization: choice(PARAMETERIZATIONS)
    .default("ntk")
    .meta(about("<name>", "how widths scale weights and learning rates")),
  prng: choice(PRNGS)
    .default("numpy")
    .meta(about("<name>", "initial weights as NumPy draws them, or as Neural Tangents under JAX")),
  random_seed: whole(0, 0xffffffff)
    .default(1)
    .meta(about("<n>", "seed of the initial weights, and of synthetic data without data_seed")),
};
