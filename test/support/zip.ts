/** @file Zip archives that say of themselves whatever a test wants. */
import { crc32, deflateRawSync } from "node:zlib";
import { vi } from "vitest";

/** An entry; what the directory says of it follows from its content where nothing else is given. */
export type ZipEntry = {
  readonly name: string;
  readonly content: Uint8Array;
  readonly deflated?: boolean;
  /** The size of the content, as recorded. */
  readonly size?: number;
  /** Lie where this entry does, of the same content. */
  readonly over?: number;
};

/** An archive of `entries`. */
export function zip(entries: readonly ZipEntry[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  const places: { at: number; packed: Uint8Array; crc: number }[] = [];
  let end = 0;
  for (const { name, content, deflated = true, size = content.length, over } of entries) {
    const place =
      over === undefined
        ? { at: end, packed: deflated ? deflateRawSync(content) : content, crc: crc32(content) }
        : places[over]!;
    places.push(place);
    if (over === undefined) {
      const header = Buffer.alloc(30 + name.length);
      header.writeUInt32LE(0x04034b50, 0);
      header.writeUInt16LE(name.length, 26);
      header.write(name, 30);
      parts.push(header, Buffer.from(place.packed));
      end += header.length + place.packed.length;
    }
    const about = Buffer.alloc(46 + name.length);
    about.writeUInt32LE(0x02014b50, 0);
    about.writeUInt16LE(deflated ? 8 : 0, 10);
    about.writeUInt32LE(place.crc, 16);
    about.writeUInt32LE(place.packed.length, 20);
    about.writeUInt32LE(size, 24);
    about.writeUInt16LE(name.length, 28);
    about.writeUInt32LE(place.at, 42);
    about.write(name, 46);
    directory.push(about);
  }
  const tail = Buffer.alloc(22);
  tail.writeUInt32LE(0x06054b50, 0);
  tail.writeUInt16LE(entries.length, 8);
  tail.writeUInt16LE(entries.length, 10);
  tail.writeUInt32LE(Buffer.concat(directory).length, 12);
  tail.writeUInt32LE(end, 16);
  return Buffer.concat([...parts, ...directory, tail]);
}

/** From now on, counts the bytes that web streams inflate; until `vi.unstubAllGlobals`. */
export function countInflated(): () => number {
  let count = 0;
  const Inner = DecompressionStream;
  class Counting {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<BufferSource>;
    constructor(format: "deflate-raw") {
      const inner = new Inner(format);
      this.writable = inner.writable;
      this.readable = inner.readable.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            count += chunk.length;
            controller.enqueue(chunk);
          },
        }),
      );
    }
  }
  vi.stubGlobal("DecompressionStream", Counting);
  return () => count;
}
