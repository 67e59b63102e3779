/**
 * @file Files in a gzipped tar archive, as they come.
 *
 * Format: POSIX.1-1988 ustar, 512-byte blocks; extended headers and everything but plain files are skipped. What the
 * archive unpacks to is bounded, as a whole and for the file that is held: a little of gzip makes a thousand times as much.
 */
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { byteReader } from "../../linalg/byte-reader.ts";
import { type Bytes, limited } from "./fetch.ts";

/** A file in an archive. */
export type TarEntry = { readonly name: string; readonly bytes: Uint8Array };

/** How much an archive may unpack to: in bytes, as a whole (default 512 MiB) and in one file (default 64 MiB). */
export type TarLimits = { readonly whole?: number; readonly file?: number };

const BLOCK = 512;

/**
 * Hands the plain files of a gzipped tar archive to `take`, one after another.
 * @throws Error when the archive is damaged, cut short or too large, and whatever `archive` or `take` throw.
 */
export async function eachTarEntry(
  archive: Bytes,
  take: (entry: TarEntry) => void | Promise<void>,
  { whole = 2 ** 29, file = 2 ** 26 }: TarLimits = {},
): Promise<void> {
  await pipeline(archive, createGunzip(), async (unpacked: Bytes) => {
    for await (const entry of tarEntries(limited(unpacked, whole), file)) await take(entry);
  });
}

async function* tarEntries(unpacked: Bytes, limit: number): AsyncGenerator<TarEntry> {
  const read = byteReader(unpacked);
  const take = (length: number) => read(new Uint8Array(length));
  for (;;) {
    const header = await take(BLOCK);
    if (header.length === 0) return;
    // Two blocks of zeros end the archive; what follows is padding.
    if (header.every((byte) => byte === 0)) continue;
    const size = octal(header, 124, 12);
    const sum = header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
    if (header.length < BLOCK || sum !== octal(header, 148, 8)) throw new Error("a damaged tar archive");
    if (!(size >= 0 && size <= limit))
      throw new Error(`a tar archive with a file of more than ${limit} bytes`);
    const bytes = await take(size);
    await take(-size & (BLOCK - 1));
    if (bytes.length < size) throw new Error("a tar archive cut short");
    const type = String.fromCharCode(header[156]!);
    if (type === "0" || type === "\0") yield { name: text(header, 0, 100), bytes };
  }
}

const text = (header: Uint8Array, at: number, length: number): string =>
  new TextDecoder().decode(header.subarray(at, at + length)).replace(/\0.*$/s, "");

const octal = (header: Uint8Array, at: number, length: number): number =>
  Number.parseInt(text(header, at, length).trim(), 8) || 0;
