import { expect, test } from "vitest";
import type { Case, Way } from "../../../bench/peers/cases.ts";
import { growthFigure } from "../../../bench/peers/figure.ts";
import { axesOf, centreOf, render } from "../../../bench/peers/render.ts";
import { disagrees, growthOf, type Result } from "../../../bench/peers/result.ts";

const natgrad: Way = { peer: "natgrad", variant: "grams" };
const jax: Way = { peer: "jax", variant: "structured_derivatives" };
const sizes = { tests: 0, C: 1, width: 64, depth: 3 };

/** A grid over N on which natgrad takes N^2 ms, and JAX twice that. */
const grid: Result[] = [10, 20, 40].flatMap((N) => {
  const one: Case = { job: "empirical", N, ...sizes };
  return [
    { case: one, way: natgrad, seconds: [N ** 2 / 1000], peak: 1e8 },
    { case: one, way: jax, seconds: [N ** 2 / 500], peak: 2e8, difference: 2e-6 },
  ];
});
const step = (way: Way, rest: Partial<Result>): Result => ({
  case: { job: "step", N: 20, ...sizes, method: "exact" },
  way,
  seconds: [0.3, 0.1, 0.2],
  ...rest,
});

test("render gives a grid its ratios to natgrad, its exponents and its memory", () => {
  expect(render(grid)).toMatchInlineSnapshot(`
    "### Empirical NTK

    Of all rows: test samples = 0, C = 1, M = 64, L = 3.

    Seconds (median; ratio to natgrad) by samples N:

    | N                                            |           10 |           20 |          40 | exponent | expected | difference |
    | -------------------------------------------- | -----------: | -----------: | ----------: | -------: | -------: | ---------: |
    | natgrad: grams                               |        0.100 |        0.400 |        1.60 |     2.00 |     1.27 |            |
    | JAX, Neural Tangents: structured derivatives | 0.200 (2.0x) | 0.800 (2.0x) | 3.20 (2.0x) |     2.00 |     1.27 |       2e-6 |

    Peak memory in MB by samples N:

    | N                                            |  10 |  20 |  40 |
    | -------------------------------------------- | --: | --: | --: |
    | natgrad: grams                               | 100 | 100 | 100 |
    | JAX, Neural Tangents: structured derivatives | 200 | 200 | 200 |
    "
  `);
});

test("render gives minimum, median, compilation, memory and ratios of single jobs", () => {
  const text = render([
    step(natgrad, { peak: 1e8, compile: 0.05 }),
    step(jax, { seconds: [0.4], peak: 3e8, compile: 1, difference: 0.1 }),
    step({ peer: "numpy", variant: "jacobian_contraction" }, { seconds: [], note: "needs 80 GB" }),
  ]);
  expect(text).toMatchInlineSnapshot(`
    "### One step of each method

    Of all rows: N = 20, test samples = 0, C = 1, M = 64, L = 3.

    | method, program                                             | min s | median s | to natgrad | compile s | peak MB | to natgrad | difference |
    | ----------------------------------------------------------- | ----: | -------: | ---------: | --------: | ------: | ---------: | ---------: |
    | exact, natgrad: grams                                       | 0.100 |    0.200 |       1.0x |    0.0500 |     100 |       1.0x |            |
    | exact, JAX, Neural Tangents: structured derivatives         | 0.400 |    0.400 |       2.0x |      1.00 |     300 |       3.0x |   **1e-1** |
    | exact, NumPy, Jacobians: jacobian contraction (needs 80 GB) |       |          |            |           |         |            |            |
    "
  `);
});

test("render gives what was measured in turns the median and the range of its ratios", () => {
  const one: Case = { job: "images", N: 4, tests: 0, C: 1, width: 4, depth: 5, network: "cnn" };
  const text = render([
    { case: one, way: natgrad, seconds: [0.1, 0.2] },
    { case: { ...one, N: 8 }, way: natgrad, seconds: [0.1, 0.3] },
    { case: one, way: jax, seconds: [0.3, 0.3], ratios: [3, 1.5] },
  ]);
  expect(text).toContain("### Empirical NTK of networks on images: Four convolutions");
  expect(text).toContain("0.300 (2.3x, 1.5x-3.0x)");
});

test("a result that is not finite, or further off than its tolerance, disagrees", () => {
  expect(disagrees(step(jax, { difference: 1e-4 }))).toBe(false);
  expect(disagrees(step(jax, {}))).toBe(false);
  expect(disagrees(step(jax, { difference: 1e-2 }))).toBe(true);
  expect(disagrees(step(jax, { difference: null }))).toBe(true);
});

test("growthOf fits each way along an axis through the centre", () => {
  const off: Result = { case: { job: "empirical", N: 10, ...sizes, C: 3 }, way: jax, seconds: [9] };
  const all = [...grid, off];
  expect(axesOf(all)).toEqual(["N", "C"]);
  expect(centreOf(all).C).toBe(1);
  const growths = growthOf(all, "N", centreOf(all));
  expect(growths.map(({ fitted }) => fitted?.toFixed(6))).toEqual(["2.000000", "2.000000"]);
});

const growths = growthOf(
  [
    ...grid,
    {
      case: { job: "empirical", N: 40, ...sizes },
      way: { peer: "torch", variant: "jacobian_contraction" },
      seconds: [],
      note: "more than 6 s",
    },
    {
      case: { job: "empirical", N: 20, ...sizes },
      way: { peer: "torch", variant: "jacobian_contraction" },
      seconds: [3],
    },
    {
      case: { job: "empirical", N: 10, ...sizes },
      way: { peer: "numpy", variant: "jacobian_contraction" },
      seconds: [],
      note: "needs 80 GB",
    },
  ],
  "N",
  centreOf(grid),
);
const figure = (width: number) =>
  growthFigure(
    [{ title: "By samples N", note: "C = 1", axis: "samples N", growths }],
    { title: "Growth", subtitle: "" },
    { width },
  );

test("growthFigure writes fitted beside expected exponents, legible in light and dark", () => {
  const svg = figure(760);
  expect(svg).toContain("natgrad: grams 2.0 (1.3)");
  expect(svg).toContain("prefers-color-scheme: dark");
  expect(svg).not.toContain("NaN");
});

test("growthFigure names every line, with what ended it: time, memory, or nothing", () => {
  for (const width of [380, 760]) {
    const names = [...figure(width).matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, name]) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        "natgrad",
        "JAX structured",
        "PyTorch Jacobians &gt;6 s",
        "NumPy Jacobians needs 80 GB at N = 10",
        "C = 1",
        "samples N",
        "seconds",
      ]),
    );
  }
});

test("growthFigure makes natgrad the thickest line, drawn last, with a bold name", () => {
  const widths = [...figure(760).matchAll(/<g [^>]*stroke-width="([^"]+)"[^>]*aria-label="line"/g)].map(
    ([, w]) => Number(w),
  );
  expect(widths).toHaveLength(3);
  expect(widths.at(-1)).toBeGreaterThan(2 * Math.max(...widths.slice(0, -1)));
  expect(figure(760)).toMatch(/font-weight="600"[^>]*>natgrad</);
});
