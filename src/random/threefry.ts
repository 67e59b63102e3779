/**
 * @file JAX's default random bits: Threefry-2x32, 20 rounds (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011), with the keys and counters of jax/_src/random/threefry2x32.py. JAX >= 0.5 numbers the counters
 * so that any part of an array can be drawn alone (`jax_threefry_partitionable`); older ones paired the first
 * half of the array with the second.
 */
import { InputError } from "../error.ts";

/** A raw key as `jax.random.PRNGKey` makes it: two unsigned 32-bit words. */
export type Key = readonly [number, number];

/** Which of JAX's two layouts of counters to follow. */
export type ThreefryOptions = {
  /** The value of `jax_threefry_partitionable`: true since JAX 0.5, which is the default here. */
  readonly partitionable?: boolean;
};

/** Counters hashed at a time, so that the work stays in the cache. */
const CHUNK = 4096;

/**
 * Hashes each pair of counters (x[i], y[i]) in place.
 * Four rounds of add, rotate, xor; then a part of the key and the number of the group; five times.
 */
export function threefry2x32(key: Key, x: Uint32Array, y: Uint32Array): void {
  const k0 = key[0] | 0;
  const k1 = key[1] | 0;
  const k2 = k0 ^ k1 ^ 0x1bd11bda;
  for (let i = 0; i < x.length; i++) {
    let a = (x[i]! + k0) | 0;
    let b = (y[i]! + k1) | 0;
    let now = k0;
    let next = k1;
    let last = k2;
    for (let group = 1; group <= 5; group++) {
      const odd = (group & 1) === 1;
      a = (a + b) | 0;
      b = a ^ (odd ? (b << 13) | (b >>> 19) : (b << 17) | (b >>> 15));
      a = (a + b) | 0;
      b = a ^ (odd ? (b << 15) | (b >>> 17) : (b << 29) | (b >>> 3));
      a = (a + b) | 0;
      b = a ^ (odd ? (b << 26) | (b >>> 6) : (b << 16) | (b >>> 16));
      a = (a + b) | 0;
      b = a ^ (odd ? (b << 6) | (b >>> 26) : (b << 24) | (b >>> 8));
      [now, next, last] = [next, last, now];
      a = (a + now) | 0;
      b = (b + next + group) | 0;
    }
    x[i] = a;
    y[i] = b;
  }
}

/** start, start + 1, ..., `length` of them. */
function iota(start: number, length: number): Uint32Array {
  const counters = new Uint32Array(length);
  for (let i = 0; i < length; i++) counters[i] = start + i;
  return counters;
}

/**
 * `jax.random.PRNGKey(seed)` as JAX makes it without `jax_enable_x64`.
 * @throws InputError when `seed` is not an integer in 0..4294967295.
 */
export function prngKey(seed: number): Key {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new InputError(`prngKey: wanted an integer seed in 0..4294967295, got ${seed}`);
  }
  return [0, seed];
}

/** `jax.random.split(key, count)`: `count` keys. */
export function split(key: Key, count = 2, { partitionable = true }: ThreefryOptions = {}): Key[] {
  const x = partitionable ? new Uint32Array(count) : iota(0, count);
  const y = partitionable ? iota(0, count) : iota(count, count);
  threefry2x32(key, x, y);
  if (partitionable) return Array.from(x, (word, i) => [word, y[i]!]);
  const words = [...x, ...y];
  return Array.from(x, (_, i) => [words[2 * i]!, words[2 * i + 1]!]);
}

/** A part of an array that is drawn alone, which needs `partitionable`. */
export type PartOptions = ThreefryOptions & {
  /** Numbers of the array before the part. */
  readonly offset?: number;
};

/**
 * Fills `out` with `jax.random.bits(key, shape, uint32)`, flattened row by row, and returns it: all of the array, or the
 * part of it that begins at `offset`.
 */
export function bitsInto<T extends Uint32Array>(
  key: Key,
  out: T,
  { partitionable = true, offset = 0 }: PartOptions = {},
): T {
  // Old layout: word i and word half + i come from one hash; an odd array's last counter is 0 and its word unused.
  const half = partitionable ? out.length : Math.ceil(out.length / 2);
  for (let start = 0; start < half; start += CHUNK) {
    const length = Math.min(CHUNK, half - start);
    const x = partitionable ? new Uint32Array(length) : iota(start, length);
    const y = iota((partitionable ? offset : half) + start, length);
    if (half + start + length > out.length && !partitionable) y[length - 1] = 0;
    threefry2x32(key, x, y);
    if (partitionable) for (let i = 0; i < length; i++) out[start + i] = x[i]! ^ y[i]!;
    else {
      out.set(x, start);
      out.set(y.subarray(0, out.length - half - start), half + start);
    }
  }
  return out;
}
