/**
 * @file Runs one measurement in a process of its own and reads its answer, a JSON object a line (common.py says which). A
 * process that takes too long or too much memory is ended; what it had measured until then counts.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ROOT } from "../benchmark.ts";
import type { Case, Peer } from "./cases.ts";

/** What a worker is asked. */
export type Request = Case & {
  readonly variant: string;
  readonly learningRate: number;
  readonly damping: number;
  /** Repetitions after the one that warms up, and seconds after which no further one begins. */
  readonly repeats: number;
  readonly seconds: number;
  /** Holds problem.npz. */
  readonly folder: string;
  /** natgrad's result: natgrad writes it, the others compare with it. */
  readonly expected: string;
  /** Job `default-run`: steps, and whether to begin from natgrad's weights instead of drawing some. */
  readonly steps: number;
  readonly check: boolean;
  /** Whether every repetition waits for a line on stdin. */
  readonly turns?: boolean;
};

/** What a worker found; fields that it did not come to are absent. */
export type Answer = {
  /** Wall-clock seconds of the whole process. */
  readonly wall: number;
  /** Seconds of each repetition. */
  readonly samples: readonly number[];
  readonly compile?: number;
  /** Bytes. */
  readonly peak?: number;
  /** max |a - b| / max |b| of the result a and natgrad's b; null when it is not finite. */
  readonly difference?: number | null;
  /** Job `default-run`: train and test loss, and both predicted, one row per step. */
  readonly table?: readonly (readonly number[])[];
  /** Why there is not all of it, in a line. */
  readonly failure?: string;
};

/** What ends a measurement early. */
export type Limits = { readonly seconds: number; readonly bytes: number };

/** How a peer's workers are started. */
export type Launcher = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** How often the memory of a worker is looked at, in milliseconds. */
const WATCH = 100;

type Line = {
  event: string;
  seconds?: number;
  bytes?: number;
  value?: number | null;
  rows?: number[][];
};

/** The answer of a worker to a request. */
export const ask = (launcher: Launcher, request: object, limits: Limits): Promise<Answer> => {
  const worker = start(launcher, request, limits);
  worker.end();
  return worker.answer;
};

/** What a worker says of its repetitions: that it is ready, or seconds of one; undefined once it has ended. */
type Word = "ready" | number | undefined;

/** A worker that was started. */
export type Worker = {
  readonly answer: Promise<Answer>;
  /** Its next word. */
  next(): Promise<Word>;
  /** Asks for one repetition. */
  go(): void;
  /** Says that no further one is wanted. */
  end(): void;
};

/** Starts a worker on a request. */
export function start(launcher: Launcher, request: object, limits: Limits): Worker {
  // What was said and not asked for, and who asked before it was said; undefined: that there is no more.
  const said: Word[] = [];
  const asking: ((word: Word) => void)[] = [];
  const say = (word: Word): void => {
    const asker = asking.shift();
    if (asker) asker(word);
    else said.push(word);
  };
  const begin = performance.now();
  const child = spawn(launcher.command, [...launcher.args, JSON.stringify(request)], {
    cwd: ROOT,
    env: { ...process.env, ...launcher.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A worker that has ended reads no more; its exit says why.
  child.stdin.on("error", () => {});
  const answer = new Promise<Answer>((resolve) => {
    const samples: number[] = [];
    const found: { -readonly [K in keyof Answer]?: Answer[K] } = {};
    let errors = "";
    let ended: string | undefined;
    const end = (why: string): void => {
      ended ??= why;
      child.kill("SIGKILL");
    };
    const timer = setTimeout(() => end(`more than ${limits.seconds} s`), limits.seconds * 1000);
    const watch = setInterval(() => {
      if (residentBytes(child.pid) > limits.bytes) end(`more than ${(limits.bytes / 1e9).toFixed(1)} GB`);
    }, WATCH);
    child.stderr.on("data", (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-4000);
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const parsed = parseLine(line);
      if (parsed?.event === "ready") say("ready");
      if (parsed?.event === "sample") {
        samples.push(parsed.seconds!);
        say(parsed.seconds!);
      }
      if (parsed?.event === "compiled") found.compile = parsed.seconds!;
      if (parsed?.event === "peak") found.peak = parsed.bytes!;
      if (parsed?.event === "difference") found.difference = parsed.value ?? null;
      if (parsed?.event === "table") found.table = parsed.rows!;
    });
    const finish = (failure: string | undefined): void => {
      clearTimeout(timer);
      clearInterval(watch);
      const wall = (performance.now() - begin) / 1000;
      say(undefined);
      resolve({ wall, samples, ...found, ...(failure === undefined ? {} : { failure }) });
    };
    child.on("error", (error) => finish(error.message));
    child.on("close", (code, signal) =>
      finish(ended ?? (code === 0 ? undefined : lastLine(errors) || `exit ${code ?? signal}`)),
    );
  });
  return {
    answer,
    next: async () => {
      if (said.length === 0) return new Promise<Word>((resolve) => asking.push(resolve));
      // The last word stays.
      return said[0] === undefined ? undefined : said.shift();
    },
    go: () => void child.stdin.write("\n"),
    end: () => void child.stdin.end(),
  };
}

/** One line of an answer; libraries may print what is none. */
function parseLine(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.slice(0, 200) ?? "";

/** Resident bytes of a process now; 0 where there is no /proc. */
function residentBytes(pid: number | undefined): number {
  try {
    return 1024 * Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Bytes that can be had on this machine now; Infinity where there is no /proc. */
export function availableBytes(): number {
  try {
    return 1024 * Number(/^MemAvailable:\s*(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0);
  } catch {
    return Infinity;
  }
}

/** How natgrad's own worker is started, and the Python ones with the interpreter of their environment. */
export function launcherOf(peer: Peer, python: string, env: Readonly<Record<string, string>>): Launcher {
  const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  return peer === "natgrad"
    ? { command: process.execPath, args: ["--import", "tsx", file("natgrad.ts")] }
    : { command: python, args: [file(`${peer}_peer.py`)], env };
}
