/**
 * @file NumPy's `.npz` archives as bytes: a zip container of `.npy` files. Reads stored and deflated entries
 * (`numpy.savez`, `numpy.savez_compressed`) and verifies every size and checksum; writes stored entries.
 *
 * Format: PKWARE's APPNOTE 6.3, without zip64: archives stay below 4 GiB.
 */
import { InputError } from "../error.ts";
import { byteReader, inflatedChunks } from "./byte-reader.ts";
import {
  NPY_START,
  type NpyArray,
  type NpyHeader,
  npyHeader,
  npyOffset,
  npyParts,
  type NpySource,
  readNpy,
} from "./npy.ts";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;

const fail = (name: string, wanted: string, got: string): InputError =>
  new InputError(`npz ${name}: wanted ${wanted}, got ${got}`);

/** Limits on reading an archive. */
export type NpzReading = {
  /** Bytes that the archive, its arrays and the largest of its entries may take together (default: any number). */
  readonly limit?: number;
};

/**
 * Reads every array of a `.npz` archive by its name (without `.npy`). Nothing is unpacked beyond the size that the
 * archive records for an entry, and that size is held to the entry's own header and to `limit` first.
 * @param name what errors call the archive
 * @throws InputError `npz name: wanted ..., got ...` when it is truncated, corrupt, too large or holds anything but real
 *   numbers.
 */
export async function readNpz(
  bytes: Uint8Array,
  name: string,
  { limit = Infinity }: NpzReading = {},
): Promise<Map<string, NpyArray>> {
  const all = entries(bytes, name);
  // Overlapping entries let a small archive unpack to any size; no writer makes them.
  const packed = sum(all.map(({ packed }) => packed.length));
  if (packed > bytes.length) throw fail(name, "entries that do not overlap", `${packed} bytes of them`);

  const found = all.filter((entry) => entry.name.endsWith(".npy"));
  const fits = (needed: number): void => {
    if (needed <= limit) return;
    throw fail(
      name,
      `an archive that takes at most ${Math.floor(limit)} bytes (the memory limit)`,
      `${needed}`,
    );
  };
  fits(bytes.length + sum(found.map(({ size }) => size)));
  const arrays = new Map<string, NpyArray>();
  let taken = bytes.length;
  for (const entry of found) {
    const key = entry.name.slice(0, -".npy".length);
    const what = `${name} (${key})`;
    const content = await unpack(entry, what, ({ shape, end, memory }) => {
      if (end !== entry.size) {
        throw fail(what, `${end} bytes for shape (${shape.join(", ")})`, `${entry.size} in the directory`);
      }
      taken += memory;
      fits(taken + entry.size);
    });
    arrays.set(key, readNpy(content, what));
  }
  return arrays;
}

type Entry = { name: string; method: number; crc: number; size: number; packed: Uint8Array };

/** The entries of a zip archive, by its central directory. */
function entries(bytes: Uint8Array, name: string): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const expect = (at: number, signature: number): number => {
    if (at + 22 <= bytes.length && view.getUint32(at, true) === signature) return at;
    throw fail(name, "a whole .npz archive", `${bytes.length} bytes, broken at ${at}`);
  };
  // The directory's end is the last 22 bytes, or before a comment of at most 65535.
  const first = Math.max(0, bytes.length - 22 - 0xffff);
  let end = bytes.length - 22;
  while (end >= first && view.getUint32(end, true) !== END) end--;
  if (end < first) throw fail(name, "a whole .npz archive", `${bytes.length} bytes without a zip directory`);
  const found: Entry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    expect(at, CENTRAL);
    const packedSize = view.getUint32(at + 20, true);
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const local = expect(view.getUint32(at + 42, true), LOCAL);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + packedSize > end) throw fail(name, `${packedSize} bytes at ${start}`, `an end at ${end}`);
    found.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, nameEnd)),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      size: view.getUint32(at + 24, true),
      packed: bytes.subarray(start, start + packedSize),
    });
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return found;
}

/**
 * The content of an entry, with its size and checksum verified.
 * @param check called with the header before the rest is unpacked
 */
async function unpack(
  { method, size, crc, packed }: Entry,
  name: string,
  check: (header: NpyHeader) => void,
): Promise<Uint8Array> {
  if (method !== 0 && method !== 8) throw fail(name, "a stored or deflated entry", `zip method ${method}`);
  if (method === 0 && packed.length !== size) throw fail(name, `${size} bytes`, `${packed.length}`);
  if (method === 0) check(npyHeader(packed, name));
  const content = method === 0 ? packed : await inflate(packed, size, name, check);
  if (crc32(content) !== crc) throw fail(name, "data with the recorded checksum", "corrupt data");
  return content;
}

/** Inflates `size` bytes, and checks that there are no more. */
async function inflate(
  packed: Uint8Array,
  size: number,
  name: string,
  check: (header: NpyHeader) => void,
): Promise<Uint8Array> {
  const inflated = inflatedChunks(packed, () => fail(name, "a whole deflated entry", "corrupt data"));
  try {
    const read = byteReader(inflated);
    const start = await read(new Uint8Array(Math.min(NPY_START, size)));
    const rest = new Uint8Array(Math.max(0, Math.min(npyOffset(start, name), size) - start.length));
    const head = concat([start, await read(rest)]);
    check(npyHeader(head, name));
    const content = new Uint8Array(size);
    content.set(head);
    const got = await read(content.subarray(head.length));
    if (head.length + got.length < size) throw fail(name, `${size} bytes`, `${head.length + got.length}`);
    if ((await read(new Uint8Array(1))).length > 0) throw fail(name, `${size} bytes`, "more");
    return content;
  } finally {
    await inflated.return(undefined);
  }
}

/** Bytes that an archive stays below: without zip64 its offsets have 32 bits. */
export const ARCHIVE_LIMIT = 2 ** 32;

/**
 * The bytes of a `.npz` archive, uncompressed as `numpy.savez` writes it, piece after piece; the numbers are views of the
 * arrays, so that an archive of any size takes no memory. The same arrays give the same bytes.
 * @param limit bytes that it must stay below
 * @throws InputError when it would not, before anything is written.
 */
export function npzParts(
  arrays: Readonly<Record<string, NpySource>>,
  limit = ARCHIVE_LIMIT,
): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [key, array] of Object.entries(arrays)) {
    const name = new TextEncoder().encode(`${key}.npy`);
    const content = npyParts(array);
    const size = length(content);
    if (offset + size >= limit) {
      throw fail("archive", `less than ${limit} bytes`, `${offset + size} and more with ${key}`);
    }
    // version 2.0, UTF-8 names, stored, 1980-01-01 00:00; then checksum, both sizes, length of name, no extra field
    const shared = [u16(20, 0x800, 0, 0, 33), u32(crc32(...content), size, size)];
    const header = [u32(LOCAL), ...shared, u16(name.length, 0), name];
    directory.push(u32(CENTRAL), u16(20), ...shared, u16(name.length, 0, 0, 0, 0), u32(0, offset), name);
    parts.push(...header, ...content);
    offset += length(header) + size;
  }
  const count = Object.keys(arrays).length;
  return [...parts, ...directory, u32(END), u16(0, 0, count, count), u32(length(directory), offset), u16(0)];
}

/** Writes a `.npz` archive into one array. */
export const writeNpz = (arrays: Readonly<Record<string, NpySource>>): Uint8Array => concat(npzParts(arrays));

/** Little-endian unsigned numbers as bytes. */
const u16 = (...values: number[]): Uint8Array => Uint8Array.from(values.flatMap((x) => [x & 255, x >>> 8]));
const u32 = (...values: number[]): Uint8Array => u16(...values.flatMap((x) => [x & 0xffff, x >>> 16]));

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const length = (parts: readonly Uint8Array[]): number => sum(parts.map((part) => part.length));

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(length(parts));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc32(...parts: readonly Uint8Array[]): number {
  let crc = 0xffffffff;
  for (const bytes of parts) {
    // By index: an iterator costs five times as much here.
    for (let i = 0; i < bytes.length; i++) crc = CRC[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
