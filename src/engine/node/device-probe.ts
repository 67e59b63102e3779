/**
 * @file Tries a device in a process of its own first: graphics drivers, and the libraries that look for them, print to the
 * standard error of their process, or crash it.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { InputError } from "../../error.ts";
import type { Device } from "../engine.ts";

const OWN = import.meta.url;

/** The program that tries, beside this file in the sources and in what is compiled. */
const ENTRY = new URL(OWN.endsWith(".ts") ? "device-trial.ts" : "device-trial.js", OWN);

const PATIENCE_SECONDS = 60;

/**
 * Returns when a device works.
 * @param entry the program that tries; only tests have another
 * @throws InputError, on one line, when it does not.
 */
export async function probeDevice(device: Device, entry: URL = ENTRY): Promise<void> {
  const { stdout, end } = await output([...runner(entry), device]);
  const answer = /\{.*\}\s*$/.exec(stdout)?.[0];
  if (answer === undefined) {
    throw new InputError(
      `device: wanted a working ${device} provider, got one that ended its process (${end})`,
    );
  }
  const { works, message } = JSON.parse(answer) as { works: boolean; message?: string };
  if (!works) throw new InputError(message ?? `device: wanted a working ${device} provider, got none`);
}

/** Arguments of Node that run a program; a source file by way of tsx. */
function runner(entry: URL): string[] {
  if (!entry.pathname.endsWith(".ts")) return [fileURLToPath(entry)];
  return ["--import", import.meta.resolve("tsx/esm"), fileURLToPath(entry)];
}

/** What a process of Node printed to its standard output, and how it ended. */
const output = (args: readonly string[]): Promise<{ stdout: string; end: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: 1000 * PATIENCE_SECONDS }, (error, stdout) =>
      resolve({ stdout, end: error?.signal ?? `exit code ${error?.code ?? 0}` }),
    );
  });
