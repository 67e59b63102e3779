/**
 * @file Convolution in one or two dimensions (a cross-correlation, as everywhere in this field): for each position t of the output
 *
 *     u_t = a sum over j of W_j h_{t stride + j dilation - before} + a_b b,
 *
 * with a = sigma_w / sqrt(k_h k_w M_in / groups) in the NTK parameterisation. In terms of patches H [N, T, I], columns ordered
 * (k_h, k_w, M_in) with the bias last, it is u = H theta^T at each position, so a row of its Jacobian is the sum over t of
 * D[t] (x) H[t]. With groups output channel o sees the patches of its group alone: row o of its Jacobian is the sum over t of
 * D[t, o] H[t, group of o].
 *
 * Patches are gathered and multiplied (im2col), in every precision: they are what the Jacobian needs. The way back is the
 * transposed convolution, by gathered signals.
 */
import { demandWhole, InputError } from "../error.ts";
import type { Graph, Value } from "../engine/graph.ts";
import { appendColumn, firstColumns, reshape, scaleBy } from "../engine/ops.ts";
import {
  only,
  sizeOf,
  timesWeights,
  timesWeightsBack,
  type Op,
  type Shape,
  type WeightValues,
} from "./op.ts";
import { groupedBack, groupedForward, groupedRows, joinGroups, splitGroups } from "./conv-groups.ts";
import { readWeightOptions, type LayerScales, type WeightOptions } from "./parameterization.ts";
import { patches, patchesBack, transposedConvolution } from "./patches.ts";
import { positionClasses } from "./places.ts";
import { readWindows, sizeText, type Windows, type WindowOptions } from "./windows.ts";

/** Classes of positions, each of which costs a product, up to which the way back is a transposed convolution. */
const MOST_CLASSES = 16;

/** Options of {@link conv}. */
export type ConvOptions = WeightOptions &
  WindowOptions & {
    /** Into how many groups channels are divided, each convolved by itself. Default: 1. */
    groups?: number;
  };

/**
 * A convolution with so many output channels, on values [length, channels] or [height, width, channels]. `size` is that of the
 * kernel: a number for every axis, or a list. Stride and dilation default to 1, padding to "valid".
 * @throws InputError for channels, sizes, groups or options that are none; RangeError, when the network is made, for values that it
 * does not fit.
 * @example
 * import { dense, relu, serial } from "natgrad";
 * import { conv, globalAveragePool } from "natgrad/network";
 *
 * const options = { weightVariance: 2, biasVariance: 0.1 };
 * const network = serial(
 *   [32, 32, 3],
 *   conv(64, 3, { ...options, padding: "same" }),
 *   relu(),
 *   conv(64, 3, { ...options, padding: "same", stride: 2 }),
 *   relu(),
 *   globalAveragePool(),
 *   dense(10),
 * );
 * console.log(network.shapes[3]); // [ 16, 16, 64 ]
 */
export function conv(channels: number, size: number | readonly number[], options: ConvOptions = {}): Op {
  const name = `conv(${channels}, ${sizeText(size)})`;
  const { groups = 1 } = options;
  demandWhole("conv: channels", channels);
  demandWhole("conv: groups", groups);
  if (channels % groups !== 0) {
    throw new InputError(`conv: wanted channels in ${groups} equal groups, got ${channels}`);
  }
  const windowsOf = readWindows("conv", size, options);
  const { hasBias, scalesFor } = readWeightOptions(options);

  const planOf = (inputs: readonly Shape[]): Plan => {
    const shape = only(name, inputs);
    const windows = windowsOf(shape);
    const channelsIn = shape.at(-1)!;
    if (channelsIn % groups !== 0) {
      throw new RangeError(`${name}: wanted input channels in ${groups} equal groups, got ${channelsIn}`);
    }
    const perGroup = channelsIn / groups;
    const fanIn = windows.size * perGroup;
    const scales = scalesFor(fanIn, channels);
    return {
      windows,
      shape,
      perGroup,
      fanIn,
      columns: fanIn + Number(hasBias),
      scales,
      T: sizeOf(windows.positions),
      output: [...windows.positions, channels],
    };
  };

  /** H as rows [N T, I], or [N groups T, I]. */
  const rowsOf = (g: Graph, x: Value, plan: Plan): Value => {
    const { windows, perGroup, fanIn, scales } = plan;
    const pixels = splitGroups(g, scaleBy(g, x, scales.weight), windows.pixels, groups, perGroup);
    const rows = reshape(g, patches(g, pixels, windows), -1, fanIn);
    return hasBias ? appendColumn(g, rows, scales.bias) : rows;
  };

  return {
    name,
    shape: (inputs) => planOf(inputs).output,
    block(inputs) {
      const { fanIn, columns, scales, T } = planOf(inputs);
      const form = groups === 1 ? "outer" : "rows";
      return { fanIn, columns, fanOut: channels, scales, positions: T, form };
    },
    forward(g, { inputs, shapes, weights }) {
      const plan = planOf(shapes);
      const { T, columns, output } = plan;
      const rows = rowsOf(g, inputs[0]!, plan);
      if (groups > 1) return groupedForward(g, rows, weights!.base, output, { groups, T, columns });
      return {
        output: reshape(g, timesWeights(g, rows, weights!), -1, ...output),
        kept: T === 1 ? rows : reshape(g, rows, -1, T, columns),
      };
    },
    backward(g, at, ct) {
      const plan = planOf(at.shapes);
      const { windows, shape, fanIn, perGroup, scales, output, T } = plan;
      const weights = hasBias ? withoutBias(g, at.weights!, fanIn) : at.weights!;
      const delta = reshape(g, at.flat(ct, output), -1, T, channels);
      const pixels = (): Value => {
        const classes = groups === 1 && !weights.factors ? positionClasses(windows) : [];
        if (classes.length > 0 && classes.length <= MOST_CLASSES) {
          const sizes = { O: channels, C: perGroup };
          return transposedConvolution(g, delta, weights.base, windows, classes, sizes);
        }
        const rows =
          groups === 1
            ? timesWeightsBack(g, reshape(g, delta, -1, channels), weights)
            : groupedBack(g, delta, weights.base, { groups, T, columns: fanIn });
        return patchesBack(g, reshape(g, rows, -1, windows.sources.length, perGroup), windows, perGroup);
      };
      const joined = joinGroups(g, pixels(), windows.pixels, groups, perGroup);
      return [at.cotangent(scaleBy(g, joined, scales.weight), shape)];
    },
    jacobian(g, at, ct) {
      const { T, columns, output } = planOf(at.shapes);
      const H = at.first(at.kept!);
      const D = at.matrix(ct, output);
      if (groups > 1) return { kind: "rows", J: groupedRows(g, at, H, D, channels, { groups, T, columns }) };
      return { kind: "outer", H, D: at.cotangent(D, T === 1 ? [channels] : [T, channels]) };
    },
  };
}

/** A convolution on values of one shape. */
type Plan = {
  readonly windows: Windows;
  readonly shape: Shape;
  readonly output: Shape;
  /** Input channels of a group. */
  readonly perGroup: number;
  readonly fanIn: number;
  readonly columns: number;
  readonly scales: LayerScales;
  readonly T: number;
};

/** Weights without the column of biases. */
const withoutBias = (g: Graph, { base, factors }: WeightValues, fanIn: number): WeightValues => ({
  base: firstColumns(g, base, fanIn),
  ...(factors ? { factors: { ...factors, left: firstColumns(g, factors.left, fanIn) } } : {}),
});
