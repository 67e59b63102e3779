/**
 * @file Names of the files of a run: the dataset and its sizes, as in the paper's programs, then every option that the content
 * depends on and that differs from its default. Files of different content have different names, so that neither overwrites
 * the other.
 */
import { parse } from "node:path";
import { className, type ClassGroup } from "../data/classes.ts";
import type { Dataset } from "../data/dataset.ts";
import { defaultOf, type Config, type OptionName } from "./config.ts";
import type { Own } from "./own.ts";
import { digest } from "./digest.ts";
import { dataSeedOf, type KernelOrigin } from "./identity.ts";
import { isModel } from "./model/model-option.ts";

/** A part of a name; false or undefined for an option that has its default. */
type Part = string | false | undefined;

const joined = (...parts: readonly Part[]): string => parts.filter(Boolean).join("_");

/** The first digits of a digest, which are enough to tell the files of one user apart. */
const brief = (sha256: string): string => sha256.slice(0, 8);

/** A loss or activation of the user's own: its name, and the digest of the module that it is from. */
const ownPart = (own: Own<{ readonly name: string }> | undefined): Part =>
  own &&
  `${own.value.name.replaceAll(/[^\w.+-]/g, "-").slice(0, 60)}${own.sha256 === undefined ? "" : `-${brief(own.sha256)}`}`;

/** `2classes`, or `classes3-8` where they are not the first ones. */
function classesPart(classes: readonly ClassGroup[]): string {
  if (classes.every((group, c) => group === c)) return `${classes.length}classes`;
  const names = classes.map(className).join("-");
  // File systems have room for 255 letters.
  return names.length <= 60
    ? `classes${names}`
    : `${classes.length}classes-${brief(digest([new TextEncoder().encode(names)]))}`;
}

/** What a file of the data of a run is called, without its ending; data from a file needs the `origin` of its inputs. */
export function datasetName(
  config: Config,
  { xTrain, xTest, targetClasses }: Dataset,
  origin?: Pick<KernelOrigin, "train_inputs_sha256" | "test_inputs_sha256">,
): string {
  const {
    dataset_path: path,
    forster_transform_n_iters: iterations,
    forster_transform_tol: tolerance,
  } = config;
  const inputs = origin && digest([Buffer.from(origin.train_inputs_sha256 + origin.test_inputs_sha256)]);
  const seed = dataSeedOf(config);
  return joined(
    path === undefined
      ? config.dataset
      : parse(path)
          .name.replaceAll(/[^\w.+-]/g, "-")
          .slice(0, 60),
    path !== undefined && inputs && brief(inputs),
    `train${xTrain.rows}`,
    `test${xTest.rows}`,
    classesPart(targetClasses),
    // Labels of more classes are the same for every loss.
    targetClasses.length === 2 &&
      (ownPart(config.own?.loss_type) || (config.loss_type !== defaultOf("loss_type") && config.loss_type)),
    seed !== undefined &&
      (config.dataset !== "synthetic" || seed !== defaultOf("random_seed")) &&
      `data${seed}`,
    config.forster_transform && "forster",
    config.forster_transform &&
      iterations !== defaultOf("forster_transform_n_iters") &&
      `iterations${iterations}`,
    config.forster_transform && tolerance !== defaultOf("forster_transform_tol") && `tolerance${tolerance}`,
  );
}

/**
 * What the file of a kernel is called, without its ending.
 * @param signals whether the signals of its units are in it
 */
export function kernelName(config: Config, dataset: Dataset, origin: KernelOrigin, signals: boolean): string {
  const own = <Name extends OptionName>(name: Name, text: (value: Config[Name]) => string): Part =>
    config[name] !== defaultOf(name) && text(config[name]);
  const empirical = origin.kernel === "empirical";
  const drawn = empirical
    ? config.init_weights_dir === undefined && !isModel(config.architecture)
    : origin.units !== null;
  const isNamed = typeof config.architecture === "string";
  const sized = origin.units !== null || !origin.widths.includes("*");
  return joined(
    origin.kernel,
    datasetName(config, dataset, origin),
    origin.architecture !== null &&
      origin.architecture
        .replaceAll(/[^\w.+-]+/g, "-")
        .replace(/-$/, "")
        .slice(0, 80),
    isNamed && own("n_layers", (n) => `${n}layers`),
    isNamed && sized && config.n_layers > 1 && own("width", (width) => `width${width}`),
    ownPart(config.own?.activation) || (isNamed && own("activation", (name) => name)),
    own("weight_variance", (variance) => `weights${variance}`),
    own("bias_variance", (variance) => `biases${variance}`),
    own("parameterization", (name) => name),
    empirical && own("precision", (name) => name),
    empirical && drawn && own("prng", (name) => name),
    drawn && own("random_seed", (seed) => `seed${seed}`),
    empirical && !drawn && `from${brief(origin.weights_sha256 ?? "")}`,
    signals && "units",
  );
}
