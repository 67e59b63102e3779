/** @file `.npz` archives against files that NumPy wrote (fixtures/data/make.py), whole, cut and damaged. */
import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { writeNpy } from "../../src/linalg/npy.ts";
import { npzParts, readNpz, writeNpz } from "../../src/linalg/npz.ts";
import { countInflated, zip } from "../support/zip.ts";

const fixture = (name: string) => readFile(new URL(`../fixtures/data/${name}`, import.meta.url));

const A = [1.5, -2.25, 3, 0.125, 4, -65504];

describe("readNpz", () => {
  it("reads every real dtype, byte order and memory order that NumPy writes", async () => {
    const arrays = await readNpz(await fixture("dtypes.npz"), "dtypes.npz");
    const numbers = (key: string) => [...arrays.get(key)!.data];
    for (const key of ["f2", "f4", "f8", "f4_big", "f8_big_fortran"]) {
      expect(arrays.get(key)!.shape, key).toEqual([2, 3]);
      expect(numbers(key), key).toEqual(A);
    }
    expect(numbers("f2_special")).toEqual([0, -0, Infinity, -Infinity, NaN, 2 ** -24, 1.0001659393310547e-4]);
    expect(arrays.get("f2")!.data).toBeInstanceOf(Float32Array);
    expect(arrays.get("fortran_3d")!.shape).toEqual([2, 3, 4]);
    expect(numbers("fortran_3d")).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(numbers("i1")).toEqual([-128, 127]);
    expect(numbers("i4_big")).toEqual([-(2 ** 31), 7]);
    expect(numbers("i8")).toEqual([-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
    expect(numbers("u2")).toEqual([65535]);
    expect(numbers("u8")).toEqual([Number.MAX_SAFE_INTEGER]);
    expect(numbers("bool")).toEqual([1, 0, 1]);
    expect(arrays.get("scalar")).toEqual({ shape: [], data: Float64Array.of(3.5) });
    expect(arrays.get("empty")).toEqual({ shape: [0, 3], data: new Float32Array(0) });
  });

  it("reads compressed archives", async () => {
    const arrays = await readNpz(await fixture("compressed.npz"), "c");
    expect(arrays.get("x")!.shape).toEqual([100, 3]);
    expect([...arrays.get("x")!.data.subarray(294)]).toEqual(A);
    expect([...arrays.get("n")!.data]).toEqual([0, 1, 2]);
  });

  it("refuses Python objects", async () => {
    await expect(readNpz(await fixture("object.npz"), "o.npz")).rejects.toThrow(
      "npz o.npz (o): wanted real numbers, got dtype |O",
    );
  });

  it.each(["dtypes.npz", "compressed.npz"])("gives one line when %s is cut anywhere", async (name) => {
    const bytes = await fixture(name);
    for (let length = 0; length < bytes.length; length += 7) {
      await expect(readNpz(bytes.subarray(0, length), name)).rejects.toThrow(
        /^npz [^\n]+: wanted [^\n]+, got [^\n]+$/,
      );
    }
  });

  it.each(["dtypes.npz", "compressed.npz"])("never takes damaged data in %s for whole", async (name) => {
    const bytes = await fixture(name);
    const whole = await readNpz(bytes, name);
    for (let at = 0; at < bytes.length; at += 5) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 0x5a;
      try {
        // Damage to dates and the like goes unseen, and may rename an array; what is read is as written.
        for (const [key, array] of await readNpz(damaged, name)) {
          if (whole.has(key)) expect(array).toEqual(whole.get(key));
        }
      } catch (error) {
        expect((error as Error).message).toMatch(/^npz [^\n]+: wanted [^\n]+, got [^\n]+$/);
      }
    }
  });
});

describe("a hostile archive", () => {
  afterEach(() => void vi.unstubAllGlobals());

  const MEBIBYTE = 2 ** 20;
  /** A `.npy` file of 16 MiB that deflates to 16 KiB. */
  const large = writeNpy({ shape: [16 * MEBIBYTE], data: new Uint8Array(16 * MEBIBYTE) });
  const small = writeNpy({ shape: [1000], data: new Uint8Array(1000) });
  /** `small`, and 16 MiB more after its end. */
  const tail = Buffer.concat([small, Buffer.alloc(16 * MEBIBYTE)]);

  /** The error, and how many bytes were inflated until it came. */
  async function refusal(bytes: Uint8Array, limit?: number): Promise<[error: string, inflated: number]> {
    const inflated = countInflated();
    const error = await readNpz(bytes, "b.npz", limit === undefined ? {} : { limit }).then(
      () => "none",
      String,
    );
    return [error, inflated()];
  }

  it("is inflated no further than the size that it records", async () => {
    const [error, inflated] = await refusal(zip([{ name: "x.npy", content: tail, size: small.length }]));
    expect(error).toBe(`InputError: npz b.npz (x): wanted ${small.length} bytes, got more`);
    expect(inflated).toBeGreaterThan(0);
    expect(inflated).toBeLessThan(MEBIBYTE);
  });

  it("is not inflated when its header says another size", async () => {
    for (const [content, size] of [[tail, tail.length] as const, [large, 1000] as const]) {
      const [error, inflated] = await refusal(zip([{ name: "x.npy", content, size }]));
      expect(error).toMatch(
        /^InputError: npz b\.npz \(x\): wanted \d+ bytes for shape \(\d+\), got \d+ in the directory$/,
      );
      expect(inflated).toBeLessThan(MEBIBYTE);
    }
    const stored = zip([{ name: "x.npy", content: tail, deflated: false }]);
    expect((await refusal(stored))[0]).toContain(`got ${tail.length} in the directory`);
  });

  it("is not inflated when it is larger than the limit, alone or with others", async () => {
    const limit = 10 * MEBIBYTE;
    const message =
      /^InputError: npz b\.npz: wanted an archive that takes at most 10485760 bytes \(the memory limit\), got \d+$/;
    const [error, inflated] = await refusal(zip([{ name: "x.npy", content: large }]), limit);
    expect(error).toMatch(message);
    expect(inflated).toBe(0);
    const half = writeNpy({ shape: [6 * MEBIBYTE], data: new Uint8Array(6 * MEBIBYTE) });
    const twice = zip(["x.npy", "y.npy"].map((name) => ({ name, content: half })));
    expect(await refusal(twice, limit)).toEqual([expect.stringMatching(message), 0]);
    // Bytes are eight times as much once they are numbers.
    const once = zip([{ name: "x.npy", content: half }]);
    const [widened, before] = await refusal(once, limit);
    expect(widened).toMatch(message);
    expect(before).toBeLessThan(MEBIBYTE);
  });

  it("is refused when entries lie in each other", async () => {
    const entries = Array.from({ length: 50 }, (_, i) => ({
      name: `x${i}.npy`,
      content: large,
      ...(i > 0 ? { over: 0 } : {}),
    }));
    const [error, inflated] = await refusal(zip(entries));
    expect(error).toMatch(
      /^InputError: npz b\.npz: wanted entries that do not overlap, got \d+ bytes of them$/,
    );
    expect(inflated).toBe(0);
  });

  it("has no header without end", async () => {
    const content = Buffer.alloc(16 * MEBIBYTE);
    content.write("\x93NUMPY", "latin1");
    content[6] = 2;
    content.writeUInt32LE(15 * MEBIBYTE, 8);
    const [error, inflated] = await refusal(zip([{ name: "x.npy", content }]));
    expect(error).toBe("InputError: npz b.npz (x): wanted a header of at most 65536 bytes, got 15728640");
    expect(inflated).toBeLessThan(MEBIBYTE);
  });

  it("is told from one that fits", async () => {
    const whole = zip([
      { name: "x.npy", content: small },
      { name: "y.npy", content: small, deflated: false },
      { name: "readme.txt", content: Buffer.alloc(100) },
    ]);
    const limit = whole.length + 2 * 8000 + small.length;
    expect([...(await readNpz(whole, "b.npz", { limit })).keys()]).toEqual(["x", "y"]);
    expect((await refusal(whole, limit - 1))[0]).toContain("(the memory limit)");
  });
});

describe("writeNpz", () => {
  it("writes what readNpz reads", async () => {
    const arrays = {
      arr_0: { shape: [2, 3], data: Float32Array.from(A) },
      größe: { shape: [0], data: new Float64Array(0) },
    };
    expect(Object.fromEntries(await readNpz(writeNpz(arrays), "x"))).toEqual(arrays);
  });

  it("gives its bytes in pieces, the numbers as views of the arrays", () => {
    const data = Float64Array.from(A);
    const parts = npzParts({ a: { shape: [6], data } });
    expect(parts.some(({ buffer }) => buffer === data.buffer)).toBe(true);
    expect(Uint8Array.from(parts.flatMap((part) => [...part]))).toEqual(
      writeNpz({ a: { shape: [6], data } }),
    );
  });

  it("refuses an archive whose offsets have no room in 32 bits", () => {
    const arrays = {
      a: { shape: [6], data: Float64Array.from(A) },
      b: { shape: [1], data: Uint8Array.of(1) },
    };
    expect(() => npzParts(arrays, 300)).toThrow(
      /^npz archive: wanted less than 300 bytes, got \d+ and more with b$/,
    );
    expect(() => npzParts(arrays, 1000)).not.toThrow();
  });

  it("gives the same bytes for the same arrays", () => {
    const arrays = { a: { shape: [1], data: Float64Array.of(1) } };
    expect(writeNpz(arrays)).toEqual(writeNpz(arrays));
  });
});
