/**
 * @file Options that every long computation on the host takes.
 */
import type { Stoppable } from "../breathe.ts";
import type { Engine } from "./engine.ts";

/** What computes, and what ends it early. */
export type ComputeOptions = Stoppable & {
  /**
   * Computes the products of large float64 matrices, of which factorisations, solves and analytic kernels are made, on the CPU with
   * its threads; any engine will do. Default: none, so that they are plain loops, many times slower from some hundreds of rows on.
   */
  readonly engine?: Engine | undefined;
};
