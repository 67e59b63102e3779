/**
 * @file Writes the programs of examples/ into docs/extending.md, where they stand as a whole.
 *
 *     node --import tsx scripts/extending.ts
 */
import { readFile } from "node:fs/promises";
import { writeWhole } from "../src/node.ts";
import { withPrograms } from "./documents/programs.ts";

const PAGE = "docs/extending.md";
await writeWhole(PAGE, withPrograms(await readFile(PAGE, "utf8")));
