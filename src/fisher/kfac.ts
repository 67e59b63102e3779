/**
 * @file K-FAC (Martens & Grosse, arXiv 1503.05671; paper, section 4.3), for any number of outputs: the block of a
 * layer is approximated by (H^T H / N) (x) (Delta^T Delta / N), each factor damped,
 *
 *     X_A = X(A_l, rho_A),  X_B = X(B_l, rho_B),  rho_A = sqrt(rho) pi,  rho_B = sqrt(rho) / pi,
 *     pi^2 = (tr A_l / M_in') / (tr B_l / M_out),  M_in' the columns of H_l: those of the weights, and the one of the bias,
 *     U_l = (X_B E X_A)^T Delta_l  with E[(n, c), n] = r_nc / N,
 *     G = (1/N) sum_l (B_l X_B) o ((A_l X_A) (x) 1 1^T),
 *
 * which tends to N (L - 1) + 1 times the identity: every layer but the last counts N, the last one 1.
 *
 * A Gram that the architecture makes singular (the N C x N C Gram of the C output signals; inputs with fewer
 * features than samples) is inverted on its range where there is no damping to speak of, which is the exact inverse of
 * the smaller, primal factor.
 */
import { breathe } from "../breathe.ts";
import { SingularGramError } from "../error.ts";
import type { BlockKernel } from "../kernel/block.ts";
import { blocksOf, type Kernel } from "../kernel/kernel.ts";
import { factorize } from "../linalg/cholesky.ts";
import type { InverseSolver } from "../linalg/linear-solver.ts";
import { addDiagonal, scale, trace, transpose, zeros, type Matrix } from "../linalg/matrix.ts";
import { pivotedCholesky } from "../linalg/pivoted-cholesky.ts";
import { product } from "../linalg/product.ts";
import { addTimes } from "../linalg/vector-product.ts";
import { inverseBytes, invertBytes, matrixBytes } from "./cost.ts";
import type { Coefficients, Fisher, InvertOptions, Propagator } from "./fisher.ts";
import { invert, offering, onTheRange } from "./invert.ts";
import { outerLayers, writtenCost, writtenKfacCost } from "./written-cost.ts";
import { writtenKfac, type DampingSplit, type KfacForm } from "./kfac-written.ts";
import { sumOf, writtenPropagator, type BlockUpdate } from "./written.ts";

/** K-FAC in one of its forms on blocks that act at several positions. */
const kfacOf = (form: KfacForm): Omit<Fisher, "title" | "needs"> => ({
  name: form.name,
  curvature: "folded",
  alpha: ({ samples, layers, chain = true }) => (chain ? samples * (layers - 1) + 1 : undefined),

  async prepare(kernel, damping, options = {}) {
    const { cols: N, outputs: C } = kernel;
    const { engine, signal } = options;
    const factors: (InvertedFactors | BlockUpdate)[] = [];
    for (const [l, layer] of blocksOf(kernel).entries()) {
      factors.push(await invertBlock(kernel, layer, l, damping, form, options));
    }
    return {
      async solve(residual) {
        const all: Coefficients[] = [];
        for (const inverse of factors) {
          await breathe(signal);
          if (typeof inverse === "function") {
            all.push({ kind: "whole", matrix: await inverse(residual) });
            continue;
          }
          const { XA, timesXB } = inverse;
          // K_l = X_B (E X_A): row (n, c) of E X_A is r_nc / N times row n of X_A.
          const scaled = zeros(N * C, N);
          for (let row = 0; row < N * C; row++) {
            const n = Math.floor(row / C);
            for (let m = 0; m < N; m++) {
              scaled.data[row * N + m] = (residual[row]! / N) * XA.data[n * N + m]!;
            }
          }
          all.push({ kind: "mixing", matrix: await timesXB(scaled) });
        }
        return all;
      },
      async onto(cross) {
        const G = zeros(cross.rows * cross.rowOutputs, N * C);
        const written: Propagator[] = [];
        for (const [l, layer] of blocksOf(cross).entries()) {
          const inverse = factors[l]!;
          if (typeof inverse === "function") {
            written.push(await writtenPropagator(layer, inverse, form.name));
            continue;
          }
          const { A, B } = await layer.factors();
          const { XA, timesXB } = inverse;
          const hatA = await product(A, XA, { engine, signal });
          const hatB = transpose(await timesXB(transpose(B)));
          const rowOutputs = hatB.rows / hatA.rows;
          for (let row = 0; row < G.rows; row++) {
            await breathe(signal);
            const a = Math.floor(row / rowOutputs) * N;
            for (let col = 0; col < N * C; col++) {
              const at = row * N * C + col;
              G.data[at]! += (hatB.data[at]! * hatA.data[a + Math.floor(col / C)]!) / N;
            }
          }
        }
        const outer: Propagator = (residual) => {
          const out = new Float64Array(G.rows);
          addTimes(out, 1, G, residual);
          return out;
        };
        if (written.length === 0) return outer;
        return sumOf(written.length === factors.length ? written : [outer, ...written]);
      },
    };
  },

  // X_A, and the factor of B or (where it is inverted on its range) two factors of its rank, which are not larger together.
  cost(sizes) {
    const { samples: N, outputs, layers, ...options } = sizes;
    const { length: L } = outerLayers(layers);
    const m = N * outputs;
    const [A, B] = [invertBytes(N, options), invertBytes(m, options)];
    const written = writtenCost(layers, writtenKfacCost(sizes, { ...form, eigenvectors: false }));
    const kept = written.kept + L * (matrixBytes(N) + Math.max(B.kept, 2 * matrixBytes(m)));
    const mixing = matrixBytes(m, N);
    return {
      prepare: {
        kept,
        peak:
          kept +
          Math.max(
            L > 0 ? Math.max(A.peak + inverseBytes(N), B.peak - B.kept, 4 * matrixBytes(m)) : 0,
            written.peak - written.kept,
          ),
      },
      solve: { kept: L * mixing + written.updates, peak: (L + 2) * mixing + written.updates },
      onto(rows) {
        const G = matrixBytes(rows.samples * rows.outputs, m);
        return { kept: G, peak: 5 * G + matrixBytes(rows.samples, N) };
      },
      operations: L * (N ** 3 + m ** 3 / 3 + 2 * m ** 2 * N) + written.operations,
    };
  },
});

export const kfac: Fisher = {
  ...kfacOf({ name: "kfac", expand: false }),
  title: "NGD with Kronecker-factored blocks (K-FAC)",
  needs: "kronecker",
};

export const kfacExpand: Fisher = {
  ...kfacOf({ name: "kfac_expand", expand: true }),
  title: "the same, with factors over all positions of convolutions and tokens (K-FAC expand)",
  needs: "positions",
};

/** X_A [N, N], whose rows are wanted one by one, and M [N C, k] to X_B M, for which a solve is enough. */
type InvertedFactors = { readonly XA: Matrix; readonly timesXB: (m: Matrix) => Promise<Matrix> };

/** The factors of a layer whose Jacobian has outer products, or what takes their place where it is kept as rows. */
const invertBlock = (
  kernel: Kernel,
  layer: BlockKernel,
  index: number,
  damping: number,
  form: KfacForm,
  options: InvertOptions,
): Promise<InvertedFactors | BlockUpdate> =>
  layer.written
    ? writtenKfac(kernel, layer, index, damping, splitOf(layer, damping), form, options)
    : invertFactors(kernel, layer, index, damping, form.name, options);

async function invertFactors(
  kernel: Kernel,
  layer: BlockKernel,
  index: number,
  damping: number,
  method: string,
  options: InvertOptions,
): Promise<InvertedFactors> {
  const name = `of layer ${index + 1}`;
  const factor = (gram: Matrix, maxRank: number, rho: number, what: string) =>
    dampedInverse(scale(gram, 1 / kernel.cols), rho, { what, maxRank, epsilon: kernel.epsilon }, options);
  const grams = await layer.factors();
  const traces = [trace(grams.A) / layer.columns, (kernel.copies * trace(grams.B)) / layer.fanOut] as const;
  const rho = splitOf(layer, damping)(...traces);
  const A = await factor(grams.A, layer.inputRank, rho.inputs, `${method}: inputs ${name}`);
  const B = await factor(grams.B, layer.signalRank, rho.signals, `${method}: signals ${name}`);
  return { XA: await A.inverse(), timesXB: B.solveMatrix };
}

/** rho_A and rho_B: sqrt(rho) times the scales of the parameterisation, or times pi and 1 / pi. */
const splitOf =
  ({ damping: scales }: BlockKernel, damping: number): DampingSplit =>
  (traceA, traceB) => {
    const root = Math.sqrt(damping);
    if (scales) return { inputs: root * scales.inputs, signals: root * scales.signals };
    // A layer without inputs or signals has nothing to balance; its Grams are then refused below or damped alike.
    const pi = traceA > 0 && traceB > 0 ? Math.sqrt(traceA / traceB) : 1;
    return { inputs: root * pi, signals: root * (1 / pi) };
  };

/** Damping below this share of the mean eigenvalue of a singular Gram is less than rounding in the dual. */
const TINY = 1e-6;

/** A factor of a layer. */
type Factor = { what: string; maxRank: number; epsilon: number };

/**
 * (K + rho I)^-1. Where the rank of K is bounded below its size and there is next to no damping, on the range of K alone,
 * which is all that it is applied to: with K = F F^T, F (F^T F + rho)^-1 (F^T F)^-1 F^T, the inverse on the primal side.
 */
async function dampedInverse(
  k: Matrix,
  rho: number,
  { what, maxRank, epsilon }: Factor,
  options: InvertOptions,
): Promise<Pick<InverseSolver, "solveMatrix" | "inverse">> {
  const dual = () => invert(addDiagonal(k, rho), { what, epsilon, maxRank }, options);
  if (maxRank >= k.rows || rho > (TINY * trace(k)) / k.rows) return dual();
  const {
    factor: F,
    rank,
    condition,
  } = await pivotedCholesky(k, maxRank, epsilon, {
    signal: options.signal,
  });
  if (rank < maxRank) {
    if (rho > 0 || options.singular === "least_norm") return dual();
    throw new SingularGramError({ what, size: k.rows, rank, condition, hasLeastNorm: true });
  }
  try {
    return await primalInverse(F, rho, what, epsilon, options);
  } catch (error) {
    if (onTheRange(error, options.singular)) return dual();
    throw offering(error);
  }
}

/** F (F^T F + rho)^-1 (F^T F)^-1 F^T. */
async function primalInverse(
  F: Matrix,
  rho: number,
  what: string,
  epsilon: number,
  { onInversion, engine, signal }: InvertOptions,
): Promise<Pick<InverseSolver, "solveMatrix" | "inverse">> {
  const size = F.cols;
  const computing = { engine, signal };
  const primal = await product(F, F, { ...computing, transA: true });
  const factor = await factorize(primal, { ...computing, what, epsilon });
  const plain = await factor.solveMatrix(transpose(F));
  const damped = await (
    await factorize(addDiagonal(primal, rho), { ...computing, what, epsilon })
  ).solveMatrix(plain);
  onInversion?.({ what, size, rank: size, condition: factor.condition({ scaled: false }), epsilon });
  return {
    solveMatrix: async (m) => product(F, await product(damped, m, computing), computing),
    inverse: () => product(F, damped, computing),
  };
}
