/**
 * @file What can be refused before any work: networks and Grams that cannot fit into memory, and places for files that
 * cannot be written.
 */
import { errorCode, tryFolder } from "../data/node/files.ts";
import { InputError } from "../error.ts";
import { shown, type Config } from "../experiment/config.ts";

/**
 * Checks a configuration against this machine.
 * @throws InputError naming the option and the figure.
 */
export async function preflight(config: Config, available = process.availableMemory()): Promise<void> {
  checkMemory(config, available);
  await checkPlaces(config);
}

/**
 * Checks that files can be written where the configuration wants them.
 * @throws InputError naming the option and the folder.
 */
export async function checkPlaces(config: Config): Promise<void> {
  for (const name of ["dataset", "kernel", "init_weights"] as const) {
    if (config[`save_${name}`]) await checkPlace(`save_${name}_dir`, config[`save_${name}_dir`]);
  }
}

/** Bytes that a run holds at the very least: its weights, and its Grams in float64. */
export function leastBytes(config: Config): { weights: number; grams: number } {
  const { width: M, n_layers: L, train_size: N, n_classes } = config;
  const inputs = config.dataset_path !== undefined ? 1 : config.dataset === "synthetic" ? 32 : 784;
  const bias = Number(config.bias_variance > 0);
  const C = n_classes === 2 ? 1 : n_classes;
  const numbers =
    L === 1 ? (inputs + bias) * C : (inputs + bias) * M + (L - 2) * (M + bias) * M + (M + bias) * C;
  return {
    weights: numbers * (config.precision === "float64" ? 8 : 4),
    // A_l and B_l of the kernel that predicts, and of the network.
    grams: 8 * L * (3 * N ** 2 + (C * N) ** 2),
  };
}

function checkMemory(config: Config, available: number): void {
  const { weights, grams } = leastBytes(config);
  if (weights + grams <= available) return;
  const [name, what, bytes] =
    weights > grams ? (["width", "weights", weights] as const) : (["train_size", "Grams", grams] as const);
  throw new InputError(
    `${name}: wanted ${what} that fit into ${gibibytes(available)} of free memory, ` +
      `got ${gibibytes(bytes)} at ${name} ${config[name]}`,
  );
}

const gibibytes = (bytes: number): string => `${Number((bytes / 2 ** 30).toPrecision(3))} GiB`;

/** A folder that can be written, or made. */
async function checkPlace(option: string, folder: string): Promise<void> {
  try {
    await tryFolder(folder);
  } catch (error) {
    throw new InputError(
      `${option}: wanted a folder that can be written, got ${shown(folder)} (${errorCode(error)})`,
    );
  }
}
