/**
 * @file Commands and scripts as processes of their own, in environments that are given whole.
 */
import { spawn, type ChildProcess } from "node:child_process";

/** Keeps V8 from compiling most of ONNX Runtime's WebAssembly twice, for speed that short runs do not gain. */
export const QUICK_WASM = "--wasm-tiering-budget=200000000";

/** How a process ended, and what it printed. */
export type Ended = {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A process that was started. */
export type Started = { readonly child: ChildProcess; readonly ended: Promise<Ended> };

/** Starts Node on `args`. */
export function startNode(
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Started {
  const { cwd, env = { ...process.env } } = options;
  const child = spawn(process.execPath, args, { cwd, env: { ...env } });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (part: string) => (text[name] += part));
  }
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (exitCode) => resolve({ exitCode, ...text })),
  );
  return { child, ended };
}
