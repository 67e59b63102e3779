/**
 * @file How much memory this process may take, and how much it took during an experiment.
 */
import { readFileSync } from "node:fs";
import { defaultMemoryLimit } from "../data/node/memory-limit.ts";
import type { Config } from "./config.ts";

/** Bytes that a run may take: what was asked for, or most of what is free. */
export const memoryLimit = ({ memory_limit }: Pick<Config, "memory_limit">): number =>
  memory_limit ?? defaultMemoryLimit();

/** Milliseconds between two samples of the memory. */
const INTERVAL = 50;

/** Memory of the process while something goes on. */
export type MemoryWatch = {
  /** The most resident bytes since the watch began. */
  peak(): number;
  end(): void;
};

/**
 * Watches the memory of this process. The peak is exact where it is the most that the process ever took; otherwise it is the
 * largest of the samples that are taken every {@link INTERVAL} milliseconds.
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
