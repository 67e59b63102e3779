/**
 * @file Every command in the documents is run as it stands there, and prints what stands beside it. What takes long or
 * needs the network is not run, and its options are checked.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DIAGNOSIS_OPTIONS } from "../../src/experiment/diagnosis.ts";
import { OPTIONS } from "../../src/experiment/config.ts";
import { parseFlags } from "../../src/experiment/parse-config.ts";
import { compileInto, MANIFEST, ROOT, type Compiled } from "../support/checkout.ts";
import { startNode } from "../support/children.ts";
import { blocksOf, claimsOf, documents, firstMissing, saysTheSame } from "../support/markdown.ts";

const root = mkdtempSync(join(tmpdir(), "natgrad-commands-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let natgrad: Compiled;
beforeAll(async () => {
  natgrad = await compileInto(join(root, "natgrad"), { packages: ["onnxruntime-node"] });
});

const textOf = (name: string): string => readFileSync(join(ROOT, name), "utf8");

const DOCUMENTS = documents("README.md", "docs");

/** Commands that are not run, by what they contain, and why. */
const NOT_RUN: readonly (readonly [part: RegExp, why: string])[] = [
  [/^npm ci && npm test$/, "it is this"],
  [/^npm install /, "scripts/install-check.js does it"],
  [/--dataset cifar10/, "it is fetched"],
  [/--train_size 10000 .*--kernel none/, "half a minute and 2.4 GB"],
];

const whyNot = (command: string): string | undefined => NOT_RUN.find(([part]) => part.test(command))?.[1];

/** A command of natgrad as a checkout, a project or a shell has it; undefined for others. */
const NATGRAD = /^(?:npm run -s natgrad --|npx natgrad|natgrad) /;

/** Words of a command to options as the command line reads them. */
function optionsOf(words: readonly string[]): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [i, word] of words.entries()) {
    if (!/^--\w/.test(word)) continue;
    const next = words[i + 1];
    options[word.slice(2)] = next === undefined || next.startsWith("--") ? "true" : next;
  }
  return options;
}

/** Runs a line of shell where `npm` and `npx` know natgrad alone; everything that it prints, line by line. */
function shell(command: string, cwd: string): string[] {
  const node = `"${process.execPath}" "${natgrad.bin}"`;
  const line = command
    .replace(/^npm ci && npm start$/, MANIFEST.scripts["start"]!.replace("node bin/natgrad.js", "natgrad"))
    .replace(NATGRAD, "natgrad ")
    // What a document writes there is written here elsewhere.
    .replaceAll("/tmp/", "./");
  const { stdout } = spawnSync("sh", ["-c", `natgrad() { ${node} "$@"; }\n{ ${line}\n} 2>&1`], {
    cwd,
    encoding: "utf8",
  });
  return stdout.split("\n");
}

const hasJq = spawnSync("jq", ["--version"]).status === 0;

/** What of a document is run, and of what only the options are checked. */
function checksOf(name: string) {
  const claims = claimsOf(textOf(name)).filter(({ commands }) =>
    commands.some((command) => NATGRAD.test(command) || command.startsWith("npm ci")),
  );
  const commands = claims.flatMap((claim) => claim.commands);
  const inline = textOf(name).matchAll(/`((?:npm run -s natgrad --|natgrad) (train|kernel)\s[^`…]*)`/g);
  return {
    run: claims.filter((claim) => !claim.commands.every(whyNot)),
    long: commands.filter((command) => NATGRAD.test(command) && whyNot(command)),
    inline: Array.from(inline, ([, command, kind]) => [command!, kind!] as const),
  };
}

const checked = DOCUMENTS.map((name) => [name, checksOf(name)] as const).filter(([, checks]) =>
  Object.values(checks).some((list) => list.length > 0),
);

describe.each(checked)("%s", (_, { run, long, inline }) => {
  it.each(run.map((claim) => [claim.commands.join("; "), claim] as const))(
    "%s",
    (_command, { commands, printed, each }) => {
      const folder = mkdtempSync(join(root, "case-"));
      const runnable = commands.filter((command) => whyNot(command) === undefined);
      if (!hasJq && runnable.some((command) => command.startsWith("jq ")))
        return console.log("skipped: no jq");
      const outputs = runnable.map((command) => shell(command, folder));
      for (const output of each ? outputs : [outputs.flat()]) {
        expect(firstMissing(printed, output), `of\n${output.join("\n")}`).toBeUndefined();
      }
      // Where nothing is told of a command, it ends well and says nothing else than it was asked.
      if (printed.length === 0) expect(outputs.flat().join("\n")).not.toMatch(/^natgrad: /m);
    },
  );

  it.each(long)("has options that exist: %s", (command) => {
    expect(() => parseFlags(optionsOf(command.split(/\s+/)))).not.toThrow();
  });

  it.each(inline)("names options that exist: %s", (command, kind) => {
    const known: readonly string[] = [
      ...(kind === "kernel" ? DIAGNOSIS_OPTIONS : OPTIONS),
      "format",
      "quiet",
      "help",
    ];
    const asked = Object.keys(optionsOf(command.split(/\s+/)));
    expect(asked.filter((option) => !known.includes(option))).toEqual([]);
  });
});

describe("the program in README", () => {
  it("runs, and prints what stands there", async () => {
    const blocks = blocksOf(textOf("README.md"));
    const at = blocks.findIndex(({ language }) => language === "ts");
    const script = join(root, "readme.mts");
    writeFileSync(script, blocks[at]!.text);
    const { exitCode, stdout, stderr } = await startNode(["--import", "tsx", script], { cwd: ROOT }).ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const printed = blocks[at + 1]!.text.trimEnd().split("\n");
    expect(printed.length).toBeGreaterThan(1);
    expect(firstMissing(printed, stdout.split("\n"))).toBeUndefined();
  });
});

describe("the comparison of what is printed", () => {
  it("sees another word, another number and another order", () => {
    expect(saysTheSame("1   1   0.0360517  1.4e-29", "1  1  0.0360523  9.1e-30")).toBe(true);
    expect(saysTheSame("alpha: 201 (theory: 201)", "alpha: 201 (theory: 202)")).toBe(false);
    expect(saysTheSame("alpha: 201", "beta: 201")).toBe(false);
    expect(saysTheSame("done in 0.7 s", "done in 9 s")).toBe(true);
    expect(firstMissing(["a 1", "…", "b 2"], ["a 1", "x", "b 2"])).toBeUndefined();
    expect(firstMissing(["b 2", "a 1"], ["a 1", "b 2"])).toBe("a 1");
  });

  it("finds commands in documents: more than a dozen are run", () => {
    const all = DOCUMENTS.flatMap((name) => claimsOf(textOf(name))).flatMap(({ commands }) => commands);
    expect(
      all.filter((command) => NATGRAD.test(command) && whyNot(command) === undefined).length,
    ).toBeGreaterThan(12);
    mkdirSync(join(root, "empty"), { recursive: true });
    expect(shell("npm run -s natgrad -- --version", join(root, "empty"))[0]).toBe(MANIFEST.version);
  });
});
