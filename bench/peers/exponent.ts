/**
 * @file How cost grows with a size: the slope b of log cost = a + b log size, by least squares.
 */

/** A size and what it costs. */
export type Point = { readonly size: number; readonly cost: number };

/**
 * The exponent of the power law that fits points best in logarithms.
 * @returns undefined where fewer than two sizes were measured.
 */
export function fitExponent(points: readonly Point[]): number | undefined {
  const x = points.map(({ size }) => Math.log(size));
  const y = points.map(({ cost }) => Math.log(cost));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  let covariance = 0;
  let variance = 0;
  for (const [i, xi] of x.entries()) {
    covariance += (xi - meanX) * (y[i]! - meanY);
    variance += (xi - meanX) ** 2;
  }
  return variance > 0 ? covariance / variance : undefined;
}
