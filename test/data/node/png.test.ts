/** @file PNG images against another decoder, with every filter; damaged, of another kind, and larger than they say. */
import { crc32, deflateSync } from "node:zlib";
import { decode, encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { failure } from "../../../src/data/node/fetch.ts";
import { decodePng } from "../../../src/data/node/png.ts";

const WIDTH = 7;
const HEIGHT = 11;
const SIZE = 3 * WIDTH * HEIGHT;

function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length);
  out.write(type, 4);
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** An image whose lines (a filter and 3 bytes per pixel) are `lines`, in several pieces. */
function png(lines: Uint8Array, width = WIDTH, height = HEIGHT, kind = [8, 2, 0, 0, 0]): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set(kind, 8);
  const packed = deflateSync(lines);
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    chunk("tEXt", Buffer.from("Comment\0IDAT")),
    chunk("IDAT", packed.subarray(0, 20)),
    chunk("IDAT", packed.subarray(20)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Any bytes, under the filters 0 to 4 in turn. */
const lines = Buffer.from(
  Array.from({ length: HEIGHT * (3 * WIDTH + 1) }, (_, i) =>
    i % (3 * WIDTH + 1) === 0 ? Math.floor(i / (3 * WIDTH + 1)) % 5 : (i * i * 31 + 7 * i) & 255,
  ),
);

const reasonOf = (bytes: Uint8Array, size = SIZE): string => {
  try {
    decodePng(bytes, size);
    return "none";
  } catch (error) {
    return failure(error);
  }
};

describe("decodePng", () => {
  it("undoes every filter as another decoder does", () => {
    const image = png(lines);
    expect(decodePng(image, SIZE)).toEqual(new Uint8Array(decode(image).data));
  });

  it("reads what another encoder wrote", () => {
    const data = Uint8Array.from({ length: SIZE }, (_, i) => (i * i) & 255);
    const image = encode({ width: WIDTH, height: HEIGHT, data, channels: 3, depth: 8 });
    expect(decodePng(image, SIZE)).toEqual(data);
  });

  it("unpacks no more than the image that was expected", () => {
    const bomb = png(Buffer.alloc(2 ** 24));
    expect(bomb.length).toBeLessThan(20_000);
    expect(reasonOf(bomb)).toBe("ERR_BUFFER_TOO_LARGE");
    expect(reasonOf(png(Buffer.alloc(2 ** 24), 2 ** 31, 2 ** 31))).toBe(
      "a PNG of 2147483648 x 2147483648 pixels, not 77",
    );
  });

  it("refuses what is cut short, damaged or another kind", () => {
    expect(reasonOf(png(lines.subarray(1)))).toBe(`a PNG of ${lines.length - 1} bytes, not ${lines.length}`);
    expect(reasonOf(png(lines, WIDTH, HEIGHT, [8, 6, 0, 0, 0]))).toBe("a PNG of another kind, not 8-bit RGB");
    expect(reasonOf(png(lines).subarray(0, 30))).toBe("no PNG");
    expect(reasonOf(Buffer.from("<html>"))).toBe("no PNG");
    expect(reasonOf(png(lines).subarray(0, 120))).toBe("Z_BUF_ERROR");
    expect(reasonOf(png(Buffer.from(lines).fill(9, 0, 1)))).toBe("a PNG with a filter 9");
  });
});
