/** @file Streams taken piece by piece. */
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteReader, inflatedChunks } from "../../src/linalg/byte-reader.ts";

describe("byteReader", () => {
  it("hands out the bytes of a stream in pieces of any size, and fewer at its end", async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.array(fc.nat(30), { maxLength: 20 }), async (chunks, lengths) => {
        const all = Buffer.concat(chunks);
        const read = byteReader(
          (async function* () {
            yield* chunks;
          })(),
        );
        let at = 0;
        for (const length of lengths) {
          const got = await read(new Uint8Array(length));
          expect([...got]).toEqual([...all.subarray(at, at + length)]);
          at += length;
        }
      }),
    );
  });

  it("asks for no chunk that it does not need", async () => {
    let asked = 0;
    const read = byteReader(
      (async function* () {
        for (;;) {
          asked++;
          yield Uint8Array.of(1, 2, 3);
        }
      })(),
    );
    await read(new Uint8Array(5));
    expect(asked).toBe(2);
    await read(new Uint8Array(1));
    expect(asked).toBe(2);
  });
});

describe("inflatedChunks", () => {
  const collect = async (packed: Uint8Array): Promise<Buffer> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of inflatedChunks(packed, () => new Error("corrupt"))) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  it("is what was deflated", async () => {
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * i) & 255));
    expect(content.equals(await collect(deflateRawSync(content)))).toBe(true);
  });

  it("ends in the error of its caller when it is cut short or damaged", async () => {
    const packed = deflateRawSync(Buffer.alloc(1000, "abc"));
    for (const bad of [packed.subarray(0, 8), Buffer.alloc(20, 255)]) {
      await expect(collect(bad)).rejects.toThrow(new Error("corrupt"));
    }
  });
});
