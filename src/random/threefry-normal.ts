/**
 * @file JAX's float32 uniforms and normals from Threefry bits (jax/_src/random/core.py): 23 bits per uniform, and
 * sqrt(2) erfinv(u), u uniform in (-1, 1), a normal. erfinv is XLA's: Giles, "Approximating the erfinv function",
 * GPU Computing Gems Jade (2011), single precision.
 */
import { log1p } from "./xla-log1p.ts";
import { bitsInto } from "./threefry.ts";
import type { Key, PartOptions } from "./threefry.ts";

/** erfinv(u) / u in powers of w - 2.5, w = -log(1 - u^2) < 5; highest power first. */
const CENTRAL = Float32Array.of(
  2.81022636e-8,
  3.43273939e-7,
  -3.5233877e-6,
  -4.39150654e-6,
  0.00021858087,
  -0.00125372503,
  -0.00417768164,
  0.246640727,
  1.50140941,
);

/** As CENTRAL, in powers of sqrt(w) - 3, for w >= 5. */
const TAIL = Float32Array.of(
  -0.000200214257,
  0.000100950558,
  0.00134934322,
  -0.00367342844,
  0.00573950773,
  -0.0076224613,
  0.00943887047,
  1.00167406,
  2.83297682,
);

/** erfinv(u), -1 < u < 1, in XLA's float32 steps: see xla-log1p.ts on multiply-adds. */
function erfinv(u: number): number {
  const w = -log1p(-Math.fround(u * u));
  const central = w < 5;
  const t = Math.fround(central ? w - 2.5 : Math.fround(Math.sqrt(w)) - 3);
  const coefficients = central ? CENTRAL : TAIL;
  let p = coefficients[0]!;
  for (let i = 1; i < 9; i++) p = Math.fround(p * t + coefficients[i]!);
  return Math.fround(p * u);
}

const SQRT2 = Math.fround(Math.SQRT2);
const ABOVE_MINUS_1 = -1 + 2 ** -24;

/**
 * Fills `out` with `jax.random.uniform(key, out.shape, minval=minimum, maxval=maximum)`, flattened row by row, and
 * returns it. Values lie in [minimum, maximum), in steps of (maximum - minimum) 2^-23.
 */
export function uniformInto<T extends Float32Array>(
  key: Key,
  out: T,
  { minimum = 0, maximum = 1, ...layout }: PartOptions & { minimum?: number; maximum?: number } = {},
): T {
  const low = Math.fround(minimum);
  const span = Math.fround(Math.fround(maximum) - low);
  // The memory of `out` holds the bits until they are converted.
  const bits = bitsInto(key, new Uint32Array(out.buffer, out.byteOffset, out.length), layout);
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.max(low, Math.fround((bits[i]! >>> 9) * 2 ** -23 * span + low));
  }
  return out;
}

/**
 * Fills `out` with `jax.random.normal(key, out.shape)`, of unit variance, flattened row by row, and returns it. Bit for bit
 * what JAX 0.10 draws on a CPU with FMA. The logarithm depends on the version of XLA: of JAX 0.4.34's normals 0.03% differ,
 * by up to three units in the last place.
 */
export function normalInto<T extends Float32Array>(key: Key, out: T, options: PartOptions = {}): T {
  uniformInto(key, out, { ...options, minimum: ABOVE_MINUS_1, maximum: 1 });
  for (let i = 0; i < out.length; i++) out[i] = SQRT2 * erfinv(out[i]!);
  return out;
}
