/**
 * @file The list of losses. A new one is a file beside this and a line here.
 */
import { demandName } from "../error.ts";
import { crossEntropy } from "./cross-entropy.ts";
import type { Loss } from "./loss.ts";
import { mse } from "./mse.ts";

export const LOSSES: readonly Loss[] = [mse, crossEntropy];

/** Their names. */
export const LOSS_NAMES: readonly string[] = LOSSES.map(({ name }) => name);

/** @throws InputError unless there is a loss of this name. */
export function lossNamed(name: string): Loss {
  demandName("loss_type", LOSS_NAMES, name);
  return LOSSES.find((loss) => loss.name === name)!;
}

export { crossEntropy, mse };
export { accuracy, residualColumns, type Loss } from "./loss.ts";
