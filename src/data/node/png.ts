/**
 * @file Images of 8-bit red, green and blue in PNG files, as the sheets of CIFAR-10 are. The size of the image is known
 * beforehand, and no more is unpacked, whatever the file says; chunks other than the header and the pixels are skipped.
 *
 * Format: https://www.w3.org/TR/png-3/ (chunks 5.3, header 11.2.1, filters 9.2)
 */
import { inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");
/** Bytes of a pixel. */
const CHANNELS = 3;
/** Depth 8, true colour, deflate, the five filters, not interlaced. */
const PLAIN = "8,2,0,0,0";

/**
 * The pixels [height, width, 3] of an image that has `size` bytes of them.
 * @throws Error when it has another size, is damaged, or is another kind of PNG.
 */
export function decodePng(bytes: Uint8Array, size: number): Uint8Array {
  const { width, height, data } = chunksOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const stride = CHANNELS * width;
  if (stride * height !== size)
    throw new Error(`a PNG of ${width} x ${height} pixels, not ${size / CHANNELS}`);
  const lines = inflateSync(data, { maxOutputLength: size + height });
  if (lines.length !== size + height) throw new Error(`a PNG of ${lines.length} bytes, not ${size + height}`);
  const out = new Uint8Array(size);
  for (let y = 0; y < height; y++) {
    const line = lines.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1));
    unfilter(lines[y * (stride + 1)]!, line, out, y * stride);
  }
  return out;
}

/** Size and compressed pixels. */
function chunksOf(png: Buffer): { width: number; height: number; data: Buffer } {
  if (!png.subarray(0, 8).equals(SIGNATURE) || png.length < 33) throw new Error("no PNG");
  const header = png.subarray(16, 29);
  if (png.toString("latin1", 12, 16) !== "IHDR" || header.subarray(8).join() !== PLAIN) {
    throw new Error("a PNG of another kind, not 8-bit RGB");
  }
  const data: Buffer[] = [];
  for (let at = 33; at + 12 <= png.length; at += 12 + png.readUInt32BE(at)) {
    const end = at + 8 + png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") data.push(png.subarray(at + 8, end));
  }
  return { width: header.readUInt32BE(0), height: header.readUInt32BE(4), data: Buffer.concat(data) };
}

/** A scan line as it was before its filter, into `out` at `at`; the line above it is there already. */
function unfilter(filter: number, line: Uint8Array, out: Uint8Array, at: number): void {
  const stride = line.length;
  for (let x = 0; x < stride; x++) {
    const left = x < CHANNELS ? 0 : out[at + x - CHANNELS]!;
    const above = at === 0 ? 0 : out[at + x - stride]!;
    const corner = at === 0 || x < CHANNELS ? 0 : out[at + x - stride - CHANNELS]!;
    out[at + x] = line[x]! + predicted(filter, left, above, corner);
  }
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      // Paeth: the neighbour nearest to left + above - corner, in this order where two are.
      const [a, b, c] = [
        Math.abs(above - corner),
        Math.abs(left - corner),
        Math.abs(left + above - 2 * corner),
      ];
      return a <= b && a <= c ? left : b <= c ? above : corner;
    }
    default:
      throw new Error(`a PNG with a filter ${filter}`);
  }
}
