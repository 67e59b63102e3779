import { describe, expect, it } from "vitest";
import { matrix, stackRows } from "../../src/linalg/matrix.ts";

const a = matrix(2, 3, Float32Array.of(1, 2, 3, 4, 5, 6));
const b = matrix(1, 3, Float32Array.of(7, 8, 9));

describe("stackRows", () => {
  it("puts rows under rows, in the precision of the first matrix", () => {
    const { rows, cols, data } = stackRows([a, b, a]);
    expect([rows, cols]).toEqual([5, 3]);
    expect(data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6));
  });

  it("copies, also a single matrix", () => {
    const one = stackRows([b]);
    one.data[0] = 0;
    expect(b.data[0]).toBe(7);
  });

  it("writes where it is told to", () => {
    const shared = (n: number) => new Float32Array(new SharedArrayBuffer(4 * n));
    const { data } = stackRows([a, b], shared);
    expect(data.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("takes more numbers than a call has room for arguments", () => {
    const [rows, cols] = [600, 784];
    const x = matrix(rows, cols, new Float32Array(rows * cols).fill(2));
    const { data } = stackRows([x, x]);
    expect(data.length).toBe(2 * rows * cols);
    expect(data.at(-1)).toBe(2);
  });

  it("refuses rows of another width, and nothing at all", () => {
    expect(() => stackRows([a, matrix(1, 2, Float32Array.of(1, 2))])).toThrow(
      "stackRows: wanted rows of 3 numbers, got 2",
    );
    expect(() => stackRows([])).toThrow("stackRows: wanted one matrix or more, got none");
  });
});
