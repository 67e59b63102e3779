/**
 * @file The identity of a saved kernel: everything that its numbers depend on, and the words for it. A run accepts a saved
 * kernel only if its identity is that of the kernel which the run would compute; otherwise the first difference is named.
 *
 * In a file it is a flat JSON object in a uint8 array `identity`: in Python
 * `json.loads(numpy.load(path)["identity"].tobytes())`.
 */
import { basename } from "node:path";
import { z } from "zod";
import { className } from "../data/classes.ts";
import type { Dataset } from "../data/dataset.ts";
import { InputError } from "../error.ts";
import type { FloatArray } from "../engine/engine.ts";
import { factorsOf, type Weights } from "../jacobian/weights.ts";
import type { Network } from "../network/network.ts";
import { architectureName } from "./architecture/describe.ts";
import type { Config } from "./config.ts";
import { digest } from "./digest.ts";
import { isModel, readOf } from "./model/model-option.ts";
import type { Own } from "./own.ts";

/** The layout that natgrad writes and reads. */
const FORMAT = 1;

const rank = z.number().nullable();

const fields = z.object({
  format: z.literal(FORMAT),
  kernel: z.enum(["analytic", "empirical"]),
  /** Digests of the inputs [N, M] as the kernel sees them, and words for their source. */
  train_inputs_sha256: z.string(),
  test_inputs_sha256: z.string(),
  dataset: z.string(),
  classes: z.string(),
  data_seed: z.number().nullable(),
  forster_transform: z.string().nullable(),
  /** The network: its name, that of a file with a digest of its layers, or null for an mlp; a hidden width is `*` where the kernel is the same for all. */
  architecture: z.string().nullable().default(null),
  activation: z.string().nullable(),
  n_layers: z.number(),
  widths: z.string(),
  weight_variance: z.number(),
  bias_variance: z.number(),
  parameterization: z.string(),
  /** Empirical kernels: the precision that computed it, the digest of the initial weights and words for them. */
  precision: z.string().nullable(),
  weights_sha256: z.string().nullable(),
  initial_weights: z.string().nullable(),
  /** Analytic kernels with the signals of single units: the seed and the widths that those were drawn with. */
  units: z.string().nullable(),
  /** Bounds of the ranks of A_l and B_l, null where there is none. */
  input_ranks: z.array(rank),
  signal_ranks: z.array(rank),
});

const schema = fields.refine(({ n_layers, input_ranks, signal_ranks }) =>
  [input_ranks, signal_ranks].every(({ length }) => length === n_layers),
);

/** The identity of a saved kernel. */
export type KernelIdentity = Readonly<z.output<typeof schema>>;

/** The part of an identity that is known before the kernel is computed. */
export type KernelOrigin = Omit<KernelIdentity, "format" | "input_ranks" | "signal_ranks">;

/** What a kernel is made from. */
export type KernelSource = {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly network: Network;
  /** At the start of training. */
  readonly weights: Weights;
};

/**
 * The origin of a kernel of this run.
 * @param units whether single units are drawn for it, where it is analytic
 */
export function originOf(
  kernel: KernelIdentity["kernel"],
  { config, dataset, network, weights }: KernelSource,
  units: boolean,
): KernelOrigin {
  const empirical = kernel === "empirical";
  const { inputs, outputs, nodes, blocks: shapes } = network;
  const hidden = shapes.slice(0, -1).map(({ fanOut }) => fanOut);
  // The NTK parameterisation has one limit for all widths.
  const anyWidth = !empirical && config.parameterization === "ntk";
  const activations = new Set(nodes.filter(({ op }) => !op.block).map(({ op }) => op.name));
  return {
    kernel,
    train_inputs_sha256: digest([Float64Array.of(dataset.xTrain.rows), dataset.xTrain.data]),
    test_inputs_sha256: digest([Float64Array.of(dataset.xTest.rows), dataset.xTest.data]),
    dataset: config.dataset_path === undefined ? config.dataset : basename(config.dataset_path),
    classes: dataset.targetClasses.map(className).join(", ") || "none",
    data_seed: dataSeedOf(config) ?? null,
    forster_transform: config.forster_transform
      ? `${config.forster_transform_n_iters} iterations to ${config.forster_transform_tol}`
      : null,
    architecture: architectureOf(config),
    // Of a module its content counts: its name may stay when that changes.
    activation:
      [[...activations].join(", "), digestOf(config.own?.activation)].filter(Boolean).join(" ") || null,
    n_layers: shapes.length,
    widths: [inputs, ...hidden.map((width) => (anyWidth ? "*" : width)), outputs].join(" - "),
    weight_variance: config.weight_variance,
    bias_variance: config.bias_variance,
    parameterization: config.parameterization,
    precision: empirical ? config.precision : null,
    weights_sha256: empirical ? digest(weights.flatMap(numbersOf)) : null,
    initial_weights: !empirical
      ? null
      : isModel(config.architecture)
        ? `of the model${config.head === undefined ? "" : `, with a last layer of random_seed ${config.random_seed}`}`
        : config.init_weights_dir === undefined
          ? `of random_seed ${config.random_seed} (${config.prng})`
          : `of a folder ${basename(config.init_weights_dir)}`,
    units:
      empirical || !units ? null : `of random_seed ${config.random_seed} at widths ${hidden.join(" - ")}`,
  };
}

/** An architecture in words: layers of a file, and a model, with a digest of theirs; null for an mlp. */
function architectureOf({ architecture }: Pick<Config, "architecture">): string | null {
  if (typeof architecture === "string") return architecture === "mlp" ? null : architecture;
  if (isModel(architecture)) {
    return `${architectureName(architecture)} (model ${readOf(architecture).sha256.slice(0, 12)})`;
  }
  const sha256 = digest([new TextEncoder().encode(JSON.stringify(architecture.layers))]);
  return `${architectureName(architecture)} (layers ${sha256.slice(0, 12)})`;
}

const digestOf = (own: Own<unknown> | undefined): string =>
  own?.sha256 === undefined ? "" : `(module ${own.sha256.slice(0, 12)})`;

/** The seed that draws the data of a run; undefined where nothing is drawn. */
export const dataSeedOf = (config: Config): number | undefined =>
  config.data_seed ??
  (config.dataset === "synthetic" && config.dataset_path === undefined ? config.random_seed : undefined);

/** All numbers that the weights of a layer are made of. */
const numbersOf = (layer: Weights[number]): readonly FloatArray[] => {
  const { left, right } = factorsOf(layer);
  return [layer.base, left, right];
};

/** The array of an identity. */
export const encodeIdentity = (identity: KernelIdentity): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(identity, null, 1));

/** The identity of a kernel: its origin, and bounds of the ranks of its layers. */
export const identityOf = (
  origin: KernelOrigin,
  layers: readonly { readonly inputRank: number; readonly signalRank: number }[],
): KernelIdentity => {
  const bound = (rank: number) => (rank === Infinity ? null : rank);
  return {
    format: FORMAT,
    ...origin,
    input_ranks: layers.map(({ inputRank }) => bound(inputRank)),
    signal_ranks: layers.map(({ signalRank }) => bound(signalRank)),
  };
};

/**
 * The identity in an array of a file.
 * @throws InputError naming the file when there is none, or none that this natgrad knows.
 */
export function decodeIdentity(
  array: { readonly data: ArrayLike<number> } | undefined,
  path: string,
): KernelIdentity {
  if (!array) {
    throw new InputError(
      `kernel_path: wanted a kernel that says what it is of, got one of an earlier natgrad, which must be saved again (${path})`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(Uint8Array.from(array.data)));
  } catch {
    // Reported below.
  }
  const identity = schema.safeParse(json);
  if (identity.success) return identity.data;
  const { format } = (json ?? {}) as { format?: unknown };
  const got =
    format === undefined || format === FORMAT
      ? "one that cannot be read"
      : `format ${JSON.stringify(format)}`;
  throw new InputError(
    `kernel_path: wanted a kernel with an identity of format ${FORMAT}, got ${got} (${path})`,
  );
}

type Fact = keyof KernelOrigin;

const DATA: readonly Fact[] = ["dataset", "classes", "data_seed", "forster_transform"];

/** The facts that decide, in the order in which a difference is named; where others that say more differ too, those are named. */
const DECIDING: readonly (readonly [decides: Fact, words?: readonly Fact[]])[] = [
  ["train_inputs_sha256", DATA],
  ["test_inputs_sha256", DATA],
  ["architecture"],
  ["activation"],
  ["n_layers"],
  ["parameterization"],
  ["weight_variance"],
  ["bias_variance"],
  ["widths"],
  ["precision"],
  ["weights_sha256", ["initial_weights"]],
  ["units"],
];

/** The first difference between kernels in words; undefined where there is none. */
export function difference(
  wanted: KernelOrigin,
  got: KernelOrigin,
): { wanted: string; got: string } | undefined {
  for (const [decides, words = []] of DECIDING) {
    if (wanted[decides] === got[decides]) continue;
    const fact = words.find((word) => wanted[word] !== got[word]) ?? decides;
    return { wanted: inWords(fact, wanted), got: inWords(fact, got) };
  }
  return undefined;
}

/** A fact as `classes 3, 8`; a digest by its first digits. */
const inWords = (fact: Fact, origin: KernelOrigin): string => {
  const value = String(origin[fact] ?? "none");
  return `${fact.replaceAll("_", " ")} ${fact.endsWith("sha256") ? value.slice(0, 12) : value}`;
};
