/**
 * @file Files read and written whole, with errors of one line that name the file.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError, printable } from "../../error.ts";

/** ENOENT, EACCES, ... of what the system refused. */
export const errorCode = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** A path in an error: what is not seen of it is escaped, and an empty one is quoted. */
const named = (path: string): string => printable(path) || '""';

/**
 * The bytes of a file.
 * @throws InputError `path: wanted a readable file, got ENOENT`.
 */
export async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new InputError(`${named(path)}: wanted a readable file, got ${errorCode(error)}`);
  }
}

/**
 * Writes a file whole or not at all: into a temporary file beside it, then by rename. Makes its folder.
 * @throws InputError `path: wanted a writable folder, got EACCES`; nothing is left behind.
 */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new InputError(`${named(path)}: wanted a writable place, got ${errorCode(error)}`);
  }
}
