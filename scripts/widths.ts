/**
 * @file How the gap between network and analytic prediction shrinks with the width: runs every method for which the
 * theory is exact in the limit at widths 256 to 8192, and writes docs/generated/widths.json with the gap of every seed and
 * docs/generated/widths.md with their means and the slope of each method.
 *
 *     npm run widths [-- --widths 256,1024,4096 --seeds 3]
 */
import { parseArgs } from "node:util";
import { writeWhole } from "../src/node.ts";
import { GAP_METHODS, createGap } from "./documents/gap.ts";
import { widthsDocument, type Widths } from "./documents/gap-table.ts";
import { toLines } from "./documents/lines.ts";

const { values } = parseArgs({
  options: {
    widths: { type: "string", default: "256,512,1024,2048,4096,8192" },
    seeds: { type: "string", default: "4" },
  },
});
const widths = values.widths.split(",").map(Number);
const seeds = Number(values.seeds);

const measure = await createGap();
const gaps: Record<string, number[][]> = {};
for (const method of GAP_METHODS) {
  const rows = (gaps[method.title] = widths.map((): number[] => []));
  for (const [i, width] of widths.entries()) {
    for (let seed = 1; seed <= seeds; seed++) {
      rows[i]!.push(Number((await measure(method, width, seed)).toPrecision(4)));
    }
    process.stderr.write(`${method.title}, width ${width}: ${rows[i]!.join(", ")}\n`);
  }
}
const measured: Widths = { widths, seeds, gaps };
await writeWhole("docs/generated/widths.json", toLines(measured));
await writeWhole("docs/generated/widths.md", widthsDocument(measured));
