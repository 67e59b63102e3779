/**
 * @file How a convolutional network on CIFAR-10 follows the prediction of its own kernel, by width: runs every method on two and on
 * ten classes at 32 to 256 channels, and writes docs/generated/cnn.json with every run and cnn.md with their means. What was
 * measured before with the same setting is kept, so that it goes on where it was interrupted; --again measures it anew, and keeps
 * the numbers with which it agrees.
 *
 *     npm run cnn [-- --widths 32,64,128,256 --classes 2,10 --seeds 1 --again]
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { writeWhole } from "../src/node.ts";
import { createCnn } from "./documents/cnn-run.ts";
import { CNN_METHODS, SETTING, type Classes, type CnnMethod } from "./documents/cnn.ts";
import { cnnDocument, keptRows, keyOf, withRow, type CnnRuns } from "./documents/cnn-table.ts";
import { toLines } from "./documents/lines.ts";

const DATA = "docs/generated/cnn.json";
const { values } = parseArgs({
  options: {
    widths: { type: "string", default: "32,64,128,256" },
    classes: { type: "string", default: "2,10" },
    seeds: { type: "string", default: "1" },
    again: { type: "boolean", default: false },
  },
});
const numbers = (list: string): number[] => list.split(",").map(Number);

const written = existsSync(DATA) ? (JSON.parse(await readFile(DATA, "utf8")) as CnnRuns) : undefined;
let runs: CnnRuns = { setting: SETTING, rows: keptRows(written) };
const known = new Set(values.again ? [] : runs.rows.map(keyOf));

type Job = { n_classes: Classes; method: CnnMethod; width: number; seed: number };
const jobs: Job[] = numbers(values.widths)
  .toSorted((a, b) => a - b)
  .flatMap((width) =>
    (numbers(values.classes) as Classes[]).flatMap((n_classes) =>
      Array.from({ length: Number(values.seeds) }, (_, k) => k + 1).flatMap((seed) =>
        CNN_METHODS.map((method) => ({ n_classes, method, width, seed })),
      ),
    ),
  )
  .filter(({ method, ...job }) => !known.has(keyOf({ ...job, method: method.title })));

async function save(): Promise<void> {
  await writeWhole(DATA, toLines(runs));
  await writeWhole("docs/generated/cnn.md", cnnDocument(runs));
}

const measures = new Map<Classes, ReturnType<typeof createCnn>>();
for (const [done, { n_classes, method, width, seed }] of jobs.entries()) {
  const start = performance.now();
  if (!measures.has(n_classes)) measures.set(n_classes, createCnn(n_classes));
  const row = await (await measures.get(n_classes)!)(method, width, seed);
  runs = withRow(runs, row);
  await save();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stderr.write(
    `${done + 1}/${jobs.length}: ${n_classes} classes, ${width} channels, seed ${seed}, ${method.title}: gap ${row.gap.at(-1)} (${seconds} s)\n`,
  );
}
await save();
