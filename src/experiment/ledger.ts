/**
 * @file Memory over time: the phases of a run, each with its peak and the bytes that stay allocated after it. The peak of the
 * run is the largest sum of what earlier phases left and the peak of a phase.
 */
import type { Memory } from "../fisher/index.ts";

/** A phase; `name` is the part that its bytes are counted to. */
export type Phase = Memory & { readonly name: string };

/** The peak of phases, and what it is made of. */
export type Peak = { readonly bytes: number; readonly parts: Readonly<Record<string, number>> };

/**
 * The most bytes of garbage: arrays that are no longer used stay until the collector runs, which it does when about this many
 * bytes have been allocated outside of its heap. A phase that allocates little leaves little.
 */
const GARBAGE = 72e6;
/** How many times its own temporary memory a phase allocates in all. */
const TURNOVER = 3;

/** The peak of phases that follow each other. */
export function peakOf(phases: readonly Phase[]): Peak {
  const kept: Record<string, number> = {};
  let peak: Peak = { bytes: 0, parts: {} };
  let garbage = 0;
  for (const phase of phases) {
    garbage = Math.min(GARBAGE, garbage + TURNOVER * (phase.peak - phase.kept));
    const parts = { ...kept, garbage, [phase.name]: (kept[phase.name] ?? 0) + phase.peak };
    const bytes = Object.values(parts).reduce((sum, x) => sum + x, 0);
    if (bytes > peak.bytes) peak = { bytes, parts };
    kept[phase.name] = (kept[phase.name] ?? 0) + phase.kept;
  }
  return peak;
}

/** A phase after which all that it took stays allocated. */
export const keeps = (name: string, bytes: number): Phase => ({ name, kept: bytes, peak: bytes });

/** A phase after which nothing stays allocated. */
export const passes = (name: string, bytes: number): Phase => ({ name, kept: 0, peak: bytes });
