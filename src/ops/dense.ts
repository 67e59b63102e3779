/**
 * @file A fully connected layer (paper, eq. 1),
 *
 *     u = a h W^T + a_b b,
 *
 * in the NTK parameterisation a = sigma_w / sqrt(M_in), a_b = sigma_b and W, b of unit variance (Jacot et al., arXiv
 * 1806.07572); others are in parameterization.ts. It acts on the last axis, at every position of the axes before it. With
 * H = [a h, a_b] and theta = [W, b] [M_out, M_in + 1] this is u = H theta^T, so a row of its Jacobian is delta (x) H, and its Grams are A = H H^T and B = Delta Delta^T.
 */
import { InputError } from "../error.ts";
import { appendColumn, firstColumns, reshape, scaleBy } from "../engine/ops.ts";
import { only, sizeOf, timesWeights, timesWeightsBack, type Op, type Shape } from "./op.ts";
import { readWeightOptions, type WeightOptions } from "./parameterization.ts";

/** Options of {@link dense}. */
export type DenseOptions = WeightOptions;

/**
 * A dense layer with `width` outputs: [..., M_in] to [..., width].
 * @throws InputError for a width, a variance, a parameterisation or a role that is none.
 * @example
 * import { dense, relu, serial } from "natgrad";
 *
 * const options = { weightVariance: 2, biasVariance: 0.1 };
 * const network = serial(8, dense(256, options), relu(), dense(1, options));
 * console.log(network.blocks.length); // 2
 */
export function dense(width: number, options: DenseOptions = {}): Op {
  if (!Number.isInteger(width) || width < 1) {
    throw new InputError(`width: wanted a positive integer, got ${width}`);
  }
  const { hasBias, scalesFor } = readWeightOptions(options);
  const name = `dense(${width})`;
  const fanInOf = (inputs: readonly Shape[]): number => only(name, inputs).at(-1)!;
  /** T: the numbers of all axes but the last. */
  const positionsAt = (shape: Shape): number => sizeOf(shape.slice(0, -1));

  return {
    name,
    shape: (inputs) => [...only(name, inputs).slice(0, -1), width],
    block(inputs) {
      const fanIn = fanInOf(inputs);
      const columns = fanIn + Number(hasBias);
      const scales = scalesFor(fanIn, width);
      return { fanIn, columns, fanOut: width, scales, positions: positionsAt(inputs[0]!) };
    },

    forward(g, { inputs, shapes, weights }) {
      const shape = shapes[0]!;
      const { weight: a, bias } = scalesFor(shape.at(-1)!, width);
      // Rows for all positions of all samples.
      const rows = shape.length === 1 ? inputs[0]! : reshape(g, inputs[0]!, -1, shape.at(-1)!);
      const scaled = scaleBy(g, rows, a);
      const H = hasBias ? appendColumn(g, scaled, bias) : scaled;
      const output = timesWeights(g, H, weights!);
      if (shape.length === 1) return { output, kept: H };
      return { output: reshape(g, output, -1, ...shape.slice(0, -1), width), kept: H };
    },

    backward(g, at, ct) {
      const shape = at.shapes[0]!;
      const fanIn = shape.at(-1)!;
      const delta = shape.length === 1 ? at.matrix(ct, [width]) : reshape(g, ct, -1, width);
      const back = timesWeightsBack(g, delta, at.weights!);
      const scaled = scaleBy(
        g,
        hasBias ? firstColumns(g, back, fanIn) : back,
        scalesFor(fanIn, width).weight,
      );
      return [at.cotangent(scaled, shape)];
    },

    jacobian(g, at, ct) {
      const shape = at.shapes[0]!;
      if (shape.length === 1) return { kind: "outer", H: at.first(at.kept!), D: ct };
      const T = positionsAt(shape);
      const columns = shape.at(-1)! + Number(hasBias);
      const axes = T === 1 ? [] : [T];
      return {
        kind: "outer",
        H: at.first(reshape(g, at.kept!, -1, ...axes, columns)),
        D: at.cotangent(reshape(g, ct, -1, ...axes, width), [...axes, width]),
      };
    },

    infinite(inputs) {
      const shape = only(name, inputs);
      if (shape.length > 1) {
        throw new InputError(
          `${name}: wanted values with one axis at infinite width, got ${shape.length} axes`,
        );
      }
      const fanIn = shape[0]!;
      const { weight: a, bias, weightStd, biasStd } = scalesFor(fanIn, width);
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
