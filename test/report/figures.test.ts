/**
 * @file The figures of the documentation, drawn from a handful of made-up numbers: each at both widths against a stored
 * drawing (`figures/`, to look at), and what must hold of any of them.
 */
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/experiment/config.ts";
import type { RunEvent } from "../../src/experiment/run.ts";
import { matrix } from "../../src/matrix/matrix.ts";
import { gapFigure } from "../../src/report/figures/gap.ts";
import { isotropyFigure } from "../../src/report/figures/isotropy.ts";
import { escape, powerOfTen, spread } from "../../src/report/figures/sheet.ts";
import { trainingFigure, type TrainingRun } from "../../src/report/figures/training.ts";

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
    [fallingRun("gradient descent", 0.9), fallingRun("exact", 0.25, 1), fallingRun("K-FAC", 0.3, 201)],
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
      {
        heading: "Undamped",
        panels: [
          { title: "gradient", G: G(1.2) },
          { title: "exact", G: G(0) },
        ],
      },
      {
        heading: "Damped",
        panels: [
          { title: "gradient", G: "has no damping" },
          { title: "exact", G: G(-0.2) },
        ],
      },
    ],
    caption,
    { width },
  );

const gap = (width: number) =>
  gapFigure(
    [
      { title: "exact", widths: [256, 1024, 4096], gaps: [0.4, 0.2, 0.1] },
      { title: "K-FAC", widths: [256, 1024, 4096], gaps: [4, 2, 1] },
      { title: "block-diagonal", widths: [256, 1024, 4096], gaps: [0.41, 0.21, 0.101] },
    ],
    caption,
    { width },
  );

const figures = { training, isotropy, gap };
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

  it("tells those who cannot see it where the losses ended", () => {
    expect(training(760)).toContain("exact: training loss 0.0026 after 3 steps, predicted 0.0020;");
  });
});

describe("a figure of isotropy", () => {
  it("measures alpha and the deviation from it", () => {
    // G = 2 I + 1.2 off the diagonal: six entries of 1.2 over three of 2.
    expect(isotropy(760)).toContain(
      `Undamped, gradient: alpha 2, deviation ${Number(Math.sqrt((6 * 1.44) / 12).toPrecision(2))}.`,
    );
    expect(isotropy(760)).toContain("Undamped, exact: alpha 2, deviation 0.");
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
