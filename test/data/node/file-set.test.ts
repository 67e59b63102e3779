/** @file Sets of files that are replaced together, with every call of the file system failing in its turn. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { writeSet } from "../../../src/data/node/file-set.ts";

/** Calls of the file system that count, how many there have been, and those that fail. */
const calls = vi.hoisted(() => ({ done: 0, fails: (call: number): boolean => call < 0 }));

vi.mock("node:fs/promises", async (original) => {
  const real: typeof import("node:fs/promises") = await original();
  const counted =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (calls.fails(calls.done++)) throw Object.assign(new Error("injected"), { code: "EIO" });
      return call(...args);
    };
  return { ...real, open: counted(real.open), rename: counted(real.rename), mkdir: counted(real.mkdir) };
});

let folder: string;
beforeEach(async () => {
  calls.fails = () => false;
  folder = await mkdtemp(join(tmpdir(), "natgrad-set-"));
});
afterEach(() => {
  calls.fails = () => false;
  return rm(folder, { recursive: true });
});

const isMember = (name: string) => /^[Wb]\d\.npy$/.test(name);
const write = (...files: [string, string][]) =>
  writeSet(
    folder,
    files.map(([name, text]) => [name, Buffer.from(text)] as const),
    isMember,
  );

const OLD: [string, string][] = [
  ["W1.npy", "old 1"],
  ["b1.npy", "old b"],
  ["W2.npy", "old 2"],
  ["W3.npy", "old 3"],
];
const NEW: [string, string][] = [
  ["W1.npy", "new 1"],
  ["W2.npy", "new 2"],
  ["b2.npy", "new b"],
];

/** What is in the folder. */
async function content(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of await readdir(folder)) files[name] = await readFile(join(folder, name), "utf8");
  return files;
}

describe("writeSet", () => {
  it("puts a set in place of another, leaving nothing of it and everything else", async () => {
    await writeFile(join(folder, "notes.txt"), "mine");
    await write(...OLD);
    expect(await content()).toEqual({ "notes.txt": "mine", ...Object.fromEntries(OLD) });
    await write(...NEW);
    expect(await content()).toEqual({ "notes.txt": "mine", ...Object.fromEntries(NEW) });
  });

  it("leaves the folder as it was, whichever call fails", async () => {
    await writeFile(join(folder, "notes.txt"), "mine");
    await write(...OLD);
    const before = await content();
    const start = calls.done;
    await write(...NEW);
    const total = calls.done - start;
    expect(total).toBeGreaterThan(3 * NEW.length + OLD.length);
    await write(...OLD);
    for (let n = 0; n < total; n++) {
      const at = calls.done + n;
      calls.fails = (call) => call === at;
      await expect(write(...NEW), `call ${n}`).rejects.toThrow(/: wanted .*, got EIO$/);
      calls.fails = () => false;
      expect(await content(), `call ${n}`).toEqual(before);
    }
  });

  it("leaves no set that can be read where moving back fails too", async () => {
    await write(...OLD);
    const start = calls.done;
    await write(...NEW);
    const total = calls.done - start;
    for (let n = 0; n < total; n++) {
      await write(...OLD);
      const from = calls.done + n;
      calls.fails = (call) => call >= from;
      await expect(write(...NEW), `call ${n}`).rejects.toThrow(/: wanted .*, got EIO$/);
      calls.fails = () => false;
      const left = await content();
      // With the first file it is the old set; without it nobody reads the rest.
      if ("W1.npy" in left) expect(left, `call ${n}`).toEqual(Object.fromEntries(OLD));
    }
  });

  it("shows the old set, the new one or none at every moment", async () => {
    await write(...OLD);
    const seen = new Set<string>();
    const texts = () => {
      const names = readdirSync(folder).filter(isMember).toSorted();
      return names.map((name) => readFileSync(join(folder, name), "utf8")).join();
    };
    calls.fails = () => {
      if (existsSync(join(folder, "W1.npy"))) seen.add(texts());
      return false;
    };
    await write(...NEW);
    seen.add(texts());
    expect([...seen]).toEqual(["old 1,old 2,old 3,old b", "new 1,new 2,new b"]);
  });

  it("leaves the folder as it was when the files themselves fail", async () => {
    await write(...OLD);
    const before = await content();
    const failing = function* () {
      yield ["W1.npy", Buffer.from("new 1")] as const;
      throw new Error("no more memory");
    };
    await expect(writeSet(folder, failing(), isMember)).rejects.toThrow("no more memory");
    expect(await content()).toEqual(before);
  });

  it("does not touch a folder that has the name of a file", async () => {
    await mkdir(join(folder, "W2.npy"));
    await writeFile(join(folder, "W1.npy"), "old 1");
    await expect(write(...NEW)).rejects.toThrow(
      /: wanted a folder whose files can be replaced, got (EISDIR|EPERM)$/,
    );
    expect((await readdir(folder)).toSorted()).toEqual(["W1.npy", "W2.npy"]);
    expect(await readFile(join(folder, "W1.npy"), "utf8")).toBe("old 1");
  });
});
