/**
 * @file Files read and written whole, with errors of one line that name the file. Only plain files are read, as long as
 * the system says they are: a device has no end, and a pipe may never have a beginning.
 */
import { randomUUID } from "node:crypto";
import { constants, createReadStream, type Stats } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError, printable } from "../../error.ts";
import { defaultMemoryLimit } from "./memory-limit.ts";
import { noteTemporary } from "./temporaries.ts";

/** ENOENT, EACCES, ... of what the system refused. */
export const errorCode = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** An error with a code, as the system's are. */
const refused = (code: string, path: string): Error => Object.assign(new Error(`${code}: ${path}`), { code });

/**
 * Whether this is a plain file.
 * @throws Error with a code: EISDIR, `a device`, ...
 */
export function checkPlain(found: Stats, path: string): void {
  if (found.isFile()) return;
  if (found.isDirectory()) throw refused("EISDIR", path);
  throw refused(found.isFIFO() ? "a pipe" : found.isSocket() ? "a socket" : "a device", path);
}
/** A path in an error: what is not seen of it is escaped, and an empty one is quoted. */
const named = (path: string): string => printable(path) || '""';

/**
 * Opens a plain file to read it.
 * @throws Error with a code: ENOENT, EISDIR, `a device`, ...
 */
export async function openPlain(path: string): Promise<FileHandle> {
  // Checked before it is opened: opening waits for the writer of a pipe, and may start a device.
  checkPlain(await stat(path), path);
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    checkPlain(await file.stat(), path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The bytes of a plain file as they come.
 * @throws Error with a code, as {@link openPlain}.
 */
export async function* streamPlain(path: string): AsyncGenerator<Uint8Array> {
  const file = await openPlain(path);
  try {
    const { size } = await file.stat();
    if (size > 0) yield* createReadStream(path, { fd: file, autoClose: false, end: size - 1 });
  } finally {
    await file.close();
  }
}

/** How {@link readWhole} reads. */
export type ReadOptions = {
  /** Bytes that the file may have (default: 90 % of the free memory). */
  readonly limit?: number | undefined;
  /** Bytes of one read, as the system reads no more than 2 GiB at once; another value is for tests. */
  readonly piece?: number;
};

/** Bytes of the largest file: an archive without zip64 ends there, and so does an array in Node 20. */
const LARGEST = 2 ** 32 - 2;

/**
 * The bytes of a plain file.
 * @throws InputError `path: wanted a readable file, got ENOENT`, or `a device`, or more bytes than it is said to have.
 */
export async function readWhole(
  path: string,
  { limit = defaultMemoryLimit(), piece = 2 ** 30 }: ReadOptions = {},
): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await openPlain(path);
    const { size } = await file.stat();
    if (size > limit) {
      throw new InputError(
        `${named(path)}: wanted a file of at most ${Math.floor(limit)} bytes (the memory limit), got ${size}`,
      );
    }
    if (size > LARGEST) throw new InputError(`${named(path)}: wanted a file below 4 GiB, got ${size} bytes`);
    // One byte more than the size, to see that the file ends there; files in /proc do not.
    const bytes = Buffer.alloc(size + 1);
    let done = 0;
    for (let read = -1; read !== 0 && done <= size; done += read) {
      read = (await file.read(bytes, done, Math.min(size + 1 - done, piece), done)).bytesRead;
    }
    if (done !== size) {
      throw new InputError(
        `${named(path)}: wanted a file of ${size} bytes, as recorded, got ${done > size ? "more" : done}`,
      );
    }
    return bytes.subarray(0, size);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${named(path)}: wanted a readable file, got ${errorCode(error)}`);
  } finally {
    await file?.close();
  }
}

/**
 * Makes a folder and those that it is in. (The recursive `mkdir` of Node never ends in /proc.)
 * @throws Error with a code: EACCES, ENOTDIR, ENOENT where none can be made, ...
 */
export async function makeFolder(folder: string): Promise<void> {
  for (const place of (await nearest(folder)).missing) {
    try {
      await mkdir(place);
    } catch (error) {
      // Another process may have been quicker.
      if (errorCode(error) !== "EEXIST" || !(await isFolder(place))) throw error;
    }
  }
}

/**
 * Finds out whether files can be written into a folder, or the folder can be made, by making one with a temporary name in the
 * nearest folder that exists; leaves everything as it was.
 * @throws Error with a code when it cannot.
 */
export async function tryFolder(folder: string): Promise<void> {
  const { place, missing } = await nearest(folder);
  const probe = temporaryBeside(join(place, "natgrad"));
  if (missing.length > 0) {
    await mkdir(probe);
    await rmdir(probe);
  } else {
    await (await open(probe, "wx")).close();
    await rm(probe);
  }
}

/** The nearest folder that exists, and the missing folders inside it, outermost first. */
async function nearest(folder: string): Promise<{ place: string; missing: readonly string[] }> {
  const missing: string[] = [];
  let place = resolve(folder);
  for (; !(await isFolder(place)); place = dirname(place)) {
    // The root of a missing drive has no parent.
    if (dirname(place) === place) throw refused("ENOENT", place);
    missing.unshift(place);
  }
  return { place, missing };
}

/** @throws Error with a code when something else is there, or permission to look is missing. */
async function isFolder(place: string): Promise<boolean> {
  try {
    if ((await stat(place)).isDirectory()) return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
  throw refused("ENOTDIR", place);
}

const temporaryBeside = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.tmp`);

/**
 * Writes a file whole or not at all: into a temporary file beside it, then by rename. Makes its folder. Bytes may come
 * in pieces.
 * @throws InputError `path: wanted a writable place, got EACCES`; nothing is left behind.
 */
export async function writeWhole(
  path: string,
  bytes: Uint8Array | string | Iterable<Uint8Array>,
): Promise<void> {
  const temporary = temporaryBeside(path);
  const forget = noteTemporary(temporary);
  try {
    await makeFolder(dirname(path));
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
    throw new InputError(`${named(path)}: wanted a writable place, got ${errorCode(error)}`);
  } finally {
    forget();
  }
}
