/**
 * @file log(1 + z) in float32, step for step as XLA compiles it for CPUs with fused multiply-add, so that JAX's
 * normals come out bit for bit. Both branches are Cephes's (Moshier, 1989: `logf` and `log1p`). A fused
 * multiply-add of float32s is here a float64 product and sum, rounded once more: the same up to rare ties.
 */
const { fround } = Math;

/** Numerator and denominator of (log(1 + z) - z + z^2/2) / z^3 for small |z|, highest power first. */
const NUMERATOR = Float32Array.of(
  4.527000086e-5,
  0.498541028,
  6.578732594,
  29.911919329,
  60.949667981,
  57.112963591,
  20.0395535,
);
const DENOMINATOR = Float32Array.of(
  1,
  15.062909083,
  83.047565968,
  221.762398237,
  309.098722253,
  216.427886145,
  60.1186605,
);

/** (log(1 + f) - f + f^2/2) / f^3 for sqrt(1/2) <= 1 + f < sqrt(2), highest power first. */
const LOG = Float32Array.of(
  7.0376836292e-2,
  -1.151461031e-1,
  1.167699874e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
);
/** ln 2 in two parts: the high one is short, so that its products with exponents are exact. */
const LN2_LOW = fround(-2.1219444e-4);
const LN2_HIGH = 0.693359375;

const polynomial = (coefficients: Float32Array, z: number): number => {
  let p = coefficients[0]!;
  for (let i = 1; i < coefficients.length; i++) p = fround(p * z + coefficients[i]!);
  return p;
};

/** Coefficients i..i+2 of LOG as a parabola in f. */
const parabola = (i: number, f: number): number =>
  fround(fround(LOG[i]! * f + LOG[i + 1]!) * f + LOG[i + 2]!);

/** A float32 and its bits, as two views of the same memory. */
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

function log(x: number): number {
  // x = m 2^k with sqrt(1/2) <= m < sqrt(2): what is left of the exponent over that of sqrt(1/2).
  float[0] = x;
  const k = (bits[0]! - 0x3f3504f3) >> 23;
  bits[0]! -= k << 23;
  const f = float[0] - 1;
  const square = fround(f * f);
  const cube = fround(square * f);
  let p = fround(parabola(0, f) * cube + parabola(3, f));
  p = fround(p * cube + parabola(6, f));
  p = fround(p * cube + fround(k * LN2_LOW));
  return fround(k * LN2_HIGH + fround(fround(f - 0.5 * square) + p));
}

/** log(1 + z) of a float32 z > -1, as a float32 within a few units in the last place. */
export function log1p(z: number): number {
  if (Math.abs(z) >= fround(Math.SQRT2 - 1)) return log(fround(1 + z));
  const square = fround(z * z);
  const ratio = fround(polynomial(NUMERATOR, z) / polynomial(DENOMINATOR, z));
  const tail = fround(fround(z * square) * ratio);
  return fround(z + fround(tail - 0.5 * square));
}
