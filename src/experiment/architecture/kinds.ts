/**
 * @file The layers that a file may name: what each takes, and the layer that it makes. A new one is an entry here.
 */
import { z } from "zod";
import { ACTIVATION_NAMES, activationNamed } from "../../ops/activations/index.ts";
import { activation } from "../../ops/activation.ts";
import { conv } from "../../ops/conv.ts";
import { dense } from "../../ops/dense.ts";
import { embedding } from "../../ops/embedding.ts";
import { flatten } from "../../ops/flatten.ts";
import { globalAveragePool, globalMaxPool, globalSumPool } from "../../ops/global-pool.ts";
import { groupNorm, instanceNorm } from "../../ops/group-norm.ts";
import { layerNorm, rmsNorm } from "../../ops/layer-norm.ts";
import { gain, shift } from "../../ops/parameter.ts";
import type { WeightOptions } from "../../ops/parameterization.ts";
import { averagePool, maxPool, sumPool } from "../../ops/pool.ts";
import { softmax } from "../../ops/softmax.ts";
import { attention } from "../../network/attention.ts";
import { reshape } from "../../ops/reshape.ts";
import { transpose } from "../../ops/transpose.ts";
import type { Layer } from "../../network/layers.ts";
import { choice, flag, notNegative, positive, whole } from "../options/values.ts";

/** What a layer finds beside its own options. */
export type Surroundings = {
  /** Variances and parameterisation of layers with weights, where they say none, and their place. */
  weights(): WeightOptions;
  /** Outputs of a dense layer that says none. */
  readonly outputs: number;
};

/** A kind of layers. */
export type Kind<Options = unknown> = {
  /** Options by name. */
  readonly options: Readonly<Record<string, z.ZodType>>;
  /** The option that a number, a list or a text alone stands for. */
  readonly main?: string;
  readonly build: (options: Options, around: Surroundings) => Layer;
};

const kind = <Shape extends Record<string, z.ZodType>>(
  options: Shape,
  build: (options: z.output<z.ZodObject<Shape>>, around: Surroundings) => Layer,
  main?: keyof Shape & string,
): Kind => ({ options, build: build as Kind["build"], ...(main === undefined ? {} : { main }) });

/** A whole number, or a list of them, one for each axis. */
const sizes = () => {
  const error = { error: "a whole number >= 1, or a list of them" };
  const size = z.number(error).int(error).min(1, error);
  return z.union([size, z.array(size, error).min(1, error).readonly()], error);
};

const axes = (least: number) => {
  const error = { error: `a list of whole numbers >= ${least}` };
  return z.array(z.number(error).int(error).min(least, error), error).min(1, error);
};

const WEIGHTS = { weight_variance: positive().optional(), bias_variance: notNegative().optional() };

const AFFINE = { epsilon: positive().optional(), gain: flag().optional(), shift: flag().optional() };

const WINDOWS = {
  size: sizes(),
  stride: sizes().optional(),
  dilation: sizes().optional(),
  padding: choice(["same", "valid", "circular"]).optional(),
};

/** Options that are left out are left out: `undefined` is no value of the library's. */
type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };
const given = <T extends object>(options: T): Given<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<T>;

/** The options of a layer's weights. */
const weightsOf = (
  options: { weight_variance?: number | undefined; bias_variance?: number | undefined },
  around: Surroundings,
): WeightOptions => ({
  ...around.weights(),
  ...given({ weightVariance: options.weight_variance, biasVariance: options.bias_variance }),
});

const windowsOf = ({ stride, dilation, padding }: { [N in "stride" | "dilation" | "padding"]?: unknown }) =>
  given({ stride, dilation, padding }) as object;

/** Every kind by name, but for those that hold other layers. */
export const KINDS: Readonly<Record<string, Kind>> = {
  dense: kind(
    { width: whole(1).optional(), ...WEIGHTS },
    ({ width, ...weights }, around) => dense(width ?? around.outputs, weightsOf(weights, around)),
    "width",
  ),
  conv: kind(
    { channels: whole(1), ...WINDOWS, groups: whole(1).optional(), ...WEIGHTS },
    ({ channels, size, groups, ...rest }, around) =>
      conv(channels, size, { ...weightsOf(rest, around), ...windowsOf(rest), ...given({ groups }) }),
  ),
  average_pool: kind(
    { ...WINDOWS, count_padding: flag().optional() },
    ({ size, count_padding: countPadding, ...rest }) =>
      averagePool(size, { ...windowsOf(rest), ...given({ countPadding }) }),
    "size",
  ),
  sum_pool: kind(WINDOWS, ({ size, ...rest }) => sumPool(size, windowsOf(rest)), "size"),
  max_pool: kind(WINDOWS, ({ size, ...rest }) => maxPool(size, windowsOf(rest)), "size"),
  layer_norm: kind({ axes: whole(1).optional(), ...AFFINE }, (options) => layerNorm(given(options)), "axes"),
  rms_norm: kind({ axes: whole(1).optional(), ...AFFINE }, (options) => rmsNorm(given(options)), "axes"),
  group_norm: kind(
    { groups: whole(1), ...AFFINE },
    ({ groups, ...options }) => groupNorm(groups, given(options)),
    "groups",
  ),
  instance_norm: kind(AFFINE, (options) => instanceNorm(given(options))),
  attention: kind(
    { heads: whole(1).optional(), width: whole(1).optional(), causal: flag().optional(), ...WEIGHTS },
    ({ heads, width, causal, ...weights }, around) =>
      attention({ ...weightsOf(weights, around), ...given({ heads, width, causal }) }),
    "heads",
  ),
  embedding: kind(
    { vocabulary: whole(1), width: whole(1), deviation: notNegative().optional() },
    ({ vocabulary, width, deviation }) => embedding(vocabulary, width, given({ deviation })),
  ),
  shift: kind(
    { shape: axes(1), deviation: notNegative().optional() },
    ({ shape, deviation }) => shift(shape, given({ deviation })),
    "shape",
  ),
  gain: kind(
    { shape: axes(1), deviation: notNegative().optional() },
    ({ shape, deviation }) => gain(shape, given({ deviation })),
    "shape",
  ),
  softmax: kind({}, () => softmax()),
  global_average_pool: kind({}, globalAveragePool),
  global_sum_pool: kind({}, globalSumPool),
  global_max_pool: kind({}, globalMaxPool),
  flatten: kind({}, flatten),
  reshape: kind({ shape: axes(1) }, ({ shape }) => reshape(...shape), "shape"),
  transpose: kind({ order: axes(0) }, ({ order }) => transpose(...order), "order"),
  ...Object.fromEntries(
    ACTIVATION_NAMES.map((name) => [name, kind({}, () => activation(activationNamed(name)))]),
  ),
};
