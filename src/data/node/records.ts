/**
 * @file Records of one size in a file, read by position: reading a hundred images does not read the whole file.
 */
import type { FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { InputError } from "../../error.ts";
import { errorCode, openPlain } from "./files.ts";

/** Records closer than this are fetched by one read; no read is longer than {@link READ_BYTES}. */
const GAP_BYTES = 1 << 16;
const READ_BYTES = 1 << 22;

/** Records of `size` bytes, one after another from byte `start` of a file. */
export type RecordLayout = { readonly start: number; readonly size: number };

/** The records [indices.length, size] at ascending `indices`, neighbours by one read; zeros past the file's end. */
export async function readRecords(
  file: FileHandle,
  indices: Uint32Array,
  { start, size }: RecordLayout,
): Promise<Uint8Array> {
  const out = new Uint8Array(indices.length * size);
  for (let from = 0, to = 0; from < indices.length; from = to) {
    const first = indices[from]!;
    for (to = from + 1; to < indices.length; to++) {
      const gap = (indices[to]! - indices[to - 1]!) * size;
      if (gap > GAP_BYTES || (indices[to]! + 1 - first) * size > READ_BYTES) break;
    }
    const bytes = await readAt(file, start + first * size, (indices[to - 1]! + 1 - first) * size);
    for (let i = from; i < to; i++) {
      const at = (indices[i]! - first) * size;
      out.set(bytes.subarray(at, at + size), i * size);
    }
  }
  return out;
}

/** `length` bytes at `position`, or fewer at the end of the file. */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/**
 * Opens `path`, hands it to `use` with its base name, and closes it whatever happens.
 * @throws InputError `path: wanted a readable file, got ENOENT`.
 */
export async function withFile<T>(
  path: string,
  use: (file: FileHandle, name: string) => Promise<T>,
): Promise<T> {
  const file = await openPlain(path).catch((error: unknown) => {
    throw new InputError(`${path}: wanted a readable file, got ${errorCode(error)}`);
  });
  try {
    return await use(file, basename(path));
  } finally {
    await file.close();
  }
}
