/**
 * @file What this process may take of the memory, and what it took while an experiment went on.
 */
import { readFileSync } from "node:fs";
import { defaultMemoryLimit } from "../data/node/memory-limit.ts";
import type { Config } from "./config.ts";

/** Bytes that a run may take: what was asked for, or most of what is free. */
export const memoryLimit = ({ memory_limit }: Pick<Config, "memory_limit">): number =>
  memory_limit ?? defaultMemoryLimit();

/** Milliseconds between two looks at the memory. */
const INTERVAL = 50;

/** Memory of the process while something goes on. */
export type MemoryWatch = {
  /** The most resident bytes since the watch began. */
  peak(): number;
  end(): void;
};

/**
 * Watches the memory of this process. Where it is more than the process ever took before, the peak is exact; else it is the
 * largest that was seen, many times per second.
 */
export function watchMemory(): MemoryWatch {
  const before = processPeak();
  let most = 0;
  const look = (): void => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  look();
  const timer = setInterval(look, INTERVAL).unref();
  return {
    peak() {
      look();
      const now = processPeak();
      return now > before ? now : most;
    },
    end: () => clearInterval(timer),
  };
}

/**
 * Peak resident bytes of the process, ever. On Linux from /proc: what getrusage calls a process's maximum there includes
 * that of the process it was started from.
 */
function processPeak(): number {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // No /proc: another system.
  }
  return process.resourceUsage().maxRSS * 1024;
}
