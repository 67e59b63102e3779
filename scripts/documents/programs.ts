/**
 * @file The programs in docs/extending.md: its TypeScript blocks are the files of examples/ that its links name, without
 * the comments that open them.
 */
import { readFileSync } from "node:fs";
import { blocksOf } from "../../test/support/markdown.ts";

/** A program of the page: the example that is linked last before it, and its text there. */
export type Program = { readonly name: string; readonly text: string; readonly printed: string };

/** The programs of a page, and what it says that they print: the block after each. */
export function programsOf(page: string): Program[] {
  const blocks = blocksOf(page);
  return blocks.flatMap(({ language, text, before }, i) => {
    if (language !== "ts") return [];
    const links = Array.from(before.matchAll(/\]\(\.\.\/examples\/([\w-]+\.ts)\)/g), ([, name]) => name!);
    return [{ name: links.at(-1) ?? "no link", text, printed: blocks[i + 1]?.text ?? "" }];
  });
}

/** An example without the comment that opens its file. */
const withoutHeading = (name: string): string =>
  readFileSync(`examples/${name}`, "utf8").replace(/^\/\*\*.*?\*\/\n/s, "");

/** The page with its programs as they are in their files. */
export const withPrograms = (page: string): string =>
  programsOf(page).reduce(
    (text, program) => text.replace(program.text, () => withoutHeading(program.name)),
    page,
  );
