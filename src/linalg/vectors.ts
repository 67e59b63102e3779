/** @file Arithmetic of vectors in float64, in plain loops. */

/** a . b, over the length of a. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** a += factor b */
export function addMultiple(a: Float64Array, factor: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += factor * b[i]!;
}

/** |a| */
export const length = (a: Float64Array): number => Math.sqrt(dot(a, a));
