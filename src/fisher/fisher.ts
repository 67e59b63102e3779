/**
 * @file What a Fisher approximation is. On N samples with C outputs, residual r [N C] and damping rho on the Fisher
 * matrix, F + rho I with F = J^T J / N, every method is a linear map from r to an update of rank N per layer,
 *
 *     dtheta_l = U_l^T H_l,    U_l = K_l^T Delta_l,    K_l [N C, N] linear in r,
 *
 * and so to a change of the outputs on any samples, G' r. One map decides both; the learning rate multiplies it.
 * X(K, rho) = (K / N + rho I)^-1 throughout.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import type { Kernel, KernelNeeds } from "../kernel/kernel.ts";
import type { CgOptions, CgResult, CgState } from "../linalg/conjugate-gradients.ts";
import type { Coefficients } from "../jacobian/update.ts";
import type { Cost, CostSizes } from "./cost.ts";
import type { Solver } from "./solver.ts";

export type { Coefficients };

/** A Fisher approximation bound to a training kernel and a damping. */
export type Prepared = {
  /** K_l of every layer for a residual r [N C]; one that is not in a list is that of all layers. */
  solve(residual: Float64Array): Promise<Coefficients | readonly Coefficients[]>;
  /**
   * The same update seen in function space, r to G' r, on the rows of `cross` [N' C, N C]. On the training kernel
   * itself it is G r.
   */
  onto(cross: Kernel): Promise<Propagator>;
};

/** r to G' r. */
export type Propagator = (residual: Float64Array) => Float64Array | Promise<Float64Array>;

/** A matrix that a method inverted: one Gram, or what it solves for all layers or units together. */
export type Inversion = {
  /** Which, in which method. */
  readonly what: string;
  /** Its size n (n x n). */
  readonly size: number;
  /** `size`, or less where the inverse is that of its numerical range. */
  readonly rank: number;
  /** An estimate of the condition that counts: a relative error of the entries reaches the step multiplied by it. */
  readonly condition: number;
  /** The relative error of the entries: machine epsilon of what computed them. */
  readonly epsilon: number;
};

/** What to do about a matrix without a numerical inverse. */
export const SINGULAR = ["refuse", "least_norm"] as const;

/**
 * "refuse": an error. "least_norm": the inverse on the numerical range, so that the step is F^+ J^T r / N, the shortest of
 * all that minimise the quadratic model of the loss; where there is an inverse the step is the same.
 */
export type Singular = (typeof SINGULAR)[number];

/** How a method inverts. */
export type InvertOptions = ComputeOptions & {
  /** Default: "refuse". */
  readonly singular?: Singular;
  /** Called with each inversion; conditions are estimated only where this is given. */
  readonly onInversion?: (inversion: Inversion) => void;
};

/** Options of a method that has more than one solver. */
export type SolverOptions = {
  /** Default: "gram". */
  readonly solver?: Solver;
  /** The rest is for "cg". Relative residual at which it ends, above 0 and below 1. Default: 1e-4. */
  readonly tolerance?: number;
  /** Products with Theta at most. Default: 200. */
  readonly maxIterations?: number;
  /** Rank of the preconditioner, a partial Cholesky factor of Theta; 0: none. Default: {@link defaultRank}. */
  readonly rank?: number;
  /** Where to go on. */
  readonly state?: CgState;
  /** Called after every iteration; stops there if it returns "stop". */
  readonly onIteration?: CgOptions["onIteration"];
  /** Called with the rank of the preconditioner so far. */
  readonly onRank?: (rank: number, of: number) => void;
  /** Called with how it ended. */
  readonly onEnd?: (report: SolveReport) => void;
};

/** Options of {@link Fisher.prepare}. */
export type PrepareOptions = InvertOptions & SolverOptions;

/** How conjugate gradients ended. */
export type SolveReport = Pick<CgResult, "iterations" | "relativeResidual" | "converged"> & {
  /** Rank of the preconditioner. */
  readonly rank: number;
};

/** Sizes on which the alpha of the theory depends. */
export type Shape = {
  /** N. */
  readonly samples: number;
  /** L. */
  readonly layers: number;
  /** Whether the network is a chain of dense layers on vectors, which is what the theory covers. Default: true. */
  readonly chain?: boolean;
  /** Which blocks are neighbours, where they are no chain. */
  readonly neighbours?: readonly (readonly number[])[];
  /** M. */
  readonly width: number;
  /** C. */
  readonly outputs: number;
  /**
   * K, numbers of the residual of one sample: fewer than C where the curvature of the loss has null directions. Default: C.
   */
  readonly columns?: number;
  /** gamma, the share of samples on which a hidden unit is active. Default: 1/2, as under ReLU. */
  readonly activeShare?: number;
};

/** A Fisher approximation. */
export type Fisher = {
  readonly name: string;
  /** One line for `--help` and reports. */
  readonly title: string;
  /**
   * What it needs of a kernel: Theta alone, of which it may form and keep no more than it needs; the Theta_l of layers or
   * their factors A_l and B_l; or the signals of single units. A kernel that has more will do too.
   */
  readonly needs: KernelNeeds;
  /**
   * What the curvature of a loss is to it: "folded" into the kernel and the residual that it is given; "none", where it is
   * given r alone; "newton", where the residual is Newton's step in the outputs, which takes the damping, and the Fisher
   * matrix then has none.
   */
  readonly curvature: "folded" | "none" | "newton";
  /** How it can solve its system, where there is a choice, the one by default first. */
  readonly solvers?: readonly Solver[];
  /** Its step follows the gradient itself, so that small steps are gradient flow, which has a closed form. */
  readonly continuous?: boolean;
  /**
   * The alpha of G = alpha I in the limit of wide networks and no damping (paper, section 4); the default learning
   * rate is its inverse. Undefined: the theory has none for this method or network.
   * @throws InputError when the method does not exist for that depth, unless `singular` is "least_norm".
   */
  alpha(shape: Shape, options?: Pick<InvertOptions, "singular">): number | undefined;
  /**
   * Factors what the method inverts. An aborted signal ends this, and later what it returns works on.
   * @throws SingularGramError when a Gram has no numerical inverse at this damping, unless `singular` is "least_norm"; the
   * solve UnsolvedError where conjugate gradients end without a solution.
   */
  prepare(kernel: Kernel, damping: number, options?: PrepareOptions): Promise<Prepared>;
  /** What `prepare` and what it returns take, from sizes alone. */
  cost(sizes: CostSizes): Cost;
};
