/**
 * @file Documents that are written by a command are what the command writes: tables and figures are drawn again from the
 * measurements that are kept beside them, and a part of the measurements is taken again: methods of two classes on the
 * squared error without the slow unit-wise ones, one seed of the narrowest width, two panels of training, and all of isotropy.
 */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { drawAll, kept } from "../../bench/peers/figures.ts";
import {
  keepAgreeing,
  cellsOf,
  measureRow,
  methodsOf,
  type Cell,
  type Part,
  type Row,
} from "../../scripts/documents/cells.ts";
import { cellsDocument, type Cells } from "../../scripts/documents/cells-table.ts";
import { CNN_METHODS, SETTING, type CnnRow } from "../../scripts/documents/cnn.ts";
import {
  agreeing,
  cnnDocument,
  drawCnn,
  keptRows,
  withRow,
  type CnnRuns,
} from "../../scripts/documents/cnn-table.ts";
import { createGap, GAP_METHODS } from "../../scripts/documents/gap.ts";
import { drawGap, widthsDocument, type Widths } from "../../scripts/documents/gap-table.ts";
import { drawIsotropy, measureIsotropy } from "../../scripts/documents/isotropy.ts";
import { toLines } from "../../scripts/documents/lines.ts";
import { atBothWidths } from "../../scripts/documents/sizes.ts";
import { measureTraining } from "../../scripts/documents/training.ts";
import type { StepEvent } from "../../src/node.ts";
import { describeRun } from "../../scripts/figures/training.ts";

const text = (path: string) => readFile(path, "utf8");
const json = async <T>(path: string) => JSON.parse(await text(path)) as T;
const cells = await json<Cells>("docs/generated/cells.json");
const widths = await json<Widths>("docs/generated/widths.json");
const cnn = await json<CnnRuns>("docs/generated/cnn.json");

describe("what is written is what is drawn from the measurements kept", () => {
  it("the table of cells", async () => {
    expect(await text("docs/generated/cells.md")).toBe(cellsDocument(cells));
  });

  it("the table of widths", async () => {
    expect(await text("docs/generated/widths.md")).toBe(widthsDocument(widths));
  });

  it("the tables of the convolutional network", async () => {
    expect(await text("docs/generated/cnn.md")).toBe(cnnDocument(cnn));
  });

  it("the figures of the gaps and of the peers", async () => {
    const figures = [
      ...atBothWidths("gap", (options) => drawGap(widths, options)),
      ...atBothWidths("cnn", (options) => drawCnn(cnn, options)),
      ...drawAll(await kept()),
    ];
    expect(figures).toHaveLength(8);
    for (const [path, svg] of figures) expect(await text(path), path).toBe(svg);
  });

  it("the measurements themselves, one entry per line", async () => {
    expect(await text("docs/generated/cells.json")).toBe(toLines({ ...cells }));
    expect(await text("docs/generated/widths.json")).toBe(toLines({ ...widths }));
    expect(await text("docs/generated/cnn.json")).toBe(toLines({ ...cnn }));
    expect(await text("docs/generated/peers.json")).toBe(toLines({ ...(await kept()) }));
  });
});

describe("measured again, it is the same", () => {
  const part: Part = { n_classes: 2, loss_type: "mse" };
  const fast = methodsOf(part).filter(({ title }) => !title.startsWith("unit_wise"));

  it.each(fast)("the cells of $title", async (method) => {
    const row = await measureRow(part, method, cells.width);
    const written = cells.rows.find(({ n_classes, loss_type, title }) =>
      n_classes === 2 && loss_type === "mse" ? title === row.title : false,
    );
    expect(keepAgreeing([row], cells.rows)).toEqual([written]);
  });

  it("the gaps of one seed at the narrowest width", async () => {
    const gap = await createGap();
    for (const method of GAP_METHODS) {
      const measured = await gap(method, widths.widths[0]!, 1);
      expect(Number(measured.toPrecision(4)), method.title).toBe(widths.gaps[method.title]![0]![0]);
    }
  });

  it("the figure of isotropy", async () => {
    const groups = await measureIsotropy();
    for (const [path, svg] of atBothWidths("isotropy", (options) => drawIsotropy(groups, options))) {
      expect(svg, path).toBe(await text(path));
    }
  });

  it("panels of the figure of training", async () => {
    const wanted = ["exact", "kfac, damped"];
    const runs = await measureTraining((title) => wanted.includes(title));
    expect(runs.map(({ title }) => title)).toEqual(wanted);
    const svg = await text("docs/figures/training.svg");
    for (const run of runs) expect(svg).toContain(describeRun(run));
  });
});

describe("cells", () => {
  const step = (n: number, train_loss: number, predicted: number): StepEvent => {
    const metrics = (loss: number) => ({
      train_accuracy: 1,
      train_loss: loss,
      test_accuracy: 1,
      test_loss: loss,
    });
    return { event: "step", step: n, ...metrics(train_loss), predict: metrics(predicted) };
  };
  const start = step(0, 0.5, 0.5);

  it("have three digits, and none of what is below 1e-12", () => {
    const rows = [start, step(1, 0.12345, 9e-13), step(2, 2e-12, 0), step(5, 4e-16, 1e-40)];
    const shown: Cell[] = [
      [0.123, 0],
      [2e-12, 0],
      [0, 0],
    ];
    expect(cellsOf(rows, false)).toEqual(shown);
  });

  it("of a network that diverges have no digits of its loss", () => {
    const rows = [start, step(1, 0.4, 0.1), step(2, 75.2, 0.01), step(5, 5530, 0.001)];
    expect(cellsOf(rows, false)).toEqual([
      [0.4, 0.1],
      ["diverges", 0.01],
      ["diverges", 0.001],
    ]);
    const toNaN = [start, step(1, 34.2, 0.1), step(2, NaN, 0.01)];
    const noDigits = [
      ["diverges", 0.1],
      ["diverges", 0.01],
      ["diverges", null],
    ];
    expect(cellsOf(toNaN, false)).toEqual(noDigits);
    expect(cellsOf(toNaN, true)).toEqual(noDigits);
  });

  it("of a network that comes back after a rise keep theirs", () => {
    const rows = [start, step(1, 0.7, 0.1), step(2, 0.2, 0.01), step(5, 0.1, 0.001)];
    expect(cellsOf(rows, false)[0]).toEqual([0.7, 0.1]);
  });

  it("after a singular Gram are empty", () => {
    expect(cellsOf([start, step(1, 0.4, 0.1)], true)).toEqual([
      [0.4, 0.1],
      ["singular", null],
      ["singular", null],
    ]);
  });

  const row = (...shown: Cell[]): Row => ({ n_classes: 2, loss_type: "mse", title: "exact", cells: shown });

  it("keep what is written where a new number agrees with it to rounding", () => {
    const written = [row([0.132, 0], [1.29e-10, 0.00203], [0, 0])];
    expect(keepAgreeing([row([0.133, 0], [1.12e-10, 0.00204], [3e-12, 0])], written)).toEqual(written);
  });

  it("take the new number where it does not", () => {
    const written = [row([0.132, 0], [1.29e-6, 0.002], ["diverges", 0])];
    const measured = [row([0.135, 1e-9], [1.12e-6, 0.0021], [0.1, 0])];
    expect(keepAgreeing(measured, written)).toEqual(measured);
    expect(keepAgreeing([{ ...written[0]!, title: "kfac" }], measured)).toEqual([
      { ...written[0]!, title: "kfac" },
    ]);
  });
});

describe("runs of the convolutional network", () => {
  const run = (method: string, width: number, gap: number, seed = 1): CnnRow => ({
    n_classes: 2,
    method,
    width,
    seed,
    rate: 1,
    gap: [2 * gap, gap],
    train: Array.from({ length: SETTING.steps }, () => [0.1, 0] as const),
    test: Array.from({ length: SETTING.steps }, () => [0.2, 0.1] as const),
  });
  const runs = (...rows: CnnRow[]): CnnRuns => ({ setting: SETTING, rows });

  it("are in the order of methods, widths and seeds, whenever they were measured", () => {
    const [wide, narrow, other] = [
      run("exact", 64, 0.1),
      run("exact", 32, 0.2),
      run("gradient descent", 64, 0.3),
    ];
    const again = run("exact", 32, 0.2, 2);
    const all = [wide, again, narrow, other].reduce(withRow, runs());
    expect(all.rows).toEqual([other, narrow, again, wide]);
  });

  it("stay where a new one agrees to rounding, and give way where it does not", () => {
    const before = runs(run("exact", 32, 0.2));
    expect(agreeing(before.rows[0]!, run("exact", 32, 0.202))).toBe(true);
    expect(withRow(before, run("exact", 32, 0.202))).toBe(before);
    expect(withRow(before, run("exact", 32, 0.21)).rows).toEqual([run("exact", 32, 0.21)]);
  });

  it("are measured again with another setting", () => {
    const rows = [run("exact", 32, 0.2)];
    expect(keptRows(runs(...rows))).toEqual(rows);
    expect(keptRows({ setting: { ...SETTING, steps: 4 as 5 }, rows })).toEqual([]);
    expect(keptRows(undefined)).toEqual([]);
  });

  it("have a cell for every method, empty where a width was not measured", () => {
    const document = cnnDocument(runs(run("exact", 32, 0.2), run("exact", 64, 0.1)));
    for (const { title } of CNN_METHODS) expect(document).toContain(`| ${title} `);
  });
});
