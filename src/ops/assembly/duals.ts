/**
 * @file AssemblyScript: what layers of infinite width do to the covariances of a tile, two numbers at a time, in SIMD128.
 * Compiled by scripts/build-wasm.ts; ../tile.ts is its other half and says what is computed.
 *
 * Addresses are in bytes; matrices are row-major and contiguous, beyond the first 64 KB, which are this module's. An
 * address 0 of `tangent` means that it is not wanted.
 */

/** Columns whose roots are kept at a time. */
const BLOCK: usize = 1024;

/** 1 / sqrt(q) of each column of a block, 0 where q is 0; and sqrt(q). */
const inverses = memory.data(8192, 16);
const roots = memory.data(8192, 16);
/** A pair of covariances and one of the tangent. */
const spare = memory.data(32, 16);

/** 1 / (2 pi). */
const TURN: f64 = 0.15915494309189535;

/**
 * S(z) = arcsin(sqrt z) / sqrt z on [0, 1/2]: the polynomial of degree 18 whose greatest relative error, 1.6e-17, is
 * least (Remez). In memory, as one load is cheaper than building a vector constant anew, which is what V8 does in a loop.
 * Then the rounding (correlations this near to one are one: arccos would make 1e-8 of a rounding of 1e-16), and pi.
 */
const coefficients = memory.data<f64>([
  1.0, 0.16666666666664477437, 0.07500000000512532387, 0.044642856667343813957, 0.030381967716960278218,
  0.022371465663713507591, 0.017366454078509481146, 0.013775775036804105577, 0.013446080265918068178,
  -0.0043444939578696039755, 0.087676389627714928197, -0.33178492063967445611, 1.1113626146493429127,
  -2.7203459977623079973, 5.0198733432497961943, -6.675577164768843242, 6.1154520748291594985,
  -3.4528286818804527107, 0.92805152478131520925, 4e-15, 3.141592653589793,
]);

function coefficient(i: i32): v128 {
  return v128.load64_splat(coefficients + (i << 3));
}

function madd(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(f64x2.mul(a, b), c);
}

/** S(z), its terms of equal degree modulo four apart: short chains instead of a long one. */
function arcsine(z: v128): v128 {
  const z2 = f64x2.mul(z, z);
  const z4 = f64x2.mul(z2, z2);
  let s0 = madd(z4, coefficient(16), coefficient(12));
  let s1 = madd(z4, coefficient(17), coefficient(13));
  let s2 = madd(z4, coefficient(18), coefficient(14));
  let s3 = madd(z4, coefficient(15), coefficient(11));
  s0 = madd(z4, s0, coefficient(8));
  s1 = madd(z4, s1, coefficient(9));
  s2 = madd(z4, s2, coefficient(10));
  s3 = madd(z4, s3, coefficient(7));
  s0 = madd(z4, s0, coefficient(4));
  s1 = madd(z4, s1, coefficient(5));
  s2 = madd(z4, s2, coefficient(6));
  s3 = madd(z4, s3, coefficient(3));
  s0 = madd(z4, s0, coefficient(0));
  s1 = madd(z4, s1, coefficient(1));
  s2 = madd(z4, s2, coefficient(2));
  return madd(z2, madd(z, s3, s2), madd(z, s1, s0));
}

// With c the correlation and t = arccos c: u = 1 - |c|, a = arccos |c| = 2 sqrt(u/2) S(u/2), and d = pi - a for c >= 0
// and -a below. Then pi - t = |d| and sin t + (pi - t) c = sqrt(u (2 - u)) + |c| d.

/** u, zero where rounding says so. */
function remainder(c: v128): v128 {
  const u = f64x2.sub(coefficient(0), f64x2.abs(c));
  return v128.and(u, f64x2.ge(u, coefficient(19)));
}

/** d. */
function difference(c: v128, u: v128): v128 {
  const z = f64x2.mul(u, f64x2.splat(0.5));
  const s = f64x2.sqrt(z);
  const a = f64x2.mul(f64x2.add(s, s), arcsine(z));
  return f64x2.sub(v128.andnot(coefficient(20), f64x2.lt(c, f64x2.splat(0))), a);
}

/** sin t + (pi - t) c. */
function arcCosine(u: v128, d: v128): v128 {
  const rest = f64x2.sub(coefficient(0), u);
  return madd(rest, d, f64x2.sqrt(f64x2.mul(u, f64x2.add(coefficient(0), rest))));
}

/** tangent E[phi-dot phi-dot'], which is zero where `norm` is. */
function slopes(tangent: v128, d: v128, norm: v128): v128 {
  const alive = v128.and(f64x2.gt(norm, f64x2.splat(0)), f64x2.splat(TURN));
  return f64x2.mul(tangent, f64x2.mul(f64x2.abs(d), alive));
}

/**
 * The maps over two numbers at a time of a row, whose `inverse` is 1 / sqrt(p) and whose `norm` is sqrt(p) / (2 pi), up to
 * `bytes` of it; `column` is where its roots begin. (The only caller of what it calls, which is then inlined.)
 */
function row(cov: usize, tangent: usize, column: usize, bytes: usize, inverse: v128, norm: v128): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    const scale = v128.load(column + at + (inverses - roots));
    const c = f64x2.mul(f64x2.mul(v128.load(cov + at), inverse), scale);
    const n = f64x2.mul(norm, v128.load(column + at));
    const u = remainder(c);
    const d = difference(c, u);
    v128.store(cov + at, f64x2.mul(arcCosine(u, d), n));
    if (tangent) v128.store(tangent + at, slopes(v128.load(tangent + at), d, n));
  }
}

/** The same for the last number of a row of odd length, which a pair of its own makes room for. */
function last(cov: usize, tangent: usize, column: usize, inverse: v128, norm: v128): void {
  store<f64>(spare, load<f64>(cov));
  if (tangent) store<f64>(spare + 16, load<f64>(tangent));
  row(spare, tangent ? spare + 16 : 0, column, 16, inverse, norm);
  store<f64>(cov, load<f64>(spare));
  if (tangent) store<f64>(tangent, load<f64>(spare + 16));
}

/** Roots of the variances of `count` columns. */
function rootsOf(variances: usize, count: usize): void {
  for (let j: usize = 0; j < count; j++) {
    const root = sqrt(load<f64>(variances + (j << 3)));
    store<f64>(roots + (j << 3), root);
    store<f64>(inverses + (j << 3), root > 0 ? 1 / root : 0);
  }
}

/** The maps of ReLU in place over cov [rows, cols]: cov becomes E[phi phi'], tangent is multiplied by E[phi-dot phi-dot']. */
export function relu(cov: usize, tangent: usize, rows: usize, cols: usize, var1: usize, var2: usize): void {
  for (let first: usize = 0; first < cols; first += BLOCK) {
    const count = min(BLOCK, cols - first);
    rootsOf(var2 + (first << 3), count);
    for (let i: usize = 0; i < rows; i++) {
      const root = sqrt(load<f64>(var1 + (i << 3)));
      const inverse = f64x2.splat(root > 0 ? 1 / root : 0);
      const norm = f64x2.splat(root * TURN);
      const offset = (i * cols + first) << 3;
      const k = cov + offset;
      const t = tangent ? tangent + offset : 0;
      const end = (count & ~1) << 3;
      row(k, t, roots, end, inverse, norm);
      if (count & 1) last(k + end, t ? t + end : 0, roots + end, inverse, norm);
    }
  }
}

/** Weights in place over `count` numbers: tangent = gain tangent + gramGain cov + gramOffset, cov = gain cov + offset. */
export function weights(
  cov: usize,
  tangent: usize,
  count: usize,
  gain: f64,
  offset: f64,
  gramGain: f64,
  gramOffset: f64,
): void {
  const end = (count & ~1) << 3;
  const a = f64x2.splat(gain);
  const b = f64x2.splat(offset);
  if (tangent) {
    const c = f64x2.splat(gramGain);
    const d = f64x2.splat(gramOffset);
    for (let at: usize = 0; at < end; at += 16) {
      const k = v128.load(cov + at);
      v128.store(tangent + at, madd(a, v128.load(tangent + at), madd(c, k, d)));
      v128.store(cov + at, madd(a, k, b));
    }
  } else {
    for (let at: usize = 0; at < end; at += 16) v128.store(cov + at, madd(a, v128.load(cov + at), b));
  }
  if (count & 1) {
    const k = load<f64>(cov + end);
    if (tangent) {
      store<f64>(tangent + end, gain * load<f64>(tangent + end) + (gramGain * k + gramOffset));
    }
    store<f64>(cov + end, gain * k + offset);
  }
}

/** to [cols, rows] = from [rows, cols]^T, in squares that stay in the cache. */
export function transpose(from: usize, to: usize, rows: usize, cols: usize): void {
  for (let i0: usize = 0; i0 < rows; i0 += 16) {
    const i1 = min(i0 + 16, rows);
    for (let j: usize = 0; j < cols; j++) {
      for (let i = i0; i < i1; i++) {
        store<f64>(to + ((j * rows + i) << 3), load<f64>(from + ((i * cols + j) << 3)));
      }
    }
  }
}
