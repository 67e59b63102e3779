/**
 * @file NumPy's `.npy` as bytes: reads every real dtype, byte order and memory order; writes what natgrad saves.
 *
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { InputError } from "../error.ts";
import type { Floats, Matrix } from "./matrix.ts";

/**
 * An array as read, row-major. float16 and float32 come as Float32Array, every other real dtype as Float64Array,
 * both without loss.
 */
export type NpyArray = { readonly shape: readonly number[]; readonly data: Floats };

/** An array to write, row-major; the dtype follows from the storage (float32, float64, uint8, int32, int64). */
export type NpySource = {
  readonly shape: readonly number[];
  readonly data: Floats | Uint8Array | Int32Array | BigInt64Array;
};

const STORAGE = {
  f2: Uint16Array,
  f4: Float32Array,
  f8: Float64Array,
  b1: Uint8Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
} as const;
type Kind = keyof typeof STORAGE;

const fail = (name: string, wanted: string, got: string): InputError =>
  new InputError(`npz ${name}: wanted ${wanted}, got ${got}`);

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What the header of a `.npy` file says. */
export type NpyHeader = {
  readonly shape: readonly number[];
  readonly kind: Kind;
  readonly bigEndian: boolean;
  readonly fortran: boolean;
  /** Where the numbers begin, and where they end: the size of the file. */
  readonly offset: number;
  readonly end: number;
  /** Bytes that the numbers take once read. */
  readonly memory: number;
};

/** Bytes at the beginning of a file that say how long its header is. */
export const NPY_START = 12;

/** The longest header that is read, in bytes: those of plain numbers are far shorter. */
const HEADER_LIMIT = 1 << 16;

/**
 * Where the numbers of a `.npy` file begin, by its first {@link NPY_START} bytes.
 * @throws InputError when it is not a `.npy` file.
 */
export function npyOffset(bytes: Uint8Array, name: string): number {
  const version = bytes[6]!;
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start || String.fromCharCode(...bytes.subarray(0, 6)) !== "\x93NUMPY") {
    throw fail(name, "a .npy file (it begins with \\x93NUMPY)", `${bytes.length} bytes of something else`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (version < 1 || version > 3) throw fail(name, ".npy version 1, 2 or 3", `${version}`);
  if (length > HEADER_LIMIT) throw fail(name, `a header of at most ${HEADER_LIMIT} bytes`, `${length}`);
  return start + length;
}

/**
 * Reads the header of a `.npy` file, of which `bytes` are the beginning at least.
 * @throws InputError `npz name: wanted ..., got ...` when it is truncated, corrupt or not of real numbers.
 */
export function npyHeader(bytes: Uint8Array, name: string): NpyHeader {
  const offset = npyOffset(bytes, name);
  if (offset > bytes.length) throw fail(name, `a header of ${offset} bytes`, `${bytes.length} (truncated)`);
  const start = bytes[6] === 1 ? 10 : 12;
  const header = new TextDecoder().decode(bytes.subarray(start, offset)).trim();
  const descr = /'descr': *'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order': *(True|False)/.exec(header)?.[1];
  const sizes = /'shape': *\(([\d, ]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || sizes === undefined) {
    throw fail(name, "a header with descr, fortran_order and shape of one plain dtype", header.slice(0, 80));
  }
  const kind = descr.slice(1) as Kind;
  if (!/^[<>|=]/.test(descr) || !Object.hasOwn(STORAGE, kind))
    throw fail(name, "real numbers", `dtype ${descr}`);

  const shape = [...sizes.matchAll(/\d+/g)].map(Number);
  // A product with a zero size says nothing of the other sizes, so those are checked without it.
  const count = product(shape);
  if (!Number.isSafeInteger(8 * count) || !shape.every(Number.isSafeInteger))
    throw fail(name, "a shape that can be", `(${sizes})`);
  return {
    shape,
    kind,
    bigEndian: descr.startsWith(">"),
    fortran: order === "True" && shape.length > 1,
    offset,
    end: offset + count * STORAGE[kind].BYTES_PER_ELEMENT,
    memory: count * (kind === "f2" || kind === "f4" ? 4 : 8),
  };
}

/**
 * Reads one `.npy` file.
 * @param name what errors call it
 * @throws InputError `npz name: wanted ..., got ...` when it is truncated, corrupt or not real numbers.
 */
export function readNpy(bytes: Uint8Array, name: string): NpyArray {
  const { shape, kind, bigEndian, fortran, offset, end } = npyHeader(bytes, name);
  if (end > bytes.length) {
    throw fail(name, `${end} bytes for shape (${shape.join(", ")})`, `${bytes.length} (truncated)`);
  }
  // A copy, aligned for any storage (`slice` of a Node Buffer would be a view).
  const content = new Uint8Array(bytes.subarray(offset, end));
  if (bigEndian) {
    const width = STORAGE[kind].BYTES_PER_ELEMENT;
    for (let i = 0; i < content.length; i += width) content.subarray(i, i + width).reverse();
  }
  const data = widen(kind, content.buffer, name);
  return { shape, data: fortran ? fromFortran(data, shape) : data };
}

/** Little-endian elements as float32 or float64, without loss. */
function widen(kind: Kind, buffer: ArrayBuffer, name: string): Floats {
  const stored = new STORAGE[kind](buffer);
  if (stored instanceof Float32Array || stored instanceof Float64Array) return stored;
  if (kind === "f2") return Float32Array.from(stored as Uint16Array, halfToFloat);
  if (stored instanceof BigInt64Array || stored instanceof BigUint64Array) {
    return Float64Array.from({ length: stored.length }, (_, i) => {
      if (Number.isSafeInteger(Number(stored[i]))) return Number(stored[i]);
      throw fail(name, "integers below 2^53", String(stored[i]));
    });
  }
  return new Float64Array(stored);
}

/** IEEE 754 binary16 to a number. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Column-major to row-major, any number of axes. */
function fromFortran<T extends Floats>(data: T, shape: readonly number[]): T {
  const out = data.slice() as T;
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => product(shape.slice(0, axis)));
  for (let i = 0, at = 0; i < out.length; i++) {
    out[i] = data[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/**
 * One `.npy` file (version 1.0, little-endian, row-major) as its header and its numbers, the latter a view of `data`.
 * @throws InputError when the shape and the data disagree.
 */
export function npyParts({ shape, data }: NpySource): readonly [header: Uint8Array, numbers: Uint8Array] {
  if (product(shape) !== data.length)
    throw fail("array", `shape (${shape.join(", ")})`, `${data.length} numbers`);
  const unsigned = data instanceof Uint8Array;
  const letter = data instanceof Float32Array || data instanceof Float64Array ? "f" : unsigned ? "u" : "i";
  const descr = `${unsigned ? "|" : "<"}${letter}${data.BYTES_PER_ELEMENT}`;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((text.length + 11) / 64) * 64 - 10; // the data begins at a multiple of 64
  const header = new Uint8Array(10 + length);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8]);
  header.set(new TextEncoder().encode(`${text.padEnd(length - 1)}\n`), 10);
  return [header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

/**
 * Writes one `.npy` file (version 1.0, little-endian, row-major).
 * @throws InputError when the shape and the data disagree.
 */
export function writeNpy(source: NpySource): Uint8Array {
  const [header, numbers] = npyParts(source);
  const bytes = new Uint8Array(header.length + numbers.length);
  bytes.set(header);
  bytes.set(numbers, header.length);
  return bytes;
}

/**
 * A two-dimensional array as a matrix, a one-dimensional [n] as a column [n, 1], on the same memory.
 * @throws InputError when it has another number of axes.
 */
export function npyMatrix({ shape, data }: NpyArray, name: string): Matrix<Floats> {
  const [rows, cols = 1] = shape;
  if (rows === undefined || shape.length > 2) throw fail(name, "two axes", `shape (${shape.join(", ")})`);
  return { rows, cols, data };
}
