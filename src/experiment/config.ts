/**
 * @file What an experiment is made of: the options of the paper's programs with their names and defaults, and natgrad's own
 * beside them. This schema is the one source for parsing, help and documentation; parse-config.ts checks options against it.
 */
import { z } from "zod";
import type { Fisher } from "../fisher/index.ts";
import type { Loss } from "../loss/index.ts";
import type { Activation } from "../ops/activation.ts";
import type { About } from "./options/about.ts";
import { DATA_OPTIONS } from "./options/data.ts";
import { NETWORK_OPTIONS } from "./options/network.ts";
import { TRAINING_OPTIONS } from "./options/training.ts";
import { PREDICTION_OPTIONS } from "./options/prediction.ts";
import { ENGINE_OPTIONS } from "./options/engine.ts";
import { FILES_OPTIONS } from "./options/files.ts";
import type { OwnOption, OwnParts } from "./own.ts";

/** Every option of an experiment. */
export const configSchema = z.strictObject({
  ...DATA_OPTIONS,
  ...NETWORK_OPTIONS,
  ...TRAINING_OPTIONS,
  ...PREDICTION_OPTIONS,
  ...ENGINE_OPTIONS,
  ...FILES_OPTIONS,
});

/**
 * A checked configuration. Until the data is there, a size that was asked for as `all` is Infinity, and the number of classes of
 * a file is 0.
 */
export type Config = z.output<typeof configSchema> & {
  /** Methods, losses and activations of the user's own, of which the options have the names. */
  own?: OwnParts;
};

/** The name of an option. */
export type OptionName = keyof z.output<typeof configSchema>;

/** Options of an experiment as a program gives them; an unknown name does not compile. */
export type ConfigOptions = Omit<z.input<typeof configSchema>, OwnOption> & {
  natural_gradient_type?: string | Fisher | undefined;
  loss_type?: string | Loss | undefined;
  activation?: string | Activation | undefined;
};

/** Names of the options, in the order of the schema. */
export const OPTIONS = Object.keys(configSchema.shape) as OptionName[];

/** What the help of the command line says of an option. */
export const aboutOption = (name: OptionName): About => configSchema.shape[name].meta() as About;

/** The value of an option that is left out. */
export const defaultOf = (name: OptionName): Config[OptionName] =>
  configSchema.shape[name].safeParse(undefined).data;
