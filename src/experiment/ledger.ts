/**
 * @file Memory over time: phases of a run, each with the bytes that stay allocated after it and its peak. The peak of the
 * run is the greatest sum of what is allocated and what a phase adds to it.
 */
import type { Memory } from "../fisher/index.ts";

/** A phase; `name` is the part that it counts as. */
export type Phase = Memory & { readonly name: string };

/** The peak of phases, and what it is made of. */
export type Peak = { readonly bytes: number; readonly parts: Readonly<Record<string, number>> };

/**
 * Garbage: arrays that are no longer used stay until the collector runs, which happens when so many bytes have been
 * allocated outside of its heap. A phase that allocates little leaves little.
 */
const GARBAGE = 72e6;
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

/** A phase that leaves all that it takes. */
export const keeps = (name: string, bytes: number): Phase => ({ name, kept: bytes, peak: bytes });

/** A phase that leaves nothing. */
export const passes = (name: string, bytes: number): Phase => ({ name, kept: 0, peak: bytes });
