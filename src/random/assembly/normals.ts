/**
 * @file AssemblyScript: NumPy's legacy normals, two at a time, in SIMD128. Compiled by scripts/build-wasm.ts.
 *
 * Words: MT19937 (Matsumoto & Nishimura, ACM TOMACS 8, 1998), four lanes per step.
 * Uniforms: u = (a 2^26 + b) / 2^53 with a = word >>> 5 and b = word >>> 6 of the next.
 * Normals: Marsaglia's polar method. An attempt is x1 = 2u - 1, x2 = 2u' - 1, kept where 0 < r2 < 1 with
 * r2 = x1^2 + x2^2; it yields f x2, then f x1, with f = sqrt(-2 log(r2) / r2).
 *
 * One block of 624 words is 156 attempts exactly, so a draw never leaves a part of a block behind. `refill` writes
 * kept attempts as (x2, x1) in float64; `convert` turns a range of them into normals. All buffers are static: memory
 * never grows.
 */

/** Words in the state. */
const N: usize = 624;
/** Blocks a refill draws: 24 x 156 attempts, about 5900 normals, which stay in a core's L2 cache. */
const BLOCKS: usize = 24;
/** Attempts a refill can keep, and one more that the branch-free store may touch. */
const PAIRS: usize = BLOCKS * 156 + 1;

/** The state, and past its end a copy of its first words, so that four lanes never wrap. */
const state = memory.data(2512, 16);
const pairs = memory.data(59920, 16);
const normals = memory.data(59920, 16);

/** Starts the generator as `np.random.seed(seed)` does (init_genrand). */
export function seed(seed: u32): void {
  for (let i: usize = 0; i < N; i++) {
    store<u32>(state + (i << 2), seed);
    seed = 1812433253 * (seed ^ (seed >> 30)) + <u32>i + 1;
  }
}

/** Words from `from` to `to` of the next state; `far` is the way to words i + 397 (mod 624), in bytes. */
function twistRange(from: usize, to: usize, far: isize): void {
  for (let at = from; at < to; at += 16) {
    const next = v128.load(at, 4);
    const y = v128.or(
      v128.and(v128.load(at), i32x4.splat(0x80000000)),
      v128.and(next, i32x4.splat(0x7fffffff)),
    );
    const odd = i32x4.neg(v128.and(next, i32x4.splat(1)));
    const mixed = v128.xor(i32x4.shr_u(y, 1), v128.and(odd, i32x4.splat(0x9908b0df)));
    v128.store(at, v128.xor(v128.load(at + far), mixed));
  }
}

function twist(): void {
  twistRange(state, state + 16, 397 * 4);
  v128.store(state + N * 4, v128.load(state));
  twistRange(state + 16, state + 228 * 4, 397 * 4);
  twistRange(state + 228 * 4, state + N * 4, -227 * 4);
}

function temper(y: v128): v128 {
  y = v128.xor(y, i32x4.shr_u(y, 11));
  y = v128.xor(y, v128.and(i32x4.shl(y, 7), i32x4.splat(0x9d2c5680)));
  y = v128.xor(y, v128.and(i32x4.shl(y, 15), i32x4.splat(0xefc60000)));
  return v128.xor(y, i32x4.shr_u(y, 18));
}

/** 2u - 1 from the low lanes of a and b: exact, as each step keeps a multiple of 2^-52 below 1. */
function symmetric(a: v128, b: v128): v128 {
  const high = f64x2.mul(f64x2.convert_low_i32x4_s(a), f64x2.splat(1.4901161193847656e-8)); // 2^-26
  const low = f64x2.mul(f64x2.convert_low_i32x4_s(b), f64x2.splat(2.220446049250313e-16)); // 2^-52
  return f64x2.add(high, f64x2.sub(low, f64x2.splat(1)));
}

/** Draws BLOCKS blocks of words and keeps the attempts inside the unit disc. Returns how many. */
export function refill(): usize {
  let to = pairs;
  for (let block: usize = 0; block < BLOCKS; block++) {
    twist();
    for (let at = state; at < state + N * 4; at += 32) {
      const u = temper(v128.load(at));
      const v = temper(v128.load(at, 16));
      const a = i32x4.shr_u(v128.shuffle<i32>(u, v, 0, 4, 2, 6), 5);
      const b = i32x4.shr_u(v128.shuffle<i32>(u, v, 1, 5, 3, 7), 6);
      const x1 = symmetric(a, b);
      const x2 = symmetric(v128.shuffle<i64>(a, a, 1, 1), v128.shuffle<i64>(b, b, 1, 1));
      const r2 = f64x2.add(f64x2.mul(x1, x1), f64x2.mul(x2, x2));
      const kept = v128.and(f64x2.lt(r2, f64x2.splat(1)), f64x2.gt(r2, f64x2.splat(0)));
      const bits = i64x2.bitmask(kept);
      v128.store(to, v128.shuffle<i64>(x2, x1, 0, 2));
      to += (bits & 1) << 4;
      v128.store(to, v128.shuffle<i64>(x2, x1, 1, 3));
      to += (bits >> 1) << 4;
    }
  }
  return (to - pairs) >> 4;
}

/**
 * R1..R7 of log's series, then ln 2 in two parts (fdlibm's, Sun Microsystems, e_log.c, 1993). In memory, as one
 * load is cheaper than building a vector constant anew, which is what V8 does in a loop.
 */
const coefficients = memory.data<f64>([
  6.66666666666673513e-1, 3.999999999940941908e-1, 2.857142874366239149e-1, 2.222219843214978396e-1,
  1.818357216161805012e-1, 1.531383769920937332e-1, 1.479819860511658591e-1, 6.9314718036912381649e-1,
  1.90821492927058770002e-10,
]);

function coefficient(i: i32): v128 {
  return v128.load64_splat(coefficients + ((i - 1) << 3));
}

function madd(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(f64x2.mul(a, b), c);
}

/**
 * log(x), error below 1 ulp, for normal x > 0. With x = 2^k (1 + f), 1 + f in [sqrt(1/2), sqrt(2)), and
 * s = f / (2 + f): log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)), R(z) = R1 z + R2 z^2 + ... + R7 z^7.
 */
function log(x: v128): v128 {
  // The high word of sqrt(1/2) as origin: what is left of the exponent field is k.
  const shifted = i32x4.sub(x, i64x2.splat(0x3fe6a09e00000000));
  const highs = v128.shuffle<i32>(shifted, shifted, 1, 3, 1, 3);
  const k = f64x2.convert_low_i32x4_s(i32x4.shr_s(highs, 20));
  const scale = v128.and(shifted, i64x2.splat(0xfff0000000000000));
  const f = f64x2.sub(i32x4.sub(x, scale), f64x2.splat(1));
  const s = f64x2.div(f, f64x2.add(f, f64x2.splat(2)));
  const z = f64x2.mul(s, s);
  const w = f64x2.mul(z, z);
  const even = madd(w, madd(w, coefficient(6), coefficient(4)), coefficient(2));
  const odd = madd(w, madd(w, madd(w, coefficient(7), coefficient(5)), coefficient(3)), coefficient(1));
  const series = f64x2.add(f64x2.mul(w, even), f64x2.mul(z, odd));
  const half = f64x2.mul(f64x2.mul(f, f), f64x2.splat(0.5));
  const low = madd(s, f64x2.add(half, series), f64x2.mul(k, coefficient(9)));
  return f64x2.sub(f64x2.mul(k, coefficient(8)), f64x2.sub(f64x2.sub(half, low), f));
}

/** f = sqrt(-2 log(r2) / r2) of the two attempts at `at`. */
function factor(p: v128, q: v128): v128 {
  const x2 = v128.shuffle<i64>(p, q, 0, 2);
  const x1 = v128.shuffle<i64>(p, q, 1, 3);
  const r2 = f64x2.add(f64x2.mul(x1, x1), f64x2.mul(x2, x2));
  return f64x2.sqrt(f64x2.div(f64x2.mul(f64x2.splat(-2), log(r2)), r2));
}

/**
 * Turns kept attempts first..first+count-1 into 2 count normals, float64 where `double` and else float32. Returns
 * their address.
 */
export function convert(first: usize, count: usize, double: bool): usize {
  let at = pairs + (first << 4);
  const end = at + (count << 4);
  let to = normals;
  while (at < end) {
    const p = v128.load(at);
    const q = v128.load(at, 16);
    at += 32;
    const f = factor(p, q);
    const u = f64x2.mul(p, v128.shuffle<i64>(f, f, 0, 0));
    const v = f64x2.mul(q, v128.shuffle<i64>(f, f, 1, 1));
    if (double) {
      v128.store(to, u);
      v128.store(to, v, 16);
      to += 32;
    } else {
      v128.store(to, v128.shuffle<i64>(f32x4.demote_f64x2_zero(u), f32x4.demote_f64x2_zero(v), 0, 2));
      to += 16;
    }
  }
  return normals;
}
