/**
 * @file A fully connected layer (paper, eq. 1),
 *
 *     u = a h W^T + a_b b,
 *
 * in the NTK parameterisation a = sigma_w / sqrt(M_in), a_b = sigma_b and W, b of unit variance (Jacot et al., arXiv
 * 1806.07572); others are in parameterization.ts. With H = [a h, a_b] and theta = [W, b] [M_out, M_in + 1] this is
 * u = H theta^T, so a row of its Jacobian is delta (x) H, and its Grams are A = H H^T and B = Delta Delta^T.
 */
import { agree, demandName, InputError } from "../error.ts";
import { appendColumn, firstColumns, gemm, scaleBy } from "../engine/ops.ts";
import { only, type Op, type Shape } from "./op.ts";
import {
  layerScales,
  PARAMETERIZATIONS,
  ROLES,
  type Parameterization,
  type Role,
} from "./parameterization.ts";

/** Options of {@link dense}: variances of the effective weights (times the fan-in) and biases. */
export type DenseOptions = {
  /** sigma_w^2. */
  weightVariance?: number;
  /** sigma_b^2; zero means no biases. */
  biasVariance?: number;
  parameterization?: Parameterization;
  /** Where the layer stands; only `mup` needs it. */
  role?: Role;
};

/**
 * A dense layer with `width` outputs.
 * @throws InputError for a width, a variance, a parameterisation or a role that is none.
 * @example
 * import { dense, relu, serial } from "natgrad";
 *
 * const options = { weightVariance: 2, biasVariance: 0.1 };
 * const network = serial(8, dense(256, options), relu(), dense(1, options));
 * console.log(network.blocks.length); // 2
 */
export function dense(width: number, options: DenseOptions = {}): Op {
  const { weightVariance = 2, biasVariance = 0, parameterization = "ntk", role = "hidden" } = options;
  if (!Number.isInteger(width) || width < 1) {
    throw new InputError(`width: wanted a positive integer, got ${width}`);
  }
  if (!(weightVariance > 0 && Number.isFinite(weightVariance))) {
    throw new InputError(`weightVariance: wanted a positive number, got ${weightVariance}`);
  }
  if (!(biasVariance >= 0 && Number.isFinite(biasVariance))) {
    throw new InputError(`biasVariance: wanted a number >= 0, got ${biasVariance}`);
  }
  demandName("parameterization", PARAMETERIZATIONS, parameterization);
  demandName("role", ROLES, role);
  const hasBias = biasVariance > 0;
  const scalesFor = (fanIn: number) =>
    layerScales(parameterization, role, { fanIn, fanOut: width, weightVariance, biasVariance });

  const name = `dense(${width})`;
  const fanInOf = (inputs: readonly Shape[]): number => {
    const shape = only(name, inputs);
    agree(
      name,
      "values with one axis",
      `values with ${shape.length === 1 ? "one axis" : `${shape.length} axes`}`,
    );
    return shape[0]!;
  };

  return {
    name,
    shape(inputs) {
      fanInOf(inputs);
      return [width];
    },
    block(inputs) {
      const fanIn = fanInOf(inputs);
      return { fanIn, columns: fanIn + Number(hasBias), fanOut: width, scales: scalesFor(fanIn) };
    },

    forward(g, { inputs, shapes, weights }) {
      const { base, factors } = weights!;
      const { weight: a, bias } = scalesFor(shapes[0]![0]!);
      const scaled = scaleBy(g, inputs[0]!, a);
      const H = hasBias ? appendColumn(g, scaled, bias) : scaled;
      const wide = gemm(g, H, base, { transB: true });
      const output = factors
        ? gemm(g, gemm(g, H, factors.left, { transB: true }), factors.right, { plus: wide })
        : wide;
      return { output, kept: H };
    },

    backward(g, at, ct) {
      const { base, factors } = at.weights!;
      const shape = at.shapes[0]!;
      const fanIn = shape[0]!;
      const delta = at.matrix(ct, [width]);
      const plain = gemm(g, delta, base);
      const back = factors
        ? gemm(g, gemm(g, delta, factors.right, { transB: true }), factors.left, { plus: plain })
        : plain;
      const scaled = scaleBy(g, hasBias ? firstColumns(g, back, fanIn) : back, scalesFor(fanIn).weight);
      return [at.cotangent(scaled, shape)];
    },

    jacobian: (_g, at, ct) => ({ kind: "outer", H: at.first(at.kept!), D: ct }),

    infinite(inputs) {
      const fanIn = fanInOf(inputs);
      const { weight: a, bias, weightStd, biasStd } = scalesFor(fanIn);
      return {
        kind: "weights",
        // Weights have variance s^2, so h.h' / fan-in enters the outputs times (a s)^2 fan-in and H H^T times a^2 fan-in.
        gain: (a * weightStd) ** 2 * fanIn,
        offset: hasBias ? (bias * biasStd) ** 2 : 0,
        gramGain: a * a * fanIn,
        gramOffset: hasBias ? bias * bias : 0,
      };
    },
  };
}
