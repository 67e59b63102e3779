/**
 * @file Relative links in documents lead to files that exist, and to headings that exist in them; files and folders that
 * are named in code exist too.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/checkout.ts";
import { anchorsOf, documents, linksOf, pathsOf } from "../support/markdown.ts";

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

/** Names of all files of the checkout. */
const NAMES = new Set(
  ["src", "test", "scripts", "bench", "docs", "examples"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((path) =>
      posix.basename(path),
    ),
  ),
);

/** Whether a path in code is there: from the checkout, src/ or the document's folder, or by its name alone. */
const isThere = (path: string, document: string): boolean =>
  ["", "src", posix.dirname(document)].some((folder) => existsSync(join(ROOT, folder, path))) ||
  NAMES.has(path.replace(/\/$/, ""));

/** What is there only in a package, in a cache, or when a command has written it. */
const ELSEWHERE = /^(dist|natgrad|onnxruntime-\w+|package|weights)\//;

describe("files named in code", () => {
  const named = documents("README.md", "CONTRIBUTING.md", "docs", "bench/README.md");
  it.each(named)("%s", (path) => {
    const paths = pathsOf(textOf(path)).filter((name) => !ELSEWHERE.test(name));
    expect(paths.filter((name) => !isThere(name, path))).toEqual([]);
  });

  it("have the functions that docs/theory.md names", () => {
    const rows = textOf("docs/theory.md").matchAll(/^\|(?:[^|]*\|){3}([^|]*)\|[^|]*\|$/gm);
    const names = Array.from(rows, ([, cell]) =>
      Array.from(cell!.matchAll(/`(\w+)`/g), ([, name]) => name!),
    ).flat();
    const code = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => textOf(`src/${path}`))
      .join("\n");
    expect(names.length).toBeGreaterThan(20);
    expect(
      names.filter((name) => !new RegExp(`\\b(?:function\\*?|const|type) ${name}\\b`).test(code)),
    ).toEqual([]);
  });

  it("that are missing are seen", () => {
    expect(pathsOf("`src/a.ts`, `b/` and `c.md`, not `d` or `e.f()`")).toEqual(["src/a.ts", "b/", "c.md"]);
    expect(isThere("kernel/kernel.ts", "README.md")).toBe(true);
    expect(isThere("kernel/nowhere.ts", "README.md")).toBe(false);
    expect(isThere("nowhere.ts", "README.md")).toBe(false);
  });
});

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
