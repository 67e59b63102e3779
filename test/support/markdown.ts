/**
 * @file Documents of the checkout; the commands in one, and what it says that they print; its links.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./checkout.ts";

/** The Markdown files among these files and folders of the checkout, by their paths from its root. */
export const documents = (...paths: readonly string[]): string[] =>
  paths
    .flatMap((path) =>
      statSync(join(ROOT, path)).isDirectory()
        ? readdirSync(join(ROOT, path), { recursive: true, encoding: "utf8" })
            .map((name) => `${path}/${name.replaceAll("\\", "/")}`)
            .toSorted()
        : path,
    )
    .filter((path) => path.endsWith(".md"));

/** A block of code: its language, its text, and the prose since the block before. */
type Block = { readonly language: string; readonly text: string; readonly before: string };

/** The blocks of code of a document, in order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let end = 0;
  for (const match of markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
    const [whole, language = "", text = ""] = match;
    blocks.push({ language, text, before: markdown.slice(end, match.index) });
    end = match.index + whole.length;
  }
  return blocks;
}

/** Commands that stand together, and the lines that each of them, or all of them one after the other, print. */
export type Claim = {
  readonly commands: readonly string[];
  readonly printed: readonly string[];
  /** "Both print": each of them. */
  readonly each: boolean;
};

/** What a document claims: `sh` blocks with the plain block that follows, and plain blocks that begin with a prompt. */
export function claimsOf(markdown: string): Claim[] {
  const claims: Claim[] = [];
  const blocks = blocksOf(markdown);
  for (const [i, { language, text }] of blocks.entries()) {
    const lines = text.trimEnd().split("\n");
    if (language === "" && lines[0]!.startsWith("$ ")) {
      claims.push({ commands: [lines[0]!.slice(2)], printed: lines.slice(1), each: false });
    }
    if (language !== "sh") continue;
    const next = blocks[i + 1];
    const told = next?.language === "" && !next.text.startsWith("$ ") ? next : undefined;
    claims.push({
      commands: lines.map((line) => line.replace(/\s+# .*$/, "")),
      printed: told?.text.trimEnd().split("\n") ?? [],
      each: /\bBoth print\b/.test(told?.before ?? ""),
    });
  }
  return claims;
}

const NUMBER = /(?<![\w.])[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])/gi;

/** A line without its numbers and its columns, and the numbers. */
const taken = (line: string) => ({
  words: line.replaceAll(NUMBER, "#").replaceAll(/\s+/g, " ").trim(),
  numbers: Array.from(line.matchAll(NUMBER), ([text]) => Number(text)),
});

/** Lines that tell times and memory, of which only the words are compared. */
const MACHINE = /^(done in|plan:)/;

/** Whether two printed lines say the same: all words, and numbers to what float32 leaves of them. */
export function saysTheSame(wanted: string, got: string): boolean {
  const [a, b] = [taken(wanted), taken(got)];
  if (a.words !== b.words) return false;
  if (MACHINE.test(wanted)) return true;
  return a.numbers.every((x, i) => Math.abs(x - b.numbers[i]!) <= 1e-6 + 2e-3 * Math.abs(x));
}

/** The first line of `wanted` that `got` does not have, in the same order with others between; a lone … stands for any. */
export function firstMissing(wanted: readonly string[], got: readonly string[]): string | undefined {
  let at = 0;
  for (const line of wanted) {
    if (line.trim() === "…" || line.trim() === "") continue;
    const found = got.findIndex((other, i) => i >= at && saysTheSame(line, other));
    if (found < 0) return line;
    at = found + 1;
  }
  return undefined;
}

/** The text of a document without its code. */
export const proseOf = (markdown: string): string =>
  markdown.replaceAll(/^```.*?^```$/gms, "").replaceAll(/`[^`\n]*`/g, "");

/** The targets of a document's links and pictures. */
export const linksOf = (markdown: string): string[] =>
  Array.from(
    proseOf(markdown).matchAll(/\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"]+)"/g),
    ([, link, attribute]) => (link ?? attribute)!,
  );

/** Files and folders that a document names in code: paths from the checkout, or from src/, and names of files alone. */
export const pathsOf = (markdown: string): string[] =>
  Array.from(
    markdown
      .replaceAll(/^```.*?^```$/gms, "")
      .matchAll(/`((?:[\w-]+\/)+|(?:[\w-]+\/)*[\w.-]+\.(?:ts|md|py|svg))`/g),
    ([, path]) => path!,
  );

/** The fragments that lead to a document's headings, as GitHub makes them. */
export const anchorsOf = (markdown: string): string[] =>
  Array.from(markdown.replaceAll(/^```.*?^```$/gms, "").matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
