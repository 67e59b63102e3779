/**
 * @file Products of float64 matrices: plain loops while they are small or no engine is given, the float64 Gemm of the engine on the
 * CPU beyond. What this folder factors and solves is built from these, so that large problems run at the speed of the machine.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import type { Engine, Program } from "../engine/engine.ts";
import { createGraph } from "../engine/graph.ts";
import { gemm } from "../engine/ops.ts";
import { matrix, multiply, rowRange, transpose, zeros, type Matrix } from "./matrix.ts";

/** Options of {@link product} and {@link accumulate}. */
export type ProductOptions = ComputeOptions & { transA?: boolean; transB?: boolean };

/** Multiply-adds below which a session's overhead costs more than the loops. */
const SMALL = 2 ** 17;
/**
 * Multiply-adds of one run: nothing else happens in this thread meanwhile, and it takes less than a tenth of a second. Every run
 * goes through all of the right-hand side, or of the result, so that it has some rows at the least.
 */
const RUN = 1.5e9;
const ROWS = { plain: 128, transposed: 512 };
/** Multiply-adds that loops take between two looks at the signal: some milliseconds. */
const LOOPS = 2 ** 22;

/** op(a) op(b) as a new matrix. */
export async function product(a: Matrix, b: Matrix, options: ProductOptions = {}): Promise<Matrix> {
  const { rows, inner, cols } = sizes(a, b, options);
  if (rows * inner * cols < SMALL) return multiplied(a, b, options);
  return productInto(zeros(rows, cols), a, b, options);
}

/** op(a) op(b), written over `out`, which may be a view. */
export async function productInto(
  out: Matrix,
  a: Matrix,
  b: Matrix,
  options: ProductOptions = {},
): Promise<Matrix> {
  const { rows, inner, cols } = sizes(a, b, options);
  if (out.rows !== rows || out.cols !== cols) {
    throw new RangeError(`product: wanted an output of ${rows} x ${cols}, got ${out.rows} x ${out.cols}`);
  }
  if (rows * inner * cols < SMALL) out.data.set(multiplied(a, b, options).data);
  else await large(a, b, undefined, out, options);
  return out;
}

/** op(a) op(b) by loops. */
const multiplied = (a: Matrix, b: Matrix, { transA, transB }: ProductOptions): Matrix =>
  multiply(transA ? transpose(a) : a, transB ? transpose(b) : b);

/** c += sign * op(a) op(b), in place; `c` may be a view. */
export async function accumulate(
  c: Matrix,
  sign: 1 | -1,
  a: Matrix,
  b: Matrix,
  options: ProductOptions = {},
): Promise<void> {
  const { rows, inner, cols } = sizes(a, b, options);
  if (rows * inner * cols < SMALL) {
    const ab = multiplied(a, b, options);
    for (let i = 0; i < c.data.length; i++) c.data[i]! += sign * ab.data[i]!;
    return;
  }
  await large(a, b, sign, c, options);
}

/** out = op(a) op(b), or (with a sign) out += sign * op(a) op(b). */
type Large = (
  a: Matrix,
  b: Matrix,
  sign: 1 | -1 | undefined,
  out: Matrix,
  options: ProductOptions,
) => Promise<void>;

const large: Large = (...args) => (args[4].engine ? inRuns(...args) : inLoops(...args));

/** By loops, some rows at a time. */
const inLoops: Large = async (a, b, sign, out, { transA, transB, signal }) => {
  const left = transA ? transpose(a) : a;
  const right = transB ? transpose(b) : b;
  const step = Math.max(1, Math.floor(LOOPS / (left.cols * right.cols)));
  for (let from = 0; from < left.rows; from += step) {
    await breathe(signal);
    const to = Math.min(from + step, left.rows);
    const { data } = multiply(rowRange(left, from, to), right);
    const place = rowRange(out, from, to).data;
    if (sign === undefined) place.set(data);
    else for (let i = 0; i < data.length; i++) place[i]! += sign * data[i]!;
  }
};

/** By the engine, in runs of about {@link RUN}. */
const inRuns: Large = async (a, b, sign, out, options) => {
  const { rows, inner, cols } = sizes(a, b, options);
  const { transA = false, transB = false } = options;
  // Rows of A^T lie apart: a sum over rows of A and of B is then what can be cut.
  const count = a.rows;
  const step = Math.max(
    transA ? ROWS.transposed : ROWS.plain,
    Math.ceil((RUN * count) / (rows * inner * cols)),
  );
  if (step >= count || (transA && transB)) return run(a, b, sign, out, options);
  for (let from = 0; from < count; from += step) {
    const part = (m: Matrix) => rowRange(m, from, Math.min(from + step, count));
    if (!transA) await run(part(a), b, sign, part(out), options);
    // Where nothing is to be added to, the first piece is what the others are added to.
    else await run(part(a), part(b), sign ?? (from === 0 ? undefined : 1), out, options);
  }
};

function sizes(a: Matrix, b: Matrix, { transA = false, transB = false }: ProductOptions) {
  const [rows, inner] = transA ? [a.cols, a.rows] : [a.rows, a.cols];
  const [match, cols] = transB ? [b.cols, b.rows] : [b.rows, b.cols];
  if (inner !== match)
    throw new RangeError(`product: wanted inner sizes to agree, got ${inner} and ${match}`);
  return { rows, inner, cols };
}

/** The programs that a float64 engine has compiled, by which operands they transpose and whether they add. */
const compiled = new WeakMap<Engine, Map<string, Promise<Program>>>();

/** One run: `out` is written over or, with a sign, added to. */
const run: Large = async (a, b, sign, out, { engine, transA = false, transB = false }) => {
  const host = await engine!.float64();
  const program = await programOf(host, transA, transB, sign);
  const tensor = (m: Matrix) => host.tensor(m.data, [m.rows, m.cols]);
  const feeds = { a: tensor(a), b: tensor(b), ...(sign === undefined ? {} : { c: tensor(out) }) };
  await program.run(feeds, { out: tensor(out) });
};

function programOf(
  engine: Engine,
  transA: boolean,
  transB: boolean,
  sign: 1 | -1 | undefined,
): Promise<Program> {
  const programs = compiled.get(engine) ?? new Map<string, Promise<Program>>();
  compiled.set(engine, programs);
  const key = [transA, transB, sign].join();
  const program = programs.get(key) ?? engine.compile(productGraph(transA, transB, sign));
  programs.set(key, program);
  return program;
}

function productGraph(
  transA: boolean,
  transB: boolean,
  sign: 1 | -1 | undefined,
): ReturnType<typeof createGraph> {
  const g = createGraph("float64");
  const a = g.input("a", ["a0", "a1"]);
  const b = g.input("b", ["b0", "b1"]);
  const plus = sign === undefined ? {} : { plus: g.input("c", ["m", "n"]), negate: sign < 0 };
  g.output("out", gemm(g, a, b, { transA, transB, ...plus }), ["m", "n"]);
  return g;
}

/** Rows [start, end) of a matrix given as a flat array of `cols` columns, without copying. */
export const view = (data: Float64Array, cols: number, start: number, end: number): Matrix =>
  matrix(end - start, cols, data.subarray(start * cols, end * cols));
