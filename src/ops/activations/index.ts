/**
 * @file The table of activations. A new one is a formula in a file beside this and a line here.
 */
import { demandName } from "../../error.ts";
import type { Activation } from "../activation.ts";
import { RELU } from "../relu.ts";
import { ERF, GELU } from "./error-function.ts";
import { COS, EXP, RBF, SIN } from "./exponential.ts";
import { GELU_TANH, SIGMOID, SILU, SOFTPLUS, TANH } from "./logistic.ts";
import { ABS, LEAKY_RELU } from "./piecewise-linear.ts";
import { IDENTITY, SQUARE } from "./polynomial.ts";

/** Every activation; the first is the default. */
export const ACTIVATIONS: readonly Activation[] = [
  RELU,
  LEAKY_RELU,
  ABS,
  ERF,
  GELU,
  GELU_TANH,
  SILU,
  TANH,
  SIGMOID,
  SOFTPLUS,
  SIN,
  COS,
  EXP,
  RBF,
  IDENTITY,
  SQUARE,
];

/** Their names. */
export const ACTIVATION_NAMES: readonly string[] = ACTIVATIONS.map(({ name }) => name);

/**
 * The activation of a name.
 * @throws InputError where there is none.
 */
export function activationNamed(name: string): Activation {
  demandName("activation", ACTIVATION_NAMES, name);
  return ACTIVATIONS.find((phi) => phi.name === name)!;
}

export { hermite, polynomial } from "./polynomial.ts";
export { leakyRelu } from "./piecewise-linear.ts";
export { rbf } from "./exponential.ts";
