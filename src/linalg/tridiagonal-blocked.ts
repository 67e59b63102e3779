/**
 * @file Householder's reduction of a large symmetric matrix to tridiagonal form, by panels (LAPACK's dsytrd with dlatrd;
 * Dongarra, Sorensen & Hammarling 1989). A panel of b columns gives V and W [n, b] such that
 *
 *     A <- A - V W^T - W V^T
 *
 * on what is right of and below it. Half of the operations are products of A with one vector, which cost one passage over
 * the lower triangle each: WebAssembly SIMD (assembly/reflections.ts). The other half, the update above, is the engine's.
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { zeros, type Matrix } from "./matrix.ts";
import { accumulate, view } from "./product.ts";
import { reflectionsWasm } from "./reflections.wasm.ts";
import type { Reflectors } from "./reflectors.ts";
import type { Tridiagonal } from "./tridiagonal.ts";

/** The constants of assembly/reflections.ts. */
const BLOCK = 128;
const PANEL = 32;
const BYTES = Float64Array.BYTES_PER_ELEMENT;
const PAGE = 65536;

/** What assembly/reflections.ts exports; addresses in bytes. */
type Kernel = {
  readonly memory: WebAssembly.Memory;
  readonly reduce: (
    a: number,
    first: number,
    start: number,
    n: number,
    size: number,
    vw: number,
    out: number,
    work: number,
  ) => void;
};

/** Compiled on first use. Browsers compile on the main thread too, as the module is under 4 KB. */
let compiled: WebAssembly.Module | undefined;

/** A kernel with room for `numbers` beyond its first page. */
function instance(numbers: number): Kernel {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(reflectionsWasm), (char) => char.charCodeAt(0)));
  const kernel = new WebAssembly.Instance(compiled).exports as Kernel;
  const pages = 1 + Math.ceil((numbers * BYTES) / PAGE);
  kernel.memory.grow(pages - kernel.memory.buffer.byteLength / PAGE);
  return kernel;
}

/** Numbers of an n x n matrix in block columns, n a multiple of BLOCK. */
const packedLength = (size: number): number => (size * (size + BLOCK)) / 2;

/** Where block column c begins. */
const blockStart = (size: number, c: number): number => c * BLOCK * size - (BLOCK * BLOCK * c * (c - 1)) / 2;

/** `factor` times the lower triangle of k in block columns, with whole diagonal blocks. */
function pack(k: Matrix, factor: number, size: number, out: Float64Array): void {
  const { rows: n, data } = k;
  for (let c = 0, at = 0; c * BLOCK < size; c++) {
    const left = c * BLOCK;
    for (let i = left; i < size; i++, at += BLOCK) {
      if (i >= n) continue;
      const end = Math.min(i + 1, left + BLOCK);
      for (let j = left; j < end; j++) out[at + j - left] = factor * data[i * n + j]!;
      // The upper half of the diagonal block.
      for (let j = i + 1; j < Math.min(n, left + BLOCK); j++) out[at + j - left] = factor * data[j * n + i]!;
    }
  }
}

/** Reduces factor K. */
export async function reduceBlocked(
  k: Matrix,
  factor: number,
  { vectors, ...options }: ComputeOptions & { vectors: boolean },
): Promise<Tridiagonal> {
  const n = k.rows;
  const size = Math.ceil(n / BLOCK) * BLOCK;
  const numbers = packedLength(size);
  const { memory, reduce } = instance(numbers + 2 * PANEL * size + 3 * PANEL + 2 * size + 4 * PANEL);
  const a = new Float64Array(memory.buffer, PAGE, numbers);
  const vw = new Float64Array(memory.buffer, PAGE + BYTES * numbers, 2 * PANEL * size);
  const out = new Float64Array(memory.buffer, vw.byteOffset + vw.byteLength, 3 * PANEL);
  const work = out.byteOffset + out.byteLength;
  pack(k, factor, size, a);

  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n - 1);
  const reflectors: Reflectors[] = [];
  for (let start = 0; start < n; start += PANEL) {
    await breathe(options.signal);
    const first = start - (start % BLOCK);
    const block = PAGE + BYTES * blockStart(size, first / BLOCK);
    reduce(block, first, start, n, size, vw.byteOffset, out.byteOffset, work);
    const count = Math.min(PANEL, n - start);
    diagonal.set(out.subarray(0, count), start);
    offDiagonal.set(out.subarray(PANEL, PANEL + Math.min(count, n - 1 - start)), start);
    if (vectors) {
      keep(reflectors, vw, start, n, out.subarray(2 * PANEL, 2 * PANEL + count));
    }
    if (start + PANEL < n) await updateTrailing(a, vw, start + PANEL, first, size, options);
  }
  return { diagonal, offDiagonal, reflectors };
}

/** Copies V, whose rows begin at row `start - start % BLOCK` of A, without its zero rows. */
function keep(to: Reflectors[], vw: Float64Array, start: number, n: number, tau: Float64Array): void {
  const count = Math.min(tau.length, n - 2 - start);
  if (count <= 0) return;
  const v = zeros(n - start - 1, count);
  for (let i = 0, at = 2 * PANEL * ((start % BLOCK) + 1); i < v.rows; i++, at += 2 * PANEL) {
    v.data.set(vw.subarray(at, at + count), i * count);
  }
  to.push({ start: start + 1, v, tau: tau.slice(0, count) });
}

/** A -= V W^T + W V^T for every block column that holds a column from `next` on; `vw` begins at row `first`. */
async function updateTrailing(
  a: Float64Array,
  vw: Float64Array,
  next: number,
  first: number,
  size: number,
  options: ComputeOptions,
): Promise<void> {
  const wv = zeros(BLOCK, 2 * PANEL);
  for (let left = next - (next % BLOCK); left < size; left += BLOCK) {
    const panel = view(vw, 2 * PANEL, left - first, size - first);
    for (let at = 0; at < wv.data.length; at += 2 * PANEL) {
      wv.data.set(panel.data.subarray(at + PANEL, at + 2 * PANEL), at);
      wv.data.set(panel.data.subarray(at, at + PANEL), at + PANEL);
    }
    const block = view(a.subarray(blockStart(size, left / BLOCK)), BLOCK, 0, size - left);
    await accumulate(block, -1, panel, wv, { ...options, transB: true });
  }
}
