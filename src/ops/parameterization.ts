/**
 * @file Parameterisations of a dense layer u = a h W^T + a_b b: the multipliers a of the forward pass and the standard
 * deviations s of the initial parameters. All weights share one learning rate; what another convention writes as a
 * learning rate per layer is here a multiplier (Yang & Hu, arXiv 2011.14522: a, b and c are redundant).
 *
 * - `ntk` (Jacot et al., arXiv 1806.07572): a = sigma_w / sqrt(fan-in), s = 1. The kernel has a limit.
 * - `standard`: a = 1, s = sigma_w / sqrt(fan-in). The same function at the start; the kernel grows with the width.
 * - `mup`, maximal update: every layer learns features in the limit. Input: a = sqrt(M), s = sigma_w / sqrt(M_0 M);
 *   hidden: a = 1, s = sigma_w / sqrt(M); output: a = 1 / sqrt(M), s = sigma_w / sqrt(M). Natural gradients without
 *   damping do not see the multipliers of a layer. K-FAC's factors then have widths as scales, the eigenvalues of A
 *   and B being of order (M, 1/M), (M, 1/M) and (1, 1), and its damping is multiplied by them (Ishikawa & Karakida,
 *   arXiv 2312.12226: constant learning rates; rho_A and rho_B scaled with the width).
 */

import { demand, demandName } from "../error.ts";

/** Names of the parameterisations. */
export const PARAMETERIZATIONS = ["ntk", "standard", "mup"] as const;

/** A parameterisation. */
export type Parameterization = (typeof PARAMETERIZATIONS)[number];

/** Where a layer stands: widths count only inside the network. */
export type Role = (typeof ROLES)[number];

/** Names of the places. */
export const ROLES = ["input", "hidden", "output", "only"] as const;

/** Multipliers and initial standard deviations of a layer. */
export type LayerScales = {
  /** a. */
  readonly weight: number;
  /** a_b. */
  readonly bias: number;
  /** s of the weights. */
  readonly weightStd: number;
  /** s of the biases. */
  readonly biasStd: number;
  /** Orders of the eigenvalues of A_l and B_l, where K-FAC's damping follows them instead of pi. */
  readonly damping?: { readonly inputs: number; readonly signals: number };
};

/** The scales of a layer of the given sizes. */
export function layerScales(
  parameterization: Parameterization,
  role: Role,
  sizes: { fanIn: number; fanOut: number; weightVariance: number; biasVariance: number },
): LayerScales {
  const { fanIn, fanOut, weightVariance, biasVariance } = sizes;
  const sigmaW = Math.sqrt(weightVariance);
  const sigmaB = Math.sqrt(biasVariance);
  if (parameterization === "ntk") {
    return { weight: sigmaW / Math.sqrt(fanIn), bias: sigmaB, weightStd: 1, biasStd: 1 };
  }
  const standard = { weight: 1, bias: 1, weightStd: sigmaW / Math.sqrt(fanIn), biasStd: sigmaB };
  if (parameterization === "standard" || role === "only") return standard;

  const root = Math.sqrt(fanOut);
  switch (role) {
    case "input":
      return {
        weight: root,
        bias: root,
        weightStd: standard.weightStd / root,
        biasStd: sigmaB / root,
        damping: { inputs: fanOut, signals: 1 / fanOut },
      };
    case "hidden":
      return {
        ...standard,
        bias: root,
        biasStd: sigmaB / root,
        damping: { inputs: fanIn, signals: 1 / fanOut },
      };
    case "output":
      return { ...standard, weight: 1 / Math.sqrt(fanIn), damping: { inputs: 1, signals: 1 } };
  }
}

/** Options of layers with weights: variances of the effective weights (times the fan-in) and biases. */
export type WeightOptions = {
  /** sigma_w^2. */
  weightVariance?: number;
  /** sigma_b^2; zero means no biases. */
  biasVariance?: number;
  parameterization?: Parameterization;
  /** Where the layer stands; only `mup` needs it. */
  role?: Role;
};

/**
 * Whether a layer of these options has biases, and its scales by sizes.
 * @throws InputError for a variance, a parameterisation or a role that is none.
 */
export function readWeightOptions(options: WeightOptions): {
  hasBias: boolean;
  scalesFor(fanIn: number, fanOut: number): LayerScales;
} {
  const { weightVariance = 2, biasVariance = 0, parameterization = "ntk", role = "hidden" } = options;
  const positive = weightVariance > 0 && Number.isFinite(weightVariance);
  demand(positive, "weightVariance", "a positive number", weightVariance);
  demand(biasVariance >= 0 && Number.isFinite(biasVariance), "biasVariance", "a number >= 0", biasVariance);
  demandName("parameterization", PARAMETERIZATIONS, parameterization);
  demandName("role", ROLES, role);
  return {
    hasBias: biasVariance > 0,
    scalesFor: (fanIn, fanOut) =>
      layerScales(parameterization, role, { fanIn, fanOut, weightVariance, biasVariance }),
  };
}
