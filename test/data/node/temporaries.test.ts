import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "natgrad-temporaries-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a process that exits", () => {
  it.each([1, 2, 3, 4])("takes along what it had only begun to make (try %i)", (attempt) => {
    const path = join(folder, `.set.${attempt}.tmp`);
    const temporaries = new URL("../../../src/data/node/temporaries.ts", import.meta.url).href;
    // Nobody waits for the folder, so that the exit begins before it is there.
    const program = `
      import { mkdir } from "node:fs/promises";
      import { noteTemporary } from ${JSON.stringify(temporaries)};
      noteTemporary(${JSON.stringify(path)});
      void mkdir(${JSON.stringify(path)});
      // Whatever else is done on the way out takes its time.
      process.on("exit", () => { for (const end = Date.now() + 30; Date.now() < end;); });
      process.exit(3);`;
    const { status, stderr } = spawnSync(process.execPath, [
      "--import",
      "tsx",
      "--input-type=module",
      "--eval",
      program,
    ]);
    expect({ status, stderr: String(stderr) }).toEqual({ status: 3, stderr: "" });
    expect(readdirSync(folder)).toEqual([]);
  });
});
