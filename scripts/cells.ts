/**
 * @file Runs every cell of the table, method x loss x classes, at width 4096 and writes docs/generated/cells.json and
 * cells.md. A number that agrees with the one that stands there, to float32's rounding, stays.
 *
 *     npm run cells [-- --width 4096]
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { writeWhole } from "../src/node.ts";
import { keepAgreeing, measureRow, methodsOf, PARTS, type Row } from "./documents/cells.ts";
import { cellsDocument, type Cells } from "./documents/cells-table.ts";
import { toLines } from "./documents/lines.ts";

const DATA = "docs/generated/cells.json";
const { values } = parseArgs({ options: { width: { type: "string", default: "4096" } } });
const width = Number(values.width);

const rows: Row[] = [];
for (const part of PARTS) {
  for (const method of methodsOf(part)) {
    const start = performance.now();
    const row = await measureRow(part, method, width);
    rows.push(row);
    const shown = row.cells.map(([train, predict]) => `${train} / ${predict ?? "-"}`).join(", ");
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    process.stderr.write(`${part.n_classes} ${part.loss_type} ${row.title}: ${shown} (${seconds} s)\n`);
  }
}
const written = existsSync(DATA) ? (JSON.parse(await readFile(DATA, "utf8")) as Cells) : undefined;
const cells: Cells = {
  width,
  rows: written?.width === width ? keepAgreeing(rows, written.rows) : rows,
};
await writeWhole(DATA, toLines(cells));
await writeWhole("docs/generated/cells.md", cellsDocument(cells));
