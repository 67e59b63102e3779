/**
 * @file Relative links in documents lead to files that exist, and to headings that exist in them.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/checkout.ts";
import { anchorsOf, documents, linksOf } from "../support/markdown.ts";

const DOCUMENTS = documents(
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "docs",
  "bench/README.md",
  "test",
);

const textOf = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** What is wrong with a link from `path`; undefined for one that leads somewhere, or out of the checkout. */
function fault(path: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [target, fragment] = link.split("#") as [string, string?];
  const file = target === "" ? path : posix.join(posix.dirname(path), target);
  if (!existsSync(join(ROOT, file))) return `${link}: no file ${file}`;
  if (fragment === undefined || anchorsOf(textOf(file)).includes(fragment)) return undefined;
  return `${link}: no heading #${fragment} in ${file}`;
}

describe("links", () => {
  it.each(DOCUMENTS)("%s", (path) => {
    expect(linksOf(textOf(path)).flatMap((link) => fault(path, link) ?? [])).toEqual([]);
  });

  it("that lead nowhere are seen", () => {
    expect(linksOf('[a](b.md) `[c](d)` <img src="e.svg">\n```\n[f](g)\n```\n')).toEqual(["b.md", "e.svg"]);
    expect(anchorsOf("# A `b` c, d\n\n## 5. E-f\n")).toEqual(["a-b-c-d", "5-e-f"]);
    expect(fault("README.md", "https://example.org/nowhere")).toBeUndefined();
    expect(fault("docs/theory.md", "../README.md#more")).toBeUndefined();
    expect(fault("docs/theory.md", "README.md")).toMatch(/no file docs\/README\.md/);
    expect(fault("README.md", "docs/theory.md#no-such")).toMatch(/no heading/);
  });
});
