/**
 * @file Files read and written whole, with errors of one line that name the file.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "../../error.ts";

/** ENOENT, EACCES, ... of what the system refused. */
export const errorCode = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** How {@link readWhole} reads; the defaults are what Node and the formats bear, other values are for tests. */
export type ReadOptions = {
  /** Bytes of a read: larger files are read piece by piece, as Node's `readFile` refuses those above 2 GiB. */
  readonly piece?: number;
  /** Bytes of the largest file. An archive without zip64 ends there, and so does an array in Node 20. */
  readonly limit?: number;
};

/**
 * The bytes of a file.
 * @throws InputError `path: wanted a readable file, got ENOENT`.
 */
export async function readWhole(
  path: string,
  { piece = 2 ** 30, limit = 2 ** 32 }: ReadOptions = {},
): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > limit) {
      throw new InputError(`${path}: wanted a file of at most ${limit} bytes, got ${size}`);
    }
    return size > piece ? await readPieces(path, size, piece) : await readFile(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: wanted a readable file, got ${errorCode(error)}`);
  }
}

/** The `size` bytes of a file, or fewer where it ends. */
async function readPieces(path: string, size: number, piece: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const bytes = new Uint8Array(size);
    let done = 0;
    for (let read = -1; done < size && read !== 0; done += read) {
      ({ bytesRead: read } = await file.read(bytes, done, Math.min(piece, size - done), done));
    }
    return bytes.subarray(0, done);
  } finally {
    await file.close();
  }
}

/**
 * Writes a file whole or not at all: into a temporary file beside it, then by rename. Makes its folder. Bytes may come
 * in pieces.
 * @throws InputError `path: wanted a writable folder, got EACCES`; nothing is left behind.
 */
export async function writeWhole(
  path: string,
  bytes: Uint8Array | string | Iterable<Uint8Array>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, "wx");
    try {
      await writeFile(file, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new InputError(`${path}: wanted a writable place, got ${errorCode(error)}`);
  }
}
