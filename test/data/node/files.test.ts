/** @file Files that are none: devices, pipes and the like, of which nothing is read; and folders that cannot be made. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  makeFolder,
  openPlain,
  readWhole,
  streamPlain,
  tryFolder,
  writeWhole,
} from "../../../src/data/node/files.ts";
import { collect, failure } from "../../../src/data/node/fetch.ts";
import { temporaryFolder } from "./support.ts";

const PROC = existsSync("/proc/self/maps");
const UNIX = process.platform !== "win32";

const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (error as Error).message,
  );

describe("readWhole", () => {
  it("reads a file to its last byte, also an empty one", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "a"), Buffer.from([1, 2, 255]));
    await writeFile(join(folder, "empty"), "");
    expect([...(await readWhole(join(folder, "a")))]).toEqual([1, 2, 255]);
    expect((await readWhole(join(folder, "empty"))).length).toBe(0);
  });

  it("reads a file in pieces where it is larger than one", async () => {
    const path = join(await temporaryFolder(), "ten");
    const bytes = Uint8Array.from({ length: 10 }, (_, i) => i);
    await writeFile(path, bytes);
    for (const piece of [1, 3, 5, 10, 11])
      expect([...(await readWhole(path, { piece }))]).toEqual([...bytes]);
  });

  it("refuses a file that no array holds, before it reads any of it", async () => {
    const path = join(await temporaryFolder(), "sparse");
    await writeFile(path, "");
    await truncate(path, 2 ** 33); // takes no room on the disk
    expect(await reasonOf(readWhole(path, { limit: 2 ** 40 }))).toBe(
      `${path}: wanted a file below 4 GiB, got 8589934592 bytes`,
    );
  });

  it("names what is a folder, or not there", async () => {
    const folder = await temporaryFolder();
    expect(await reasonOf(readWhole(folder))).toBe(`${folder}: wanted a readable file, got EISDIR`);
    const absent = join(folder, "absent");
    expect(await reasonOf(readWhole(absent))).toBe(`${absent}: wanted a readable file, got ENOENT`);
  });

  it.skipIf(!UNIX)("reads no device, pipe or socket, whatever leads there", async () => {
    const folder = await temporaryFolder();
    const at = (name: string): string => join(folder, name);
    execFileSync("mkfifo", [at("fifo")]);
    await symlink("/dev/zero", at("link"));
    const server = createServer().listen(at("socket"));
    onTestFinished(() => void server.close());
    await new Promise((done) => void server.once("listening", done));
    for (const [path, got] of [
      ["/dev/zero", "a device"],
      [at("link"), "a device"],
      [at("fifo"), "a pipe"],
      [at("socket"), "a socket"],
    ] as const) {
      expect(await reasonOf(readWhole(path))).toBe(`${path}: wanted a readable file, got ${got}`);
      expect(await openPlain(path).catch(failure)).toBe(got);
      expect(await collect(streamPlain(path)).catch(failure)).toBe(got);
    }
  });

  it.skipIf(!PROC)("reads no file that has more than it says", async () => {
    expect(await reasonOf(readWhole("/proc/self/maps"))).toBe(
      "/proc/self/maps: wanted a file of 0 bytes, as recorded, got more",
    );
    expect((await collect(streamPlain("/proc/self/maps"))).length).toBe(0);
  });

  it("reads no file above the limit, which by default is below a terabyte", async () => {
    const path = join(await temporaryFolder(), "sparse");
    await writeFile(path, "");
    await truncate(path, 2 ** 40);
    expect(await reasonOf(readWhole(path))).toMatch(
      /sparse: wanted a file of at most \d+ bytes \(the memory limit\), got 1099511627776$/,
    );
    await truncate(path, 1001);
    expect(await reasonOf(readWhole(path, { limit: 1000 }))).toContain("at most 1000 bytes");
    expect((await readWhole(path, { limit: 1001 })).length).toBe(1001);
  });
});

describe("streamPlain", () => {
  it("hands out every byte of a file", async () => {
    const path = join(await temporaryFolder(), "a");
    const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i));
    await writeFile(path, content);
    expect(content.equals(await collect(streamPlain(path)))).toBe(true);
  });
});

describe("makeFolder", () => {
  it("makes a folder in folders that are not there, or leaves it", async () => {
    const folder = join(await temporaryFolder(), "a", "b", "c");
    await makeFolder(folder);
    await writeFile(join(folder, "file"), "");
    await makeFolder(folder);
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("lets several make it at once", async () => {
    const folder = join(await temporaryFolder(), "a", "b", "c");
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(folder)));
    expect(await readdir(folder)).toEqual([]);
  });

  it("ends where a file or a link to nothing is in the way", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    await symlink(join(folder, "nothing"), join(folder, "link"));
    expect(await makeFolder(join(folder, "file", "a")).catch(failure)).toBe("ENOTDIR");
    expect(await makeFolder(join(folder, "file")).catch(failure)).toBe("ENOTDIR");
    expect(await makeFolder(join(folder, "link")).catch(failure)).toBe("EEXIST");
  });

  it.skipIf(!PROC)("ends in /proc, where none can be made", async () => {
    expect(await makeFolder("/proc/natgrad/a").catch(failure)).toMatch(/^(ENOENT|EACCES|EPERM)$/);
  });
});

describe("tryFolder", () => {
  it("passes a folder that can be written or made, and leaves nothing", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "a"));
    await tryFolder(join(folder, "a"));
    await tryFolder(join(folder, "a", "b", "c"));
    expect(await readdir(folder, { recursive: true })).toEqual(["a"]);
  });

  it.skipIf(!PROC)("refuses /proc, and folders in it", async () => {
    for (const place of ["/proc", "/proc/x", "/proc/x/y"]) {
      expect(await tryFolder(place).catch(failure)).toMatch(/^(ENOENT|EACCES|EPERM)$/);
    }
  });

  it("refuses a folder in a file", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "kept");
    expect(await tryFolder(join(file, "a")).catch(failure)).toBe("ENOTDIR");
    expect(await readFile(file, "utf8")).toBe("kept");
  });
});

describe("writeWhole", () => {
  it("writes pieces one after the other, also of shared memory", async () => {
    const path = join(await temporaryFolder(), "pieces");
    const shared = new Uint8Array(new SharedArrayBuffer(4), 1, 2).fill(7);
    await writeWhole(path, [Uint8Array.of(1, 2), new Uint8Array(0), shared]);
    expect([...(await readFile(path))]).toEqual([1, 2, 7, 7]);
  });
});
