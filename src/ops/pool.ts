/**
 * @file Pooling over windows (windows.ts): their average, sum or largest value, channel by channel. Averages and sums are linear, and
 * the way back is their transpose. The derivative of a largest value goes to the first place of its window that has it, as in PyTorch.
 */
import type { Graph, Value } from "../engine/graph.ts";
import { equal, maxAlong, mul, reshape, scaleBy, sumAlong } from "../engine/ops.ts";
import { only, sizeOf, type Op, type Shape } from "./op.ts";
import { patches, patchesBack, windowsBack } from "./patches.ts";
import { demandFilled, readWindows, sizeText, type Windows, type WindowOptions } from "./windows.ts";

/** Options of pooling: the stride is the size of a window by default, and padding "valid". */
export type PoolOptions = WindowOptions;

/** Options of {@link averagePool}. */
export type AveragePoolOptions = PoolOptions & {
  /** Whether padding counts as zeros in a mean. Default: true; false divides by the positions that a window covers. */
  countPadding?: boolean;
};

/**
 * Averages over windows of values [length, channels] or [height, width, channels].
 * @throws InputError for sizes or options that are none; RangeError, when the network is made, for values that they do not fit.
 * @example
 * import { averagePool } from "natgrad/network";
 *
 * console.log(averagePool(2).shape([[8, 8, 3]])); // [ 4, 4, 3 ]
 */
export function averagePool(size: number | readonly number[], options: AveragePoolOptions = {}): Op {
  const { countPadding = true, ...rest } = options;
  return linearPool("averagePool", size, rest, ({ sources, size: K }) => {
    if (countPadding || !sources.includes(-1)) return 1 / K;
    const counts = Array.from({ length: sources.length / K }, (_, t) =>
      sources.slice(t * K, (t + 1) * K).reduce((count, source) => count + Number(source >= 0), 0),
    );
    return counts.map((count) => 1 / Math.max(1, count));
  });
}

/**
 * Sums over windows of values [length, channels] or [height, width, channels].
 * @throws as {@link averagePool} does.
 * @example
 * import { sumPool } from "natgrad/network";
 *
 * console.log(sumPool(3, { stride: 2, padding: "same" }).shape([[7, 4]])); // [ 4, 4 ]
 */
export const sumPool = (size: number | readonly number[], options: PoolOptions = {}): Op =>
  linearPool("sumPool", size, options, () => 1);

/**
 * The largest value of each window of values [length, channels] or [height, width, channels]; padding has none.
 * @throws as {@link averagePool} does, and RangeError for a window of padding alone.
 * @example
 * import { maxPool } from "natgrad/network";
 *
 * console.log(maxPool([2, 1]).shape([[8, 8, 3]])); // [ 4, 8, 3 ]
 */
export function maxPool(size: number | readonly number[], options: PoolOptions = {}): Op {
  const name = `maxPool(${sizeText(size)})`;
  const windowsOf = readWindows("maxPool", size, { stride: size, ...options });
  const plan = (inputs: readonly Shape[]) => {
    const windows = windowsOf(only(name, inputs));
    demandFilled(name, windows);
    return { windows, channels: inputs[0]!.at(-1)!, T: sizeOf(windows.positions) };
  };
  return {
    name,
    shape(inputs) {
      const { windows, channels } = plan(inputs);
      return [...windows.positions, channels];
    },
    forward(g, { inputs, shapes }) {
      const { windows, channels, T } = plan(shapes);
      const pixels = reshape(g, inputs[0]!, -1, windows.pixels, channels);
      const kept = reshape(g, patches(g, pixels, windows, -Infinity), -1, T, windows.size, channels);
      return { output: reshape(g, maxAlong(g, kept, 2), -1, ...windows.positions, channels), kept };
    },
    backward(g, at, ct) {
      const { windows, channels, T } = plan(at.shapes);
      const { size, positions } = windows;
      const first = firstLargest(g, at.first(at.kept!), size);
      const delta = at.cotangent(at.matrix(ct, [...positions, channels]), [T, 1, channels]);
      const places = at.flat(mul(g, delta, first), [T, size, channels]);
      const back = patchesBack(g, reshape(g, places, -1, T * size, channels), windows, channels);
      return [at.cotangent(back, at.shapes[0]!)];
    },
  };
}

/** 1 at the first largest value of each window, else 0: values [N, T, K, channels]. */
export function firstLargest(g: Graph, values: Value, K: number): Value {
  const isLargest = equal(g, values, maxAlong(g, values, 2, true));
  // Among those, the first has the largest weight.
  const weights = g.constant(
    Array.from({ length: K }, (_, j) => K - j),
    [K, 1],
  );
  const ranks = mul(g, isLargest, weights);
  return equal(g, ranks, maxAlong(g, ranks, 2, true));
}

/** Sums over windows times a number, or one number per window. */
function linearPool(
  kind: string,
  size: number | readonly number[],
  options: PoolOptions,
  factorsOf: (windows: Windows) => number | readonly number[],
): Op {
  const name = `${kind}(${sizeText(size)})`;
  const windowsOf = readWindows(kind, size, { stride: size, ...options });
  const plan = (inputs: readonly Shape[]) => {
    const windows = windowsOf(only(name, inputs));
    const channels = inputs[0]!.at(-1)!;
    const T = sizeOf(windows.positions);
    const factors = factorsOf(windows);
    // A value or cotangent [B, T, channels].
    const scaled = (g: Graph, value: Value): Value => {
      if (factors === 1) return value;
      return typeof factors === "number"
        ? scaleBy(g, value, factors)
        : mul(g, value, g.constant(factors, [T, 1]));
    };
    return { windows, channels, T, scaled, output: [...windows.positions, channels] };
  };
  return {
    name,
    shape: (inputs) => plan(inputs).output,
    forward(g, { inputs, shapes }) {
      const { windows, channels, T, scaled, output } = plan(shapes);
      const pixels = reshape(g, inputs[0]!, -1, windows.pixels, channels);
      const sums = sumAlong(g, reshape(g, patches(g, pixels, windows), -1, T, windows.size, channels), 2);
      return { output: reshape(g, scaled(g, sums), -1, ...output) };
    },
    backward(g, at, ct) {
      const { windows, channels, T, scaled, output } = plan(at.shapes);
      const delta = scaled(g, reshape(g, at.flat(ct, output), -1, T, channels));
      return [at.cotangent(windowsBack(g, delta, windows, channels), at.shapes[0]!)];
    },
  };
}
