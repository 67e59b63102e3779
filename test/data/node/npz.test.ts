/** @file Dataset files on disk, written whole or not at all. */
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mse } from "../../../src/loss/index.ts";
import { writeWhole } from "../../../src/data/node/files.ts";
import { loadDataset, saveDataset } from "../../../src/data/node/npz.ts";
import { synthetic } from "../../../src/data/synthetic.ts";
import { randomState } from "../../../src/random/random-state.ts";

const dataset = synthetic(randomState(1).normalsInto, { trainSize: 6, testSize: 4, loss: mse });

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "natgrad-npz-"))));
afterEach(() => rm(folder, { recursive: true }));

describe("saveDataset", () => {
  it("writes what loadDataset reads, into a folder that it makes, and leaves nothing else", async () => {
    const path = join(folder, "new", "d.npz");
    await saveDataset(path, dataset);
    expect(await loadDataset(path, { loss: mse })).toEqual(dataset);
    await saveDataset(path, dataset);
    expect(await readdir(join(folder, "new"))).toEqual(["d.npz"]);
  });

  it("names a place that cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(saveDataset(join(folder, "file", "d.npz"), dataset)).rejects.toThrow(
      /file\/d\.npz: wanted a writable place, got (ENOTDIR|EEXIST)$/,
    );
  });
});

describe("loadDataset", () => {
  it("names a file that is missing or no archive", async () => {
    const path = join(folder, "d.npz");
    await expect(loadDataset(path, { loss: mse })).rejects.toThrow(
      `${path}: wanted a readable file, got ENOENT`,
    );
    await writeFile(path, "not an archive at all, but long enough to hold one");
    await expect(loadDataset(path, { loss: mse })).rejects.toThrow(
      `npz ${path}: wanted a whole .npz archive`,
    );
  });
});

describe("writeWhole", () => {
  it("leaves the old file and no temporary one when it fails", async () => {
    const path = join(folder, "taken");
    await saveDataset(join(path, "d.npz"), dataset); // a folder stands where the file should go
    await expect(writeWhole(path, "x")).rejects.toThrow(
      /taken: wanted a writable place, got (EISDIR|ENOTEMPTY|EPERM)$/,
    );
    expect(await readdir(folder)).toEqual(["taken"]);
  });

  it.skipIf(process.getuid?.() === 0)("names a folder without permission", async () => {
    await chmod(folder, 0o500);
    await expect(writeWhole(join(folder, "x"), "x")).rejects.toThrow("wanted a writable place, got EACCES");
    await chmod(folder, 0o700);
  });
});
