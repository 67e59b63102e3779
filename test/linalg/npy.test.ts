/** @file `.npy` bytes: every storage there and back, and one line for whatever is no array of real numbers. */
import { describe, expect, it } from "vitest";
import { npyMatrix, readNpy, writeNpy } from "../../src/linalg/npy.ts";

const HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";

/** A version 1.0 file with any header. */
function npy(header: string, data: Uint8Array = new Uint8Array(16)): Uint8Array {
  const text = new TextEncoder().encode(header);
  return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0, ...text, ...data]);
}

describe("writeNpy", () => {
  it("writes what readNpy reads, for every storage", () => {
    const sources = [
      Float32Array.of(1.5, -2, 3, 4, 5, 6),
      Float64Array.of(0.1, -2, NaN, Infinity, 5, 6),
      Uint8Array.of(0, 1, 2, 3, 4, 255),
      Int32Array.of(-(2 ** 31), 1, 2, 3, 4, 5),
      BigInt64Array.of(-1n, 1n, 2n, 3n, 4n, 5n),
    ];
    for (const data of sources) {
      const back = readNpy(writeNpy({ shape: [2, 3], data }), "x");
      expect(back.shape).toEqual([2, 3]);
      expect([...back.data]).toEqual(Array.from(data, Number));
    }
  });

  it("keeps float32 as float32", () => {
    expect(readNpy(writeNpy({ shape: [1], data: Float32Array.of(0.1) }), "x").data).toBeInstanceOf(
      Float32Array,
    );
  });

  it("writes scalars, vectors and empty arrays", () => {
    for (const shape of [[], [3], [0, 4], [1, 1, 2]]) {
      const data = new Float64Array(shape.reduce((a, b) => a * b, 1));
      expect(readNpy(writeNpy({ shape, data }), "x")).toEqual({ shape, data });
    }
  });

  it("starts the data at a multiple of 64 bytes", () => {
    for (const shape of [[1], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]]) {
      expect((writeNpy({ shape, data: new Float64Array(1) }).length - 8) % 64).toBe(0);
    }
  });

  it("refuses a shape that disagrees with the data", () => {
    expect(() => writeNpy({ shape: [2, 2], data: new Float64Array(3) })).toThrow(
      "wanted shape (2, 2), got 3",
    );
  });
});

describe("readNpy", () => {
  it("does not share memory with the bytes", () => {
    const bytes = Buffer.from(writeNpy({ shape: [1], data: Float64Array.of(7) }));
    const { data } = readNpy(bytes, "x");
    bytes.fill(0);
    expect(data[0]).toBe(7);
  });

  it("says what it wanted when the file is cut anywhere", () => {
    const bytes = writeNpy({ shape: [2, 3], data: new Float64Array(6) });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readNpy(bytes.subarray(0, length), "W1.npy")).toThrow(
        /^npz W1\.npy: wanted [^\n]+, got [^\n]+$/,
      );
    }
  });

  it.each([
    [HEADER.replace("<f8", "|O"), "x: wanted real numbers, got dtype |O"],
    [HEADER.replace("<f8", "<c16"), "x: wanted real numbers, got dtype <c16"],
    [HEADER.replace("<f8", "<U3"), "x: wanted real numbers, got dtype <U3"],
    [HEADER.replace("<f8", "<toString"), "x: wanted real numbers, got dtype <toString"],
    [HEADER.replace("'<f8'", "[('a', '<f4')]"), "x: wanted a header with descr, fortran_order and shape"],
    [HEADER.replace("(2,)", "(-2,)"), "x: wanted a header with descr, fortran_order and shape"],
    [HEADER.replace("(2,)", "(9999999999999,)"), "bytes for shape (9999999999999), got"],
    ["", "x: wanted a header with descr, fortran_order and shape"],
    [HEADER.replace("(2,)", `(0, ${"9".repeat(20)})`), "x: wanted a shape that can be, got (0, 9999"],
  ])("refuses the header %s", (header, message) => {
    expect(() => readNpy(npy(header), "x")).toThrow(message);
  });

  it("refuses integers that a float64 cannot hold", () => {
    const bytes = writeNpy({ shape: [1], data: BigInt64Array.of(2n ** 53n) });
    expect(() => readNpy(bytes, "x")).toThrow("npz x: wanted integers below 2^53, got 9007199254740992");
  });

  it("refuses a version 2 that ends before it says how long its header is", () => {
    const bytes = npy(HEADER).slice(0, 11);
    bytes[6] = 2;
    expect(() => readNpy(bytes, "x")).toThrow("npz x: wanted a .npy file");
  });

  it("refuses what is no .npy file, and other versions of the format", () => {
    expect(() => readNpy(new TextEncoder().encode("hello, hello"), "x")).toThrow("wanted a .npy file");
    const bytes = npy(HEADER);
    bytes[6] = 9;
    expect(() => readNpy(bytes, "x")).toThrow("wanted .npy version 1, 2 or 3, got 9");
  });
});

describe("npyMatrix", () => {
  it("takes a vector as a column", () => {
    expect(npyMatrix({ shape: [2], data: Float64Array.of(1, 2) }, "x")).toMatchObject({ rows: 2, cols: 1 });
  });

  it("refuses three axes", () => {
    expect(() => npyMatrix({ shape: [1, 1, 1], data: new Float64Array(1) }, "x")).toThrow("wanted two axes");
  });
});
