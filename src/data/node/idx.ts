/**
 * @file IDX files, the format of MNIST: a magic number (dtype and axes), big-endian sizes, then bytes. Images are
 * read by position, so that a hundred of them cost a hundredth of a megabyte, not the whole file.
 *
 * Format: http://yann.lecun.com/exdb/mnist/ ("the IDX file format").
 */
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { InputError } from "../../error.ts";
import type { ImageCollection } from "../images.ts";
import { readWhole } from "./files.ts";

const HEADER = { labels: { magic: 0x801, bytes: 8 }, images: { magic: 0x803, bytes: 16 } } as const;

/** Images closer than this are fetched by one read; no read is longer than {@link READ_BYTES}. */
const GAP_BYTES = 1 << 16;
const READ_BYTES = 1 << 22;

/**
 * A collection on two IDX files. Labels are read now, images when asked for.
 * @throws InputError naming the file that is missing, is no IDX file or has the wrong size.
 */
export async function openIdx(imagesPath: string, labelsPath: string): Promise<ImageCollection> {
  const labels = idxLabels(await readWhole(labelsPath), basename(labelsPath));
  const { count, inputs } = await withFile(imagesPath, imageHeader);
  if (count !== labels.length) {
    throw new InputError(
      `${basename(imagesPath)}: wanted ${labels.length} images (one a label), got ${count}`,
    );
  }
  return {
    labels,
    inputs,
    read: (indices) => withFile(imagesPath, (file) => readImages(file, indices, inputs)),
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

async function imageHeader(file: FileHandle, name: string): Promise<{ count: number; inputs: number }> {
  const bytes = await readAt(file, 0, HEADER.images.bytes);
  const [, count, rows, columns] = checkHeader(bytes, "images", name) as [number, number, number, number];
  checkSize((await file.stat()).size, HEADER.images.bytes + count * rows * columns, name);
  return { count, inputs: rows * columns };
}

/** The images at ascending `indices`, neighbours by one read. */
async function readImages(file: FileHandle, indices: Uint32Array, inputs: number): Promise<Uint8Array> {
  const out = new Uint8Array(indices.length * inputs);
  for (let from = 0, to = 0; from < indices.length; from = to) {
    const first = indices[from]!;
    for (to = from + 1; to < indices.length; to++) {
      const gap = (indices[to]! - indices[to - 1]!) * inputs;
      if (gap > GAP_BYTES || (indices[to]! + 1 - first) * inputs > READ_BYTES) break;
    }
    const length = (indices[to - 1]! + 1 - first) * inputs;
    const bytes = await readAt(file, HEADER.images.bytes + first * inputs, length);
    for (let i = from; i < to; i++) {
      const at = (indices[i]! - first) * inputs;
      out.set(bytes.subarray(at, at + inputs), i * inputs);
    }
  }
  return out;
}

/** `length` bytes at `position`, or fewer at the end of the file. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** Opens `path`, and closes it whatever happens. */
async function withFile<T>(path: string, use: (file: FileHandle, name: string) => Promise<T>): Promise<T> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${path}: wanted a readable file, got ${error.code ?? error.message}`);
  });
  try {
    return await use(file, basename(path));
  } finally {
    await file.close();
  }
}
