/**
 * @file The list of methods. A new one is a file beside this and a line here.
 */
import { blockDiagonal } from "./block-diagonal.ts";
import { blockTriDiagonal } from "./block-tri-diagonal.ts";
import { exact } from "./exact.ts";
import type { Fisher } from "./fisher.ts";
import { gradient } from "./gradient.ts";
import { kfac } from "./kfac.ts";

/** Every method by name; "gradient" is what the command line calls by leaving natural_gradient_type out. */
export const FISHERS: readonly Fisher[] = [gradient, exact, blockDiagonal, blockTriDiagonal, kfac];

export { blockDiagonal, blockTriDiagonal, exact, gradient, kfac };
export type { Coefficients, Fisher, Preconditioner, Shape } from "./fisher.ts";
