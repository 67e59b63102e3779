/**
 * @file A cache file of labelled images that is verified as it is read: reading one image checks that image, not the whole
 * file.
 *
 * Layout, for N = train + test images of M bytes in file order, training first:
 *
 *     SHA-256 of the images [32] | labels [N] | CRC-32 of every image, little-endian [4 N] | images [N, M]
 *
 * The head is all but the images. Its SHA-256, the digest of the file, pins every byte: it is verified at each
 * opening, and each image against its CRC at each reading.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ImageCollection } from "../images.ts";
import { readAt, readRecords, withFile } from "./records.ts";

/** How many images a store holds, and their size. */
export type StoreShape = {
  /** Training and test images. */
  readonly train: number;
  readonly test: number;
  /** Bytes per image, M. */
  readonly inputs: number;
  /** [height, width, channels] of an image. Default: unknown. */
  readonly shape?: readonly number[];
};

/** Labels [N] and images [N, M] of a store, training first. */
export type LabelledImages = { readonly labels: Uint8Array; readonly images: Uint8Array };

/** One split of a store; `read` gives undefined when the images are not those that were written. */
export type StoredImages = Omit<ImageCollection, "read"> & {
  readonly read: (indices: Uint32Array) => Promise<Uint8Array | undefined>;
};

/** An opened store. */
export type ImageStore = {
  readonly digest: string;
  readonly train: StoredImages;
  readonly test: StoredImages;
};

const HASH = 32;
const headSize = (count: number): number => HASH + 5 * count;
const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/** Size of a store in bytes. */
export const storeSize = ({ train, test, inputs }: StoreShape): number =>
  headSize(train + test) + (train + test) * inputs;

/** The bytes of a store, to be filled through the views `labels` and `images`; {@link sealStore} then adds the checksums. */
export function emptyStore(shape: StoreShape): LabelledImages & { readonly bytes: Uint8Array } {
  const count = shape.train + shape.test;
  const bytes = new Uint8Array(storeSize(shape));
  return { bytes, labels: bytes.subarray(HASH, HASH + count), images: bytes.subarray(headSize(count)) };
}

/** Writes the checksums into a filled store and returns its digest. */
export function sealStore({ bytes, labels, images }: ReturnType<typeof emptyStore>): string {
  const count = labels.length;
  const inputs = images.length / count;
  bytes.set(sha256(images));
  const head = bytes.subarray(0, headSize(count));
  const checksums = new DataView(head.buffer, head.byteOffset + HASH + count, 4 * count);
  for (let i = 0; i < count; i++) checksums.setUint32(4 * i, checksum(images, i, inputs), true);
  return sha256(head).toString("hex");
}

/** Opens a store; undefined when there is none, or one of another size. Compare the digest before using it. */
export async function openStore(path: string, shape: StoreShape): Promise<ImageStore | undefined> {
  const { train, test, inputs, shape: sample } = shape;
  const count = train + test;
  const start = headSize(count);
  const head = await withFile(path, async (file) =>
    (await file.stat()).size === storeSize(shape) ? readAt(file, 0, start) : undefined,
  ).catch(() => undefined);
  if (head?.length !== start) return undefined;
  const checksums = new DataView(head.buffer, head.byteOffset + HASH + count, 4 * count);
  const split = (first: number, size: number): StoredImages => ({
    labels: head.subarray(HASH + first, HASH + first + size),
    inputs,
    ...(sample ? { shape: sample } : {}),
    read: async (indices) => {
      const layout = { start: start + first * inputs, size: inputs };
      const images = await withFile(path, (file) => readRecords(file, indices, layout));
      const whole = indices.every(
        (index, i) => checksum(images, i, inputs) === checksums.getUint32(4 * (first + index), true),
      );
      return whole ? images : undefined;
    },
  });
  return { digest: sha256(head).toString("hex"), train: split(0, train), test: split(train, test) };
}

/** Whether every image of a store is what was written. */
export async function isIntact({ train, test }: ImageStore): Promise<boolean> {
  for (const { labels, read } of [train, test]) {
    if (!(await read(Uint32Array.from(labels.keys())))) return false;
  }
  return true;
}

const checksum = (images: Uint8Array, i: number, inputs: number): number =>
  crc32(images.subarray(i * inputs, (i + 1) * inputs));
