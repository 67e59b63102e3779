/**
 * @file Checks the options of an experiment, each by itself (config.ts) and beside the others (conflicts.ts), and makes a
 * configuration of them.
 */
import type { z } from "zod";
import { demand, InputError } from "../error.ts";
import { configSchema, defaultOf, OPTIONS, type Config, type ConfigOptions } from "./config.ts";
import { checkLayers, namedOf } from "./architecture/architecture.ts";
import { conflict, type Given } from "./conflicts.ts";
import { OWN_OPTIONS, takeOwn, type OwnOption } from "./own.ts";
import { shown } from "./shown.ts";

/**
 * Checks options given by name, as numbers, booleans and lists.
 * @throws InputError `name: wanted ..., got ...` for the first that is wrong, or that does not go with another.
 */
export const parseConfig = (options: ConfigOptions): Config => parseFlags(options);

/**
 * The same for options of any types: the text of a command line (`"64"`, `"true"`, `"3,8"`), or the contents of a file.
 * @throws InputError as {@link parseConfig} does.
 */
export function parseFlags(options: Readonly<Record<string, unknown>>): Config {
  demand(isRecord(options), "options", "an object of options by name", options);
  const { named, own } = takeOwn(options);
  const result = configSchema.safeParse(named);
  if (!result.success) throw new InputError(explain(result.error, options));
  const config: Config = result.data;
  for (const option of OWN_OPTIONS) {
    const name = own[option]?.value.name;
    if (name === undefined) continue;
    config[option] = name;
    config.own = own;
  }
  const given: Given = (name) => (own[name as OwnOption] ?? named[name]) !== undefined;
  setByArchitecture(config, given);
  const problem = conflict(config, given);
  if (problem !== undefined) throw new InputError(problem);
  // Naming classes says how many there are.
  if (config.target_classes) config.n_classes = config.target_classes.length;
  // A file names its classes: any number that is given must be theirs.
  else if (config.dataset_path !== undefined && !given("n_classes")) config.n_classes = 0;
  return config;
}

/** Sizes that a network has by default, and its analytic kernel; the layers of a list are checked, and a model takes their place. */
function setByArchitecture(config: Config, given: Given): void {
  // What was given beside it is refused below.
  if (config.model !== undefined && !given("architecture")) config.architecture = { model: config.model };
  const named = namedOf(config);
  if (!named) return checkLayers(config);
  if (!given("n_layers")) config.n_layers = named.n_layers;
  if (!given("width")) config.width = named.width;
  if (!given("activation") && named.activation !== undefined) config.activation = named.activation;
  // Of other networks it is known when they are made.
  if (config.architecture === defaultOf("architecture") && config.kernel === "auto" && !config.blocks)
    config.kernel = "analytic";
}

/** Whether a value is an object with options by name. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Checks that a configuration came from {@link parseConfig}.
 * @throws InputError when it is no configuration, or lacks an option that every configuration has.
 */
export function demandConfig(config: unknown): void {
  const what = "config";
  demand(isRecord(config), what, "what parseConfig returns", config);
  const missing = OPTIONS.find((name) => defaultOf(name) !== undefined && config[name] === undefined);
  if (missing !== undefined) {
    throw new InputError(`${what}: wanted what parseConfig returns, got an object without ${missing}`);
  }
}

/** The first fault in one line. */
function explain(error: z.ZodError, options: Readonly<Record<string, unknown>>): string {
  const issue = error.issues[0]!;
  if (issue.code === "unrecognized_keys") {
    return `${issue.keys[0]}: wanted one of the options of natgrad train, got an unknown name`;
  }
  const name = String(issue.path[0]);
  return `${name}: wanted ${issue.message}, got ${shown(options[name])}`;
}
