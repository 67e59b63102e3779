/**
 * @file The tolerances of all tests: relative to the largest value of what is compared.
 */
export const TOLERANCE = {
  /** float64 against float64, through one solve of a well-conditioned system. */
  twin: 1e-10,
  /** float64 against a float64 peer. */
  peer: 1e-10,
  /** A ReLU kernel where a correlation is exactly +-1: arccos has a square-root singularity there. */
  parallel: 1e-7,
  /** The float32 engine against float64. */
  float32: 2e-5,
  /** Losses of the golden table while above `goldenFloor`. */
  golden: 1e-3,
  goldenFloor: 1e-6,
} as const;
