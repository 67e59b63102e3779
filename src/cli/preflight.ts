/**
 * @file Checks before any work that files can be written where the options want them.
 */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode, tryFolder } from "../data/node/files.ts";
import { InputError } from "../error.ts";
import { type Config } from "../experiment/config.ts";
import { shown } from "../experiment/shown.ts";

/**
 * Checks that files can be written where the configuration wants them.
 * @throws InputError naming the option and the folder.
 */
export async function checkPlaces(config: Config): Promise<void> {
  for (const name of ["dataset", "kernel", "init_weights"] as const) {
    if (config[`save_${name}`]) await checkPlace(`save_${name}_dir`, config[`save_${name}_dir`]);
  }
  const { save_model: file } = config;
  if (file === undefined) return;
  await checkPlace("save_model", dirname(file));
  const isFolder = await stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) throw new InputError(`save_model: wanted a file, got the folder ${shown(file)}`);
}

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
