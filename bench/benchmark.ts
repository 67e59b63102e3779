/**
 * @file What a benchmark is, and how it gets a process of its own.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { text as readText } from "node:stream/consumers";
import { promisify } from "node:util";
import { InputError } from "../src/error.ts";

/** Settings of a benchmark. */
export type Settings = {
  /** Repetitions; each benchmark has its own default. */
  readonly runs?: number;
  /** Steps of `long-run`. */
  readonly steps?: number;
  /** Called with what is being done. */
  readonly progress: (what: string) => void;
};

/** What a benchmark found. */
export type Report = {
  /** Markdown. */
  readonly text: string;
  /** Every number measured. */
  readonly raw: unknown;
};

/** A benchmark. */
export type Benchmark = {
  readonly name: string;
  readonly title: string;
  /** Takes so long that it runs only when it is named. */
  readonly long?: boolean;
  run(settings: Settings): Promise<Report>;
};

const STATUS = "/proc/self/status";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What a program printed. */
export async function output(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: ROOT, maxBuffer: 2 ** 26 });
  return stdout;
}

/**
 * The result of `task` of `bench/tasks.ts` in a fresh process. Its peak memory is then its own, and nothing has warmed
 * its code, its heap or its sessions.
 */
export async function inFreshProcess<T>(task: string, ...args: readonly number[]): Promise<T> {
  const file = fileURLToPath(new URL("tasks.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file, task, ...args.map(String)], {
    cwd: ROOT,
    // What it tells of its progress is seen.
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [text, code] = await Promise.all([
    readText(child.stdout),
    new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve)),
  ]);
  if (code !== 0) throw new InputError(`${task}: wanted exit code 0, got ${code}`);
  return JSON.parse(text) as T;
}

/**
 * Greatest resident memory of this process so far, in bytes. Read from /proc where there is one: `getrusage` also
 * counts what the parent had when it started this process.
 */
export function peakMemory(): number {
  const status = existsSync(STATUS) ? readFileSync(STATUS, "utf8") : "";
  const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
  return 1024 * (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes));
}
