/**
 * @file What can be refused before any work: places for files that cannot be written.
 */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InputError } from "../error.ts";
import { shown, type Config } from "../experiment/config.ts";

/**
 * Checks that files can be written where the configuration wants them.
 * @throws InputError naming the option and the folder.
 */
export async function checkPlaces(config: Config): Promise<void> {
  for (const name of ["dataset", "kernel", "init_weights"] as const) {
    if (config[`save_${name}`]) await checkPlace(`save_${name}_dir`, config[`save_${name}_dir`]);
  }
}

/** A folder that can be written, or made in one that can. */
async function checkPlace(option: string, folder: string): Promise<void> {
  try {
    for (let place = resolve(folder); ; place = dirname(place)) {
      const found = await stat(place).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      });
      if (!found) continue;
      if (!found.isDirectory()) throw Object.assign(new Error(place), { code: "ENOTDIR" });
      return await access(place, constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new InputError(
      `${option}: wanted a folder that can be written, got ${shown(folder)} (${code ?? message})`,
    );
  }
}
