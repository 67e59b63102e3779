/**
 * @file The cells as Markdown: docs/generated/cells.md.
 */
import { formatG } from "../../src/report/table.ts";
import { table } from "../../bench/markdown.ts";
import { CELL_FLOOR, CELL_STEPS, PARTS, type Cell, type Row } from "./cells.ts";

/** What `npm run cells` keeps in docs/generated/cells.json. */
export type Cells = { readonly width: number; readonly rows: readonly Row[] };

const LOSSES = { mse: "mean squared error", cross_entropy: "cross-entropy" } as const;

/** docs/generated/cells.md. */
export function cellsDocument({ width, rows }: Cells): string {
  const parts = PARTS.map(({ n_classes, loss_type }) => {
    const of = rows.filter((row) => row.n_classes === n_classes && row.loss_type === loss_type);
    const header = ["method", ...CELL_STEPS.map((step) => `${step} ${step === 1 ? "step" : "steps"}`)];
    const body = of.map(({ title, cells }) => [title, ...cells.map(textOf)]);
    return `## ${n_classes} classes, ${LOSSES[loss_type]}\n\n${table(header, body)}`;
  });
  const intro = [
    "# Every method on every loss",
    "",
    `Training loss of a network of width ${width} and, after the stroke, of its prediction by the analytic kernel.`,
    "MNIST, 100 training samples, three layers, seed 1, learning rate 1/alpha of the theory for natural gradients.",
    ...[
      ["diverges", "**diverges**: the loss rises above where it began, and stays there."],
      ["singular", "**singular**: a Gram has no inverse there, and the run ends; with damping it goes on."],
    ].flatMap(([word, line]) =>
      rows.some(({ cells }) => cells.some(([train]) => train === word)) ? [line] : [],
    ),
    "Written by `npm run cells`.",
  ];
  return `${intro.join("\n")}\n\n${parts.join("\n\n")}\n`;
}

function textOf([train, predict]: Cell): string {
  const left = typeof train === "number" ? loss(train) : `**${train}**`;
  return predict === null ? left : `${left} / ${loss(predict)}`;
}

const loss = (x: number): string => (x < CELL_FLOOR ? `< ${formatG(CELL_FLOOR)}` : formatG(x));
