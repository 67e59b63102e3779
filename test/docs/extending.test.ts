/**
 * @file The programs in docs/extending.md are files of examples/, word for word but for their heading, and print what
 * stands there.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { programsOf, withPrograms } from "../../scripts/documents/programs.ts";
import { ROOT } from "../support/checkout.ts";
import { startNode } from "../support/children.ts";
import { firstMissing } from "../support/markdown.ts";

const page = readFileSync(join(ROOT, "docs/extending.md"), "utf8");
const programs = programsOf(page);

describe("docs/extending.md", () => {
  it("has programs, as scripts/extending.ts writes them", () => {
    expect(programs.length).toBeGreaterThan(3);
    expect(page).toBe(withPrograms(page));
  });

  it.each(programs)("has what $name prints", async ({ name, printed }) => {
    const args = ["--import", "tsx", `examples/${name}`];
    const { exitCode, stdout, stderr } = await startNode(args, { cwd: ROOT }).ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(printed).not.toBe("");
    expect(firstMissing(printed.trimEnd().split("\n"), stdout.split("\n"))).toBeUndefined();
  });
});

describe("README.md", () => {
  it("names every example", () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const named = Array.from(readme.matchAll(/\]\(examples\/([\w-]+\.ts)\)/g), ([, name]) => name!);
    const programs = readdirSync(join(ROOT, "examples")).filter((name) => name.endsWith(".ts"));
    expect(named.toSorted()).toEqual(programs.toSorted());
  });
});
