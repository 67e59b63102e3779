/**
 * @file Prediction beyond the mean: the law of the outputs f' of infinitely wide networks on test points, over all random
 * initialisations, when each is trained by gradient flow on a squared error (Lee et al., arXiv 1902.06720, eqs. 14-16). It
 * is Gaussian. With K the NNGP kernel, Theta the NTK (neither normalised by N; one prime per test side) and time s = eta t,
 *
 *     D = Theta' Theta^-1 (1 - exp(-Theta s / N)),
 *     mean = D y,     covariance = K'' - D K'^T - K' D^T + D K D^T,
 *
 * when all layers are trained (`ntk`). When only the last one is (`nngp`), Theta = K, and at s = Infinity it is the
 * posterior of a Gaussian process with covariance K (Neal 1994; Lee et al., arXiv 1711.00165). The exponent is that of
 * gradient-flow.ts: divided by N, whatever the number of outputs.
 */
import type { ComputeOptions } from "../engine/compute.ts";
import { InputError, agree, demand, demandName } from "../error.ts";
import { blocksOf, checkKernel, type Kernel } from "../kernel/kernel.ts";
import { factorize } from "../linalg/cholesky.ts";
import { eigen, roundingOf, type Eigen } from "../linalg/eigen.ts";
import { addDiagonal, map, scale, transpose, type Matrix } from "../linalg/matrix.ts";
import { accumulate, product } from "../linalg/product.ts";

/** Which layers are trained: all of them, or the last alone. */
export type PosteriorKind = "ntk" | "nngp";

/** The analytic kernels of one network on two sets of samples: N training and N' test samples. */
export type PosteriorKernels = {
  /** [N, N]. */
  readonly train: Kernel;
  /** Rows of test samples, columns of training samples, [N', N]. */
  readonly test: Kernel;
  /** [N', N']. */
  readonly testTest: Kernel;
};

/** A Gaussian law of the outputs on the test samples; outputs are independent and alike but for their means. */
export type Posterior = {
  /** [N', C]. */
  readonly mean: Matrix;
  /** Covariance of one output [N', N']. */
  readonly covariance: Matrix;
};

/** Options of {@link createPosterior}. */
export type PosteriorOptions = ComputeOptions & {
  kind?: PosteriorKind;
  /**
   * Added to the diagonal of the training kernel that is inverted (not divided by N): a weight decay towards the
   * initial weights for `ntk`; the variance of the noise of the labels for `nngp`, whose draws count in the covariance.
   */
  regularisation?: number;
};

/** The law at a time of training. */
export type PosteriorAt = {
  /**
   * @param time learning rate times steps: 0 is the prior, Infinity convergence
   * @throws SingularGramError at Infinity when the training kernel has no numerical inverse; finite times need none.
   */
  at(time: number): Promise<Posterior>;
};

/**
 * The law of the outputs on test samples of networks trained on labels `y` [N, C], for networks in the NTK
 * parameterisation (there the inputs' Gram of the last layer is the NNGP kernel).
 * @throws InputError for kernels of several outputs, whose outputs are not independent: analytic kernels cover one.
 */
export async function createPosterior(
  kernels: PosteriorKernels,
  y: Matrix,
  { kind = "ntk", regularisation = 0, ...computing }: PosteriorOptions = {},
): Promise<PosteriorAt> {
  const { cols: N, outputs, epsilon } = kernels.train;
  demandName("kind", ["ntk", "nngp"] satisfies PosteriorKind[], kind);
  demand(
    Number.isFinite(regularisation) && regularisation >= 0,
    "regularisation",
    "a finite number >= 0",
    regularisation,
  );
  if (outputs !== 1) throw new InputError(`posterior: wanted kernels of one output, got ${outputs} outputs`);
  checkKernel(kernels.train);
  checkKernel(kernels.test, kernels.train);
  agree("labels", `${N} rows`, `${y.rows} rows`);
  const trained = kind === "ntk" ? ntk : nngp;
  const theta = addDiagonal(scale(await trained(kernels.train), 1), regularisation);
  const thetaTest = await trained(kernels.test);
  const K = await nngp(kernels.train);
  const [KTest, KTestTest] = [await nngp(kernels.test), await nngp(kernels.testTest)];
  const middle = kind === "nngp" ? addDiagonal(scale(K, 1), regularisation) : K;
  let basis: Promise<Eigen> | undefined;

  /** D [N', N]. */
  const response = async (time: number): Promise<Matrix> => {
    if (time === Infinity) {
      const { solveMatrix } = await factorize(theta, {
        ...computing,
        what: `posterior: training kernel (${kind})`,
        epsilon,
      });
      return transpose(await solveMatrix(transpose(thetaTest)));
    }
    const { values, vectors } = await (basis ??= eigen(theta, computing));
    // Where an eigenvalue is rounding nothing moves at any time: Theta' vanishes on the null space of Theta.
    const rounding = roundingOf(values, epsilon);
    const weights = values.map((value) => (value > rounding ? -Math.expm1((-value * time) / N) / value : 0));
    const modes = map(await product(thetaTest, vectors, computing), (x, i) => x * weights[i % N]!);
    return product(modes, vectors, { ...computing, transB: true });
  };

  return {
    async at(time) {
      if (!(time >= 0)) throw new InputError(`posterior time: wanted a number >= 0, got ${time}`);
      const D = await response(time);
      // K'' - D R^T - R D^T with R = K' - D K / 2 is K'' - D K'^T - K' D^T + D K D^T.
      const R = scale(KTest, 1);
      await accumulate(R, -1, D, scale(middle, 1 / 2), computing);
      const DR = await product(D, R, { ...computing, transB: true });
      const n = DR.rows;
      const covariance = map(
        KTestTest,
        (k, i) => k - DR.data[i]! - DR.data[(i % n) * n + Math.floor(i / n)]!,
      );
      return { mean: await product(D, y, computing), covariance };
    },
  };
}

/** The NNGP kernel of a network in the NTK parameterisation: the inputs' Gram of its last layer. */
const nngp = async (kernel: Kernel): Promise<Matrix> => (await blocksOf(kernel).at(-1)!.factors()).A;

const ntk = (kernel: Kernel): Promise<Matrix> => kernel.matrix({ shared: true });

/** Standard deviation of an output on each test sample [N']; rounding below zero counts as zero. */
export function deviations({ covariance: { rows, cols, data } }: Posterior): Float64Array {
  agree("covariance", `${rows} columns`, `${cols} columns`);
  return Float64Array.from({ length: rows }, (_, n) => Math.sqrt(Math.max(0, data[n * (cols + 1)]!)));
}
