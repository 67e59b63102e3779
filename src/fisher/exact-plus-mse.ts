/**
 * @file Exact NGD for cross-entropy in two solves (paper, appendix D): Newton's step in the outputs, (Lambda + rho)^-1 r,
 * and then the step of a mean squared error towards it, Theta^-1. Where both inverses exist and rho = 0 it is exact NGD,
 * because (J^T Lambda J)^-1 J^T r = J^T Theta^-1 Lambda^-1 r. The damping is on Lambda alone.
 */
import { exact } from "./exact.ts";
import type { Fisher } from "./fisher.ts";

export const exactPlusMse: Fisher = {
  ...exact,
  name: "exact_plus_mse",
  title: "exact NGD for cross-entropy as Newton's step in the outputs and a squared-error step to it",
  curvature: "newton",
};
