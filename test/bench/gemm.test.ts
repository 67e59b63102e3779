import { expect, test } from "vitest";
import {
  createFloor,
  foldProducts,
  forwardProducts,
  linearizeProducts,
  operations,
  sizes,
} from "../../bench/gemm.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { mlp } from "../../src/network/mlp.ts";

const network = mlp(5, { depth: 3, width: 7, outputs: 2 });

test("a product's sizes follow its transposes", () => {
  const left = { name: "a", rows: 2, cols: 3 };
  const right = { name: "b", rows: 4, cols: 3 };
  expect(sizes({ name: "p", left, right, transB: true })).toEqual({ m: 2, n: 4, k: 3 });
  const tall = { name: "c", rows: 2, cols: 9 };
  expect(sizes({ name: "p", left, right: tall, transA: true })).toEqual({ m: 3, n: 9, k: 2 });
});

test("the inner sizes of every product agree", () => {
  for (const product of [...linearizeProducts(network, 11, 3), ...foldProducts(network, 3)]) {
    const { k } = sizes(product);
    expect(product.transB ? product.right.cols : product.right.rows).toBe(k);
  }
});

test("a forward pass takes 2 S sum of M_in M_out operations", () => {
  expect(operations(forwardProducts(network, 11))).toBe(2 * 11 * (5 * 7 + 7 * 7 + 7 * 2));
});

test("a linearisation adds the way back and the Grams of the first N", () => {
  const N = 3;
  const C = 2;
  const back = 2 * N * C * (7 * 7 + 2 * 7);
  const inputGrams = 2 * N * N * (5 + 7 + 7);
  const signalGrams = 2 * (N * C) ** 2 * (7 + 7 + 2);
  const forward = operations(forwardProducts(network, 11));
  expect(operations(linearizeProducts(network, 11, N))).toBe(forward + back + inputGrams + signalGrams);
});

test("a floor runs all its products", async () => {
  const engine = await createEngine();
  const floor = await createFloor(engine, [
    ...linearizeProducts(network, 11, 3),
    ...foldProducts(network, 3),
  ]);
  await expect(floor.run()).resolves.toHaveProperty("backward1");
});
