/**
 * @file Runs every cell of the table, method x loss x classes, at width 4096 and writes docs/generated/cells.md and the same tables into README.md: the
 * training loss of the network after 1, 2 and 5 steps beside what the analytic kernel predicted.
 *
 *     npm run cells [-- --width 4096]
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { InputError, METHODS, parseConfig, run, writeWhole, type StepEvent } from "../src/node.ts";
import { formatG } from "../src/report/table.ts";

const STEPS = [1, 2, 5];
const { values } = parseArgs({ options: { width: { type: "string", default: "4096" } } });

type Cell = { title: string; options: Record<string, string | number> };

/** Every method as it is by default, and unit-wise also with the damping that it needs at finite width. */
const cells = (loss: string): Cell[] => [
  { title: "gradient descent, learning rate 1", options: { learning_rate: 1 } },
  ...METHODS.filter((method) => loss === "cross_entropy" || method !== "exact_plus_mse").flatMap((method) => {
    const plain = { title: method, options: { natural_gradient_type: method } };
    if (method !== "unit_wise") return [plain];
    const damped = {
      title: "unit_wise, damping 1e-9",
      options: { natural_gradient_type: method, damping: 1e-9 },
    };
    return [{ ...plain, title: "unit_wise, undamped" }, damped];
  }),
];

const lossesOf = (rows: readonly StepEvent[]): string[] =>
  STEPS.map((step) => {
    const row = rows[step];
    if (!row) return "–";
    return `${short(row.train_loss)} / ${short(row.predict!.train_loss)}`;
  });

/** Three significant digits. */
const short = (x: number): string => formatG(Number(x.toPrecision(3)));

async function cell({ options }: Cell, common: Record<string, string | number>): Promise<string[]> {
  const rows: StepEvent[] = [];
  try {
    for await (const event of run(parseConfig({ ...common, ...options, n_steps: 5 }))) {
      if (event.event === "step") rows.push(event);
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const shown = lossesOf(rows);
    for (const [k, text] of shown.entries()) if (text === "–") shown[k] = "none: singular";
    shown[rows.length <= 1 ? 0 : 2] = error.message.replaceAll("|", "\\|").split(";")[0]!;
    return shown;
  }
  const shown = lossesOf(rows);
  const last = rows.at(-1)!;
  if (!(last.train_loss < rows[0]!.train_loss)) {
    shown[2] = `**diverges:** ${shown[2] === "–" ? `${formatG(last.train_loss)} after ${last.step} steps` : shown[2]}`;
  }
  return shown;
}

const lines = [
  `Training loss of a network of width ${values.width} and, after the stroke, of its prediction by the analytic kernel.`,
  "MNIST, 100 training samples, three layers, seed 1, learning rate 1/alpha of the theory for natural gradients.",
  "Written by `npm run cells`.",
  "",
];
for (const n_classes of [2, 10]) {
  for (const loss_type of ["mse", "cross_entropy"]) {
    const heading = loss_type === "mse" ? "mean squared error" : "cross-entropy";
    lines.push(
      `### ${n_classes} classes, ${heading}`,
      "",
      "| method | 1 step | 2 steps | 5 steps |",
      "| --- | --- | --- | --- |",
    );
    for (const c of cells(loss_type)) {
      const start = performance.now();
      const shown = await cell(c, { n_classes, loss_type, width: values.width });
      lines.push(`| ${c.title} | ${shown.join(" | ")} |`);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      process.stderr.write(`${n_classes} ${loss_type} ${c.title}: ${shown.join(", ")} (${seconds} s)\n`);
    }
    lines.push("");
  }
}
await writeWhole("docs/generated/cells.md", lines.join("\n"));

// The README holds the same tables between two marks.
const [begin, end] = ["<!-- npm run cells -->", "<!-- end of npm run cells -->"];
const readme = await readFile("README.md", "utf8");
const [before, rest = ""] = readme.split(begin) as [string, string?];
const after = rest.split(end)[1];
if (after === undefined)
  throw new InputError(`README.md: wanted the marks ${begin} and ${end}, got a text without them`);
await writeWhole("README.md", `${before}${begin}\n\n${lines.join("\n").trim()}\n\n${end}${after}`);
