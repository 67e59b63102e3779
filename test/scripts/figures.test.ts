/**
 * @file The figures of the documentation, drawn from a handful of made-up numbers: each at both widths against a stored
 * drawing (`figures/`, to look at), and what must hold of any of them.
 */
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import type { RunEvent } from "../../src/experiment/events.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { gapFigure, gapPanels } from "../../scripts/figures/gap.ts";
import { isotropyFigure } from "../../scripts/figures/isotropy.ts";
import { dot } from "@observablehq/plot";
import { powerOfTen } from "../../scripts/figures/axes.ts";
import { colour, draw, escape, spread } from "../../scripts/figures/sheet.ts";
import { trainingFigure, type TrainingRun } from "../../scripts/figures/training.ts";

const caption = { title: "Losses < 1 & falling", subtitle: "Points are measured, lines are predicted." };

/** A run whose losses fall by `rate` a step, and a little less than predicted. */
function fallingRun(title: string, rate: number, alpha?: number): TrainingRun {
  const options =
    alpha === undefined ? { learning_rate: 100 } : { natural_gradient_type: "exact", damping: 1e-6 };
  const config: RunEvent = {
    event: "config",
    config: parseConfig(options),
    widths: [784, 4096, 1],
    n_classes: 2,
    target_classes: [0, 1],
    plan: { bytes: 260e6 },
    learning_rate: alpha === undefined ? 100 : 0.5 / alpha,
    ...(alpha === undefined
      ? {}
      : { isotropy: { alpha_theory: alpha, alpha, deviation: 0, probes: 4, size: 4 } }),
  };
  const steps = Array.from({ length: 4 }, (_, step): RunEvent => {
    const at = (factor: number) => ({
      train_accuracy: 1,
      train_loss: 0.125 * (factor * rate) ** step,
      test_accuracy: 1,
      test_loss: 0.125 * (factor * rate) ** step + 0.004,
    });
    return { event: "step", step, ...at(1.1), predict: at(1) };
  });
  return { title, events: [config, ...steps] };
}

const training = (width: number) =>
  trainingFigure(
    [
      fallingRun("gradient descent", 0.9),
      fallingRun("exact", 0.25, 1),
      { ...fallingRun("kfac", 0.3, 201), remark: "gap: finite width" },
    ],
    caption,
    {
      width,
    },
  );

const G = (offDiagonal: number) =>
  matrix(
    3,
    3,
    Float64Array.from({ length: 9 }, (_, i) => (i % 4 === 0 ? 2 : offDiagonal)),
  );
const isotropy = (width: number) =>
  isotropyFigure(
    [
      { panels: [{ title: "gradient descent", G: G(1.2) }] },
      { heading: "Undamped", panels: [{ title: "exact", G: G(0) }] },
      {
        heading: "Damped",
        panels: [
          { title: "exact", G: G(-0.2) },
          { title: "block_tri_diagonal", G: G(0.05) },
        ],
      },
    ],
    { ...caption, halves: ["zeros", "ones"] },
    { width },
  );

/** Three seeds whose gaps are up to a fifth off their mean. */
const seeds = (...means: number[]) => means.map((gap) => [0.8 * gap, gap, 1.2 * gap]);
const gap = (width: number) =>
  gapFigure(
    [
      { title: "exact", widths: [256, 1024, 4096], gaps: seeds(0.4, 0.2, 0.1) },
      { title: "kfac", widths: [256, 1024, 4096], gaps: seeds(4, 2, 1) },
      { title: "block_diagonal", widths: [256, 1024, 4096], gaps: seeds(0.41, 0.21, 0.101) },
      { title: "kfac, ρ = 1e−4", widths: [256, 1024, 4096], gaps: seeds(0.04, 0.02, 0.01) },
    ],
    caption,
    { width },
  );

const panels = (width: number) =>
  gapPanels(
    [
      { title: "Two classes", series: [{ title: "exact", widths: [32, 128], gaps: [[0.3, 0.4], [0.2]] }] },
      { title: "Ten classes", series: [{ title: "kfac", widths: [32, 128], gaps: [[0.6, 0.5], [0.3]] }] },
    ],
    caption,
    { width, axis: "channels M" },
  );

const figures = { training, isotropy, gap, panels };
const cases = Object.entries(figures).flatMap(([name, figure]) =>
  [
    ["page", 760],
    ["phone", 380],
  ].map(([where, width]) => [name, String(where), figure(Number(width)), Number(width)] as const),
);

describe.each(cases)("the figure %s for a %s", (name, where, svg, width) => {
  it("is drawn as before", async () => {
    await expect(svg).toMatchFileSnapshot(`figures/${name}-${where}.svg`);
  });

  it("has the width that was asked for, a title and a description", () => {
    expect(svg).toMatch(
      new RegExp(`^<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} \\d+" width="${width}"`),
    );
    expect(svg).toContain("<title>Losses &lt; 1 &amp; falling</title>");
    expect(svg).toMatch(/<desc>[^<]{40,}<\/desc>/);
  });

  it("has only finite numbers, and nothing that is not defined", () => {
    expect(svg).not.toMatch(/NaN|Infinity|undefined|null|\[object/);
  });

  it("knows a dark partner of every colour", () => {
    const [, style = ""] = /<style>(.*)<\/style>/.exec(svg) ?? [];
    const used = new Set(
      [...svg.matchAll(/ (fill|stroke)="(#[^"]+)"/g)].map(([, attribute, hex]) => `[${attribute}="${hex}"]`),
    );
    expect(used.size).toBeGreaterThan(3);
    for (const selector of used) expect(style).toContain(selector);
  });
});

describe("a figure of training", () => {
  it("says what each method was run with", () => {
    expect(training(760)).toContain("η = 0.5/α, α = 201, ρ = 1e−6");
    expect(training(760)).toContain("η = 100");
  });

  it("has both of its axes named in every panel", () => {
    for (const axis of ["loss", "step"]) {
      expect(training(760).match(new RegExp(`>${axis}[^<]*</text>`, "g"))).toHaveLength(3);
    }
  });

  it("has a legend whose marks are in their colours", () => {
    const [legend = ""] = /<circle.*training loss.*test loss.*predictions of both/.exec(training(760)) ?? [];
    const used = (mark: string) => [...legend.matchAll(new RegExp(`<${mark}[^>]*stroke="([^"]+)"`, "g"))];
    const hues = [colour("blue"), colour("vermilion")];
    expect(used("circle").map(([, hue]) => hue)).toEqual(hues);
    expect(used("path").map(([, hue]) => hue)).toEqual(hues);
  });

  it("says inside a panel what needs a word", () => {
    expect(training(380)).toContain(">gap: finite width</text>");
  });

  it("tells those who cannot see it where the losses ended", () => {
    expect(training(760)).toContain("exact: training loss 0.0026 after 3 steps, predicted 0.0020;");
  });
});

describe("a figure of isotropy", () => {
  it("measures alpha and the deviation from it", () => {
    // G = 2 I + 1.2 off the diagonal: six entries of 1.2 over three of 2.
    expect(isotropy(760)).toContain(
      `gradient descent: alpha 2, deviation ${Number(Math.sqrt((6 * 1.44) / 12).toPrecision(2))}.`,
    );
    expect(isotropy(760)).toContain("Undamped, exact: alpha 2, deviation below 1e−14.");
  });

  it("finds small deviations, which the difference of two norms does not", () => {
    const svg = isotropyFigure(
      [{ panels: [{ title: "exact", G: G(1e-10) }] }],
      { ...caption, halves: ["zeros", "ones"] },
      {},
    );
    expect(svg).toContain("exact: alpha 2, deviation 7.1e-11.");
  });

  it("has no frame around nothing: a map in each, and the scale", () => {
    const frames = isotropy(760).match(/<rect width="[\d.]+" height="[\d.]+" fill="none"/g) ?? [];
    const maps = isotropy(760).match(/shape-rendering="crispEdges"><path/g) ?? [];
    expect(maps).toHaveLength(4);
    expect(frames).toHaveLength(maps.length + 1);
  });

  it("says what lies along both sides of every map, and that the scale is uneven", () => {
    expect(isotropy(380).match(/>zeros<\/text>/g)).toHaveLength(2 * 4);
    expect(isotropy(380)).toContain(">steps are uneven</text>");
  });
});

describe("a figure of gaps", () => {
  it("has a bar from the least to the greatest seed at every width", () => {
    const bars = [...gap(760).matchAll(/<g[^>]*aria-label="rule"[^>]*>(.*?)<\/g>/g)].map(
      ([, inside = ""]) => inside.match(/<line/g)?.length,
    );
    expect(bars).toEqual([3, 3, 3, 3]);
  });

  it("tells those who cannot see it the means and the number of seeds", () => {
    expect(gap(760)).toContain("kfac: 4 at width 256, 1 at 4096, 3 seeds.");
  });

  it("has a panel per setting, and says how many seeds each end of a line has", () => {
    expect(panels(760)).toContain("Two classes, exact: 0.35 at width 32, 0.2 at 128, 2 to 1 seeds.");
    expect(panels(760).match(/>channels M</g)).toHaveLength(2);
  });

  it("draws settings of one method in one colour, the second dashed", () => {
    const hue = (name: string) => new RegExp(`fill="(#[^"]+)"[^>]*><text[^>]*>${name}<`).exec(gap(760))?.[1];
    expect(hue("kfac, ρ = 1e−4")).toBe(hue("kfac"));
    expect(hue("kfac")).not.toBe(hue("exact"));
    expect(gap(760).match(/stroke-dasharray="6[ ,]3"/g)).toHaveLength(1);
  });
});

describe("coordinates", () => {
  it("have two decimals at most, and no zero with digits of rounding", () => {
    for (const [, , svg] of cases) {
      // Maps are drawn in whole cells and stretched.
      expect(svg.replaceAll(/scale\([^)]*\)/g, "")).not.toMatch(/="[^"]*\d(\.\d{3,}|e-\d+)/);
    }
    const marks = draw({
      width: 100,
      height: 100,
      x: { domain: [0, 1], axis: null },
      y: { domain: [0, 1], axis: null },
      marks: [dot([[0.1 + 0.2, 0.5]], { dx: 5.6e-17 - 30, dy: 1 / 3 })],
    });
    expect(marks).not.toMatch(/\d\.\d{3,}|\de-/);
  });
});

describe("labels", () => {
  it("are moved apart as far as needed, in their order", () => {
    expect(spread([0, 100], 15)).toEqual([0, 100]);
    const [a, b, c] = spread([10, 11, 40], 15) as [number, number, number];
    expect(b - a).toBeCloseTo(15, 6);
    expect(a + b).toBeCloseTo(21, 6);
    expect(c).toBe(40);
  });

  it("write powers of ten with raised exponents", () => {
    expect([1, 10, 1e-3, 1e12].map(powerOfTen)).toEqual(["1", "10¹", "10⁻³", "10¹²"]);
  });

  it("keep markup out of text", () => {
    expect(escape(`a < b & "c"`)).toBe("a &lt; b &amp; &quot;c&quot;");
  });
});

describe("the figure training of runs without predictions", () => {
  const { title, events } = fallingRun("exact", 0.25, 1);
  const bare = events.map((event): RunEvent => {
    if (event.event !== "step") return event;
    const { predict: _, ...step } = event;
    return step;
  });
  const svg = trainingFigure([{ title, events: bare }], caption, { width: 760 });

  it("is drawn, and described without them", () => {
    expect(svg).toMatch(/<desc>exact: training loss \S+ after 3 steps; test loss \S+\.<\/desc>/);
    expect(svg).not.toMatch(/NaN|undefined/);
  });
});
