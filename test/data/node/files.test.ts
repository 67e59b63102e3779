/** @file Files read in pieces, and written from pieces. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readWhole, writeWhole } from "../../../src/data/node/files.ts";

/** Bytes of the largest file that the `readFile` of these tests takes; Node's takes 2 GiB. */
const LARGEST = 8;

vi.mock("node:fs/promises", async (original) => {
  const real: typeof import("node:fs/promises") = await original();
  const readFile = async (path: string): Promise<Uint8Array> => {
    if ((await real.stat(path)).size <= 8) return real.readFile(path);
    throw Object.assign(new RangeError("too large"), { code: "ERR_FS_FILE_TOO_LARGE" });
  };
  return { ...real, readFile };
});

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "natgrad-files-"))));
afterEach(() => rm(folder, { recursive: true }));

describe("readWhole", () => {
  it("reads a file in pieces where it is larger than one, and Node reads no more at a time", async () => {
    const path = join(folder, "ten");
    const bytes = Uint8Array.from({ length: LARGEST + 2 }, (_, i) => i);
    await writeFile(path, bytes);
    for (const piece of [1, 3, 5, LARGEST]) {
      expect(Uint8Array.from(await readWhole(path, { piece }))).toEqual(bytes);
    }
  });

  it("refuses a file that no array holds, before it reads any of it", async () => {
    const path = join(folder, "sparse");
    await writeFile(path, "");
    await truncate(path, 2 ** 33); // takes no room on the disk
    await expect(readWhole(path)).rejects.toThrow(
      `${path}: wanted a file of at most 4294967296 bytes, got 8589934592`,
    );
    await expect(readWhole(folder, { piece: 1 })).rejects.toThrow(
      `${folder}: wanted a readable file, got EISDIR`,
    );
  });
});

describe("writeWhole", () => {
  it("writes pieces one after the other, also of shared memory", async () => {
    const path = join(folder, "pieces");
    const shared = new Uint8Array(new SharedArrayBuffer(4), 1, 2).fill(7);
    await writeWhole(path, [Uint8Array.of(1, 2), new Uint8Array(0), shared]);
    expect([...readFileSync(path)]).toEqual([1, 2, 7, 7]);
  });
});
