/**
 * @file The list of losses. A new one is a file beside this and a line here.
 */
import { crossEntropy } from "./cross-entropy.ts";
import type { Loss } from "./loss.ts";
import { mse } from "./mse.ts";

export const LOSSES: readonly Loss[] = [mse, crossEntropy];

export { crossEntropy, mse };
export { accuracy, residualColumns, type Loss } from "./loss.ts";
