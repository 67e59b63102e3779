/**
 * @file The peak of this process's memory.
 */
import { readFileSync } from "node:fs";

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
