/**
 * @file IDX files, the format of MNIST: a magic number (dtype and axes), big-endian sizes, then bytes. Images are
 * read by position, when asked for.
 *
 * Format: http://yann.lecun.com/exdb/mnist/ ("the IDX file format").
 */
import type { FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { InputError } from "../../error.ts";
import type { ImageCollection } from "../images.ts";
import { readWhole } from "./files.ts";
import { readAt, readRecords, withFile } from "./records.ts";

const HEADER = { labels: { magic: 0x801, bytes: 8 }, images: { magic: 0x803, bytes: 16 } } as const;

/**
 * A collection on two IDX files. Labels are read now, images when asked for.
 * @throws InputError naming the file that is missing, is no IDX file or has the wrong size.
 */
export async function openIdx(imagesPath: string, labelsPath: string): Promise<ImageCollection> {
  const labels = idxLabels(await readWhole(labelsPath), basename(labelsPath));
  const { count, inputs, shape } = await withFile(imagesPath, imageHeader);
  if (count !== labels.length) {
    throw new InputError(
      `${basename(imagesPath)}: wanted ${labels.length} images (one per label), got ${count}`,
    );
  }
  return {
    labels,
    inputs,
    shape,
    read: (indices) => {
      const layout = { start: HEADER.images.bytes, size: inputs };
      return withFile(imagesPath, (file) => readRecords(file, indices, layout));
    },
  };
}

/** The labels in the bytes of an IDX file. */
export function idxLabels(bytes: Uint8Array, name: string): Uint8Array {
  const header = checkHeader(bytes, "labels", name);
  return body(bytes, "labels", header[1]!, name);
}

/** The images in the bytes of an IDX file. */
export function idxImages(
  bytes: Uint8Array,
  name: string,
): { count: number; inputs: number; data: Uint8Array } {
  const [, count, rows, columns] = checkHeader(bytes, "images", name) as [number, number, number, number];
  const inputs = rows * columns;
  return { count, inputs, data: body(bytes, "images", count * inputs, name) };
}

function checkHeader(bytes: Uint8Array, kind: keyof typeof HEADER, name: string): number[] {
  const header = HEADER[kind];
  const view = new DataView(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, header.bytes));
  const words = Array.from({ length: view.byteLength >> 2 }, (_, i) => view.getUint32(4 * i));
  if (view.byteLength < header.bytes || words[0] !== header.magic) {
    const got = words[0] === undefined ? "nothing" : `0x${words[0].toString(16)}`;
    throw new InputError(`${name}: wanted IDX ${kind} (magic 0x${header.magic.toString(16)}), got ${got}`);
  }
  return words;
}

const body = (bytes: Uint8Array, kind: keyof typeof HEADER, length: number, name: string): Uint8Array => {
  checkSize(bytes.length, HEADER[kind].bytes + length, name);
  return bytes.subarray(HEADER[kind].bytes);
};

function checkSize(got: number, wanted: number, name: string): void {
  if (got !== wanted) throw new InputError(`${name}: wanted ${wanted} bytes, got ${got}`);
}

type ImageHeader = { count: number; inputs: number; shape: readonly number[] };

async function imageHeader(file: FileHandle, name: string): Promise<ImageHeader> {
  const bytes = await readAt(file, 0, HEADER.images.bytes);
  const [, count, rows, columns] = checkHeader(bytes, "images", name) as [number, number, number, number];
  checkSize((await file.stat()).size, HEADER.images.bytes + count * rows * columns, name);
  return { count, inputs: rows * columns, shape: [rows, columns, 1] };
}
