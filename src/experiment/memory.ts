/**
 * @file What this process may take of the memory, and what it took.
 */
import { readFileSync } from "node:fs";
import { defaultMemoryLimit } from "../data/node/memory-limit.ts";
import type { Config } from "./config.ts";

/** Bytes that a run may take: what was asked for, or most of what is free. */
export const memoryLimit = ({ memory_limit }: Pick<Config, "memory_limit">): number =>
  memory_limit ?? defaultMemoryLimit();

/**
 * Peak resident bytes. On Linux from /proc: what getrusage calls a process's maximum there includes that of the process
 * it was started from.
 */
export function peakBytes(): number {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // No /proc: another system.
  }
  return process.resourceUsage().maxRSS * 1024;
}
