/**
 * @file Permutations as NumPy's legacy generator draws them: `np.random.RandomState(seed).permutation(n)`, one after the
 * other from one stream. MT19937 seeded by init_genrand (Matsumoto & Nishimura 1998), Fisher-Yates from the end, and
 * integers by masking and rejection (numpy/random/src/distributions/distributions.c, `random_interval`).
 */
import { InputError } from "../error.ts";

const SIZE = 624;
const SHIFT = 397;

/** 32-bit words of MT19937. */
function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(SIZE);
  state[0] = seed;
  for (let i = 1; i < SIZE; i++) {
    const last = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = Math.imul(1812433253, last) + i;
  }
  let at = SIZE;
  const refill = (): void => {
    for (let i = 0; i < SIZE; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % SIZE]! & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  return () => {
    if (at === SIZE) refill();
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/** A stream of permutations of 0 ... n - 1, of any n each time. */
function permuter(seed: number): (n: number) => Uint32Array {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new InputError(`permutations: wanted an integer seed in 0..4294967295, got ${seed}`);
  }
  const next = mersenneTwister(seed);
  const upTo = (max: number): number => {
    const mask = max === 0 ? 0 : 2 ** (32 - Math.clz32(max)) - 1;
    for (;;) {
      const value = (next() & mask) >>> 0;
      if (value <= max) return value;
    }
  };
  return (n) => {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = upTo(i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  };
}

/**
 * A stream of permutations of 0 ... n - 1.
 * @throws InputError when `seed` is not an integer in 0..4294967295.
 */
export function permutations(seed: number, n: number): () => Uint32Array {
  const permute = permuter(seed);
  return () => permute(n);
}

/** Draws `size` of 0 ... n - 1 without replacement, in ascending order; all of them for Infinity. */
export type Draw = (n: number, size: number) => Uint32Array;

/**
 * Draws one choice after the other from one stream, each the first `size` of a permutation: in NumPy
 * `np.sort(state.permutation(n)[:size])` with `state = np.random.RandomState(seed)`.
 * @throws InputError when `seed` is not an integer in 0..4294967295.
 */
export function samplesOf(seed: number): Draw {
  const permute = permuter(seed);
  return (n, size) => permute(n).subarray(0, Math.min(n, size)).sort();
}

/** Mini-batches of `size` of n samples, epoch after epoch, each sample once per epoch; the last of an epoch may be smaller. */
export function miniBatches(seed: number, n: number, size: number): () => Uint32Array {
  const permute = permutations(seed, n);
  let order: Uint32Array = new Uint32Array(0);
  let at = 0;
  return () => {
    if (at >= order.length) {
      order = permute();
      at = 0;
    }
    const batch = order.subarray(at, at + size);
    at += size;
    return batch;
  };
}
