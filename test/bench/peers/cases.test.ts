import { expect, test } from "vitest";
import {
  bytesOf,
  casesOf,
  JOBS,
  keyOf,
  operationsOf,
  parametersOf,
  waysOf,
  type Case,
} from "../../../bench/peers/cases.ts";
import { imageNetwork } from "../../../bench/peers/images.ts";

const one: Case = { job: "empirical", N: 100, tests: 0, C: 1, width: 4096, depth: 3 };

test("casesOf lists every case once, the centre of a grid too", () => {
  const keys = casesOf(JOBS).map(keyOf);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toContain("empirical-N100+0-C1-M1024-L3");
  expect(keys).toContain("step-N100+50-C1-M4096-L3-kfac");
});

test("casesOf gives the jobs asked for, smaller when quick", () => {
  const quick = casesOf(["analytic"], { quick: true });
  expect(quick.every(({ job }) => job === "analytic")).toBe(true);
  expect(Math.max(...quick.map(({ N }) => N))).toBeLessThanOrEqual(100);
});

test("natgrad does every case, first", () => {
  for (const one of casesOf(JOBS)) expect(waysOf(one)[0]?.peer).toBe("natgrad");
});

test("parametersOf counts the weights of the default network", () => {
  expect(parametersOf(one)).toBe(784 * 4096 + 4096 * 4096 + 4096);
});

test("Jacobians of the default run take 8 GB, Grams next to nothing", () => {
  const way = { peer: "numpy", variant: "jacobian_contraction" } as const;
  expect(bytesOf(one, way) / 1e9).toBeCloseTo(8.2, 1);
  expect(bytesOf(one, { peer: "natgrad", variant: "grams" })).toBeLessThan(3e8);
});

test("operations of a contraction grow as N^2 C^2, of NTK-vector products as N^2 C, of Grams more slowly", () => {
  const growth = (variant: string, change: Partial<Case>): number =>
    operationsOf({ ...one, N: 1000, ...change }, { peer: "jax", variant }) /
    operationsOf({ ...one, N: 1000 }, { peer: "jax", variant });
  expect(growth("jacobian_contraction", { N: 2000 })).toBeCloseTo(4, 1);
  expect(growth("ntk_vector_products", { N: 2000 })).toBe(4);
  expect(growth("grams", { N: 2000 })).toBeLessThan(3);
  expect(growth("ntk_vector_products", { N: 1000, C: 2 })).toBeCloseTo(2, 2);
});

test("networks on images have the layers that their cases name, and the operations of their positions", () => {
  for (const one of casesOf(["images", "images-step"])) {
    expect(imageNetwork(one.network!, one.width, one.C).blocks.length).toBe(one.depth);
  }
  const image = casesOf(["images"], { quick: true }).find(({ network }) => network === "cnn");
  const { N, C, width: M } = image!;
  const [first, others] = [32 * 32 * M * (9 * 3 + 1), (16 * 16 + 8 * 8 + 4 * 4) * M * (9 * M + 1)];
  const passes = N * (1 + C) * (first + others + (M + 1) * C);
  const rows = N * C * (first + others + (M + 1) * C);
  const contraction = (N * C) ** 2 * (M * (9 * 3 + 1) + 3 * M * (9 * M + 1) + (M + 1) * C);
  const way = { peer: "jax", variant: "jacobian_contraction" } as const;
  expect(operationsOf(image!, way)).toBe(passes + rows + contraction);
});
