/**
 * @file Files in a gzipped tar archive, as they come.
 *
 * Format: POSIX.1-1988 ustar, 512-byte blocks; extended headers and everything but plain files are skipped.
 */
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Bytes } from "./fetch.ts";

/** A file in an archive. */
export type TarEntry = { readonly name: string; readonly bytes: Uint8Array };

const BLOCK = 512;

/**
 * Hands the plain files of a gzipped tar archive to `take`, one after another.
 * @throws Error when the archive is damaged or cut short, and whatever `archive` or `take` throw.
 */
export async function eachTarEntry(
  archive: Bytes,
  take: (entry: TarEntry) => void | Promise<void>,
): Promise<void> {
  await pipeline(archive, createGunzip(), async (unpacked: Bytes) => {
    for await (const entry of tarEntries(unpacked)) await take(entry);
  });
}

async function* tarEntries(unpacked: Bytes): AsyncGenerator<TarEntry> {
  const take = reader(unpacked);
  for (;;) {
    const header = await take(BLOCK);
    if (header.length === 0) return;
    // Two blocks of zeros end the archive; what follows is padding.
    if (header.every((byte) => byte === 0)) continue;
    const size = octal(header, 124, 12);
    const sum = header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
    if (header.length < BLOCK || sum !== octal(header, 148, 8)) throw new Error("a damaged tar archive");
    const bytes = await take(size);
    await take(-size & (BLOCK - 1));
    if (bytes.length < size) throw new Error("a tar archive cut short");
    const type = String.fromCharCode(header[156]!);
    if (type === "0" || type === "\0") yield { name: text(header, 0, 100), bytes };
  }
}

/** Takes the next `length` bytes, or fewer at the end. */
function reader(source: Bytes): (length: number) => Promise<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  return async (length) => {
    const out = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      if (rest.length === 0) {
        const next = await chunks.next();
        if (next.done) break;
        rest = next.value;
      }
      const part = rest.subarray(0, length - done);
      out.set(part, done);
      done += part.length;
      rest = rest.subarray(part.length);
    }
    return out.subarray(0, done);
  };
}

const text = (header: Uint8Array, at: number, length: number): string =>
  new TextDecoder().decode(header.subarray(at, at + length)).replace(/\0.*$/s, "");

const octal = (header: Uint8Array, at: number, length: number): number =>
  Number.parseInt(text(header, at, length).trim(), 8) || 0;
