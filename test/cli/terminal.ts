/**
 * @file The command line run in this process, on streams that remember what was printed.
 */
import { main } from "../../src/cli/cli.ts";

/** What a command printed, and its exit code. */
export type Ran = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** Runs `natgrad ...args`; an argument with spaces is a list of them. */
export async function natgrad(...args: readonly string[]): Promise<Ran> {
  const printed = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof printed) => ({ write: (text: string) => (printed[name] += text) });
  const words = args.flatMap((argument) => argument.split(" ")).filter((word) => word !== "");
  const exitCode = await main(words, { stdout: stream("stdout"), stderr: stream("stderr") });
  return { exitCode, ...printed };
}

/** Small enough to train in milliseconds. */
export const SMALL = "--width 64 --train_size 20 --test_size 10";
