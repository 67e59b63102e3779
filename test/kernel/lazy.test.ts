/**
 * @file Lazy values: made once, and made anew where the first attempt failed.
 */
import { expect, it } from "vitest";
import { whitenKernel } from "../../src/kernel/whiten.ts";
import { lazy } from "../../src/kernel/lazy.ts";
import { matrixKernel } from "../../src/kernel/kernel.ts";
import { identity } from "../../src/linalg/matrix.ts";

it("a lazy value is made when it is first asked for, and once", async () => {
  let made = 0;
  const value = lazy(async () => ++made);
  expect(made).toBe(0);
  expect(await Promise.all([value(), value()])).toEqual([1, 1]);
});

it("a lazy value that failed or was aborted is made anew", async () => {
  let attempts = 0;
  const value = lazy(async () => {
    if (++attempts < 3) throw new Error(`attempt ${attempts}`);
    return attempts;
  });
  await expect(value()).rejects.toThrow("attempt 1");
  await expect(value()).rejects.toThrow("attempt 2");
  expect(await value()).toBe(3);
});

it("a matrix that is not shared is its owner's to overwrite", async () => {
  const head = { source: "empirical", rows: 2, cols: 2, outputs: 1, copies: 1, epsilon: 2 ** -52 } as const;
  const kernel = matrixKernel(head, identity(2));
  const S = { samples: 2, outputs: 1, columns: 1, values: Float64Array.of(1, 2), rank: 1 };
  for (const any of [kernel, whitenKernel(kernel, S)]) {
    const wanted = [...(await any.matrix()).data];
    (await any.matrix()).data.fill(7);
    expect([...(await any.matrix({ shared: true })).data]).toEqual(wanted);
  }
});
