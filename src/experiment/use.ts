/**
 * @file What one experiment uses: its engines, which are released when it ends, fails or is abandoned, and its seconds and
 * memory. Each experiment in a process has its own.
 */
import type { Engine } from "../engine/engine.ts";
import { watchMemory } from "./memory.ts";

/** What an experiment uses. */
export type Use = {
  /** It adds those that it opens. */
  readonly engines: Engine[];
  /** Seconds since it began, and the most bytes that the process held since then. */
  measured(): { seconds: number; peak_rss_bytes: number };
};

/** The events of `experiment`, which is given a {@link Use} of its own. */
export async function* withUse<Event>(
  experiment: (use: Use) => AsyncGenerator<Event>,
): AsyncGenerator<Event> {
  const start = performance.now();
  const engines: Engine[] = [];
  const memory = watchMemory();
  try {
    yield* experiment({
      engines,
      measured: () => ({ seconds: (performance.now() - start) / 1000, peak_rss_bytes: memory.peak() }),
    });
  } finally {
    memory.end();
    for (const engine of engines) await engine.release();
  }
}
