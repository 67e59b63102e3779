/**
 * @file Draws the figures of the documentation into docs/figures/: each for a page (`name.svg`) and for a phone
 * (`name-narrow.svg`).
 *
 *     npm run figures [-- training isotropy gap cnn peers]
 *
 * `training` and `isotropy` run their experiments, in a minute. `gap` draws what `npm run widths` measured, `cnn` what
 * `npm run cnn` and `peers` what `npm run bench:peers` did (docs/generated/widths.json, cnn.json, peers.json).
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { drawAll, kept } from "../bench/peers/figures.ts";
import { InputError } from "../src/index.ts";
import { writeWhole } from "../src/node.ts";
import { drawCnn, type CnnRuns } from "./documents/cnn-table.ts";
import { drawGap, type Widths } from "./documents/gap-table.ts";
import { drawIsotropy, measureIsotropy } from "./documents/isotropy.ts";
import { atBothWidths } from "./documents/sizes.ts";
import { drawTraining, measureTraining } from "./documents/training.ts";

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Every figure, by the name of its file. */
const FIGURES: Readonly<Record<string, () => Promise<[name: string, svg: string][]>>> = {
  async training() {
    const runs = await measureTraining(undefined, (title) => progress(`training: ${title}`));
    return atBothWidths("training", (options) => drawTraining(runs, options));
  },
  async isotropy() {
    const groups = await measureIsotropy();
    return atBothWidths("isotropy", (options) => drawIsotropy(groups, options));
  },
  async gap() {
    const widths = JSON.parse(await readFile("docs/generated/widths.json", "utf8")) as Widths;
    return atBothWidths("gap", (options) => drawGap(widths, options));
  },
  async cnn() {
    const runs = JSON.parse(await readFile("docs/generated/cnn.json", "utf8")) as CnnRuns;
    return atBothWidths("cnn", (options) => drawCnn(runs, options));
  },
  async peers() {
    return drawAll(await kept());
  },
};

const { positionals } = parseArgs({ allowPositionals: true });
for (const name of positionals.length > 0 ? positionals : Object.keys(FIGURES)) {
  const figure = FIGURES[name];
  if (!figure) {
    throw new InputError(`figures: wanted some of ${Object.keys(FIGURES).join(", ")}, got ${name}`);
  }
  for (const [path, svg] of await figure()) {
    await writeWhole(path, svg);
    progress(`wrote ${path}`);
  }
}
