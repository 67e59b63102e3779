/**
 * @file A device is tried in a process of its own: what is printed there stays there, and a crash is a line too.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../../src/error.ts";
import { probeDevice } from "../../../src/engine/node/device-probe.ts";

const folder = mkdtempSync(join(tmpdir(), "natgrad-probe-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that stands for the one that tries. */
function program(name: string, code: string): URL {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, code);
  return pathToFileURL(path);
}

/** The message of the InputError that a probe ends in. */
const refusal = async (entry: URL): Promise<string> => {
  const error: unknown = await probeDevice("webgpu", entry).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
};

describe("a probe", () => {
  it("passes a device that works: the CPU always does", async () => {
    await expect(probeDevice("cpu")).resolves.toBeUndefined();
  });

  it("gives the error of one that does not, without what its drivers print", async () => {
    const message = "device: wanted a working webgpu provider, got none on this machine (no adapters)";
    const answer = JSON.stringify({ works: false, message });
    const entry = program(
      "noisy",
      `console.error("Warning: no drivers\\n\\n"); console.log("noise"); process.stdout.write(${JSON.stringify(answer)});`,
    );
    expect(await refusal(entry)).toBe(message);
  });

  it("gives a line for a process that ends without an answer", async () => {
    expect(await refusal(program("exits", "process.exit(7)"))).toBe(
      "device: wanted a working webgpu provider, got one that ended its process (exit code 7)",
    );
    expect(await refusal(program("crashes", "process.kill(process.pid, 'SIGSEGV')"))).toMatch(
      /^device: wanted a working webgpu provider, got one that ended its process \(SIGSEGV\)$/,
    );
  });
});
