/**
 * @file AssemblyScript: Householder reflections that bring one panel of a symmetric matrix to tridiagonal form, in
 * SIMD128 (LAPACK's dlatrd, lower). Compiled by scripts/build-wasm.ts; tridiagonal.ts is its other half and says what
 * is computed.
 *
 * All numbers are float64, all addresses in bytes and multiples of 16. Sizes are padded with zero rows and columns to
 * multiples of BLOCK. A is kept in block columns: block column c is a row-major [size - BLOCK c, BLOCK] matrix of the
 * rows from BLOCK c on, and the next one follows it in memory. Diagonal blocks are whole.
 */

/** Columns of a block column. */
const BLOCK: i32 = 128;
/** Bytes of one row of a block column. */
const ROW: usize = 1024;
/** Columns of a panel, a divisor of BLOCK: V and W lie side by side in rows of 2 PANEL numbers. */
const PANEL: i32 = 32;
/** Bytes from a row of V to that of W. */
const HALF: usize = 256;
/** Bytes of a row of V and W together. */
const WIDE: usize = 512;
/** Squares of norms below this are taken for zero: they have lost digits to underflow. */
const TINY: f64 = 1e-280;

function at(base: usize, i: i32): usize {
  return base + ((<usize>i) << 3);
}

/** Sum of both lanes. */
function lanes(a: v128): f64 {
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

function madd(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(f64x2.mul(a, b), c);
}

/** a . b over [from, to), both even. */
function dot(a: usize, b: usize, from: i32, to: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  let i = from;
  for (; i + 4 <= to; i += 4) {
    s0 = madd(v128.load(at(a, i)), v128.load(at(b, i)), s0);
    s1 = madd(v128.load(at(a, i), 16), v128.load(at(b, i), 16), s1);
  }
  for (; i < to; i += 2) s0 = madd(v128.load(at(a, i)), v128.load(at(b, i)), s0);
  return lanes(f64x2.add(s0, s1));
}

/**
 * y = A x for the trailing matrix whose first block column is at `a`; x and y have `size` numbers, and where x begins
 * with `zeros` zeros, the first `zeros` numbers of y are undefined. Each row is used twice, as a row and as a column, in
 * one passage over memory in order: where A is larger than the caches, any other order took four times as long.
 */
function symmetricProduct(a: usize, x: usize, y: usize, size: i32, zeros: i32): void {
  memory.fill(y, 0, (<usize>size) << 3);
  let row = a;
  let from = zeros & ~7;
  for (let c = 0; c < size; c += BLOCK) {
    const xc = at(x, c);
    const yc = at(y, c);
    for (let r = c; r < c + BLOCK; r++) {
      const to = at(y, r);
      store<f64>(to, load<f64>(to) + dot(row, xc, from, BLOCK));
      row += ROW;
    }
    for (let r = c + BLOCK; r < size; r++) {
      const xr = v128.load64_splat(at(x, r));
      let s0 = f64x2.splat(0);
      let s1 = f64x2.splat(0);
      for (let j = (<usize>from) << 3; j < ROW; j += 64) {
        const a0 = v128.load(row + j);
        const a1 = v128.load(row + j, 16);
        const a2 = v128.load(row + j, 32);
        const a3 = v128.load(row + j, 48);
        s0 = madd(a0, v128.load(xc + j), s0);
        s1 = madd(a1, v128.load(xc + j, 16), s1);
        s0 = madd(a2, v128.load(xc + j, 32), s0);
        s1 = madd(a3, v128.load(xc + j, 48), s1);
        v128.store(yc + j, madd(a0, xr, v128.load(yc + j)));
        v128.store(yc + j, madd(a1, xr, v128.load(yc + j, 16)), 16);
        v128.store(yc + j, madd(a2, xr, v128.load(yc + j, 32)), 32);
        v128.store(yc + j, madd(a3, xr, v128.load(yc + j, 48)), 48);
      }
      const to = at(y, r);
      store<f64>(to, load<f64>(to) + lanes(f64x2.add(s0, s1)));
      row += ROW;
    }
    from = 0;
  }
}

/** y -= [V W] g over `rows` rows, of `k` columns (even) of V and as many of W. */
function subtractProduct(vw: usize, g: usize, y: usize, rows: i32, k: i32): void {
  for (let r = 0; r < rows; r++) {
    const to = at(y, r);
    store<f64>(to, load<f64>(to) - (dot(vw, g, 0, k) + dot(vw + HALF, g + HALF, 0, k)));
    vw += WIDE;
  }
}

/** g = [V W]^T x over `rows` rows (a multiple of 4), of k columns of V and of W. */
function projections(vw: usize, x: usize, g: usize, rows: i32, k: i32): void {
  memory.fill(g, 0, WIDE);
  for (let r = 0; r < rows; r += 4) {
    const x0 = v128.load64_splat(at(x, r));
    const x1 = v128.load64_splat(at(x, r), 8);
    const x2 = v128.load64_splat(at(x, r), 16);
    const x3 = v128.load64_splat(at(x, r), 24);
    for (let half: usize = 0; half < WIDE; half += HALF) {
      const from = vw + half;
      const to = g + half;
      const end = (<usize>k) << 3;
      for (let j: usize = 0; j < end; j += 16) {
        const low = madd(v128.load(from + j, WIDE), x1, madd(v128.load(from + j), x0, v128.load(to + j)));
        const high = madd(v128.load(from + j, 2 * WIDE), x2, low);
        v128.store(to + j, madd(v128.load(from + j, 3 * WIDE), x3, high));
      }
    }
    vw += 4 * WIDE;
  }
}

/** `to` = `from` with its two halves, that of V and that of W, exchanged. */
function changeOver(from: usize, to: usize): void {
  memory.copy(to, from + HALF, HALF);
  memory.copy(to + HALF, from, HALF);
}

/**
 * Reduces the columns j = start, ..., of a panel. `a` is the block column that holds `start`, whose rows begin at row
 * `first`; `n` is the order of A and `size` that with its padding. Writes V and W [size - first, 2 PANEL] at `vw`, and
 * the diagonal, the off-diagonal and tau of each column, [PANEL] each, at `out`. `work` holds 2 (size - first) + 4 PANEL
 * numbers.
 */
export function reduce(
  a: usize,
  first: i32,
  start: i32,
  n: i32,
  size: i32,
  vw: usize,
  out: usize,
  work: usize,
): void {
  const rows = size - first;
  const x = work;
  const y = at(x, rows);
  const g = at(y, rows);
  const h = g + WIDE;
  memory.fill(vw, 0, <usize>rows * WIDE);
  memory.fill(out, 0, 3 * HALF);
  const columns = min(PANEL, n - start);
  for (let i = 0; i < columns; i++) {
    // Row of the diagonal, counted from `first`, and the columns of V and W that count, rounded up to even.
    const j = start - first + i;
    const k = (i + 1) & ~1;
    memory.fill(x, 0, (<usize>j) << 3);
    for (let r = j; r < rows; r++) store<f64>(at(x, r), load<f64>(a + <usize>r * ROW + ((<usize>j) << 3)));
    changeOver(vw + <usize>j * WIDE, g);
    subtractProduct(vw + <usize>j * WIDE, g, at(x, j), rows - j, k);
    store<f64>(at(out, i), load<f64>(at(x, j)));
    store<f64>(at(x, j), 0);
    const left = n - first - j - 1;
    if (left === 0) break;
    const head = at(x, j + 1);
    const alpha = load<f64>(head);
    store<f64>(head, 0);
    const tail = dot(x, x, j & ~1, rows);
    if (left === 1 || tail < TINY) {
      // No reflection: the column is tridiagonal already.
      store<f64>(at(out, i) + HALF, alpha);
      continue;
    }
    const beta = -copysign(Math.sqrt(alpha * alpha + tail), alpha);
    const tau = (beta - alpha) / beta;
    store<f64>(at(out, i) + HALF, beta);
    store<f64>(at(out, i) + 2 * HALF, tau);
    const scale = f64x2.splat(1 / (alpha - beta));
    for (let r = j & ~1; r < rows; r += 2) {
      v128.store(at(x, r), f64x2.mul(v128.load(at(x, r)), scale));
    }
    store<f64>(head, 1);
    // w = tau (A v - V W^T v - W V^T v), less what makes it the W of a rank-2 update.
    symmetricProduct(a, x, y, rows, j + 1);
    const top = j & ~3;
    projections(vw + <usize>top * WIDE, at(x, top), g, rows - top, k);
    changeOver(g, h);
    subtractProduct(vw + <usize>top * WIDE, h, at(y, top), rows - top, k);
    memory.fill(y, 0, (<usize>(j + 1)) << 3);
    const shift = -0.5 * tau * dot(x, y, j & ~1, rows);
    let to = vw + ((<usize>i) << 3);
    for (let r = 0; r < rows; r++) {
      const v = load<f64>(at(x, r));
      store<f64>(to, v);
      store<f64>(to, tau * (load<f64>(at(y, r)) + shift * v), HALF);
      to += WIDE;
    }
  }
}
