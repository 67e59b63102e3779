/**
 * @file Progress on stderr: nothing for short work; for long work a line that rewrites itself on a terminal, or one
 * line every ten seconds elsewhere.
 */

/** Shows what a run is doing. */
export type ProgressLine = {
  show(stage: string, done?: number, total?: number): void;
  /** Removes the line, before something else is printed. */
  clear(): void;
};

const QUIET_SECONDS = 1.5;
const TERMINAL_SECONDS = 0.2;
const LOG_SECONDS = 10;

/** Progress on `stream`. */
export function createProgress(stream: NodeJS.WriteStream, { quiet = false } = {}): ProgressLine {
  const start = performance.now();
  let last = start;
  let stepStart = start;
  let shown = false;

  return {
    show(stage, done, total) {
      const now = performance.now();
      if (done === 0) stepStart = now;
      const interval = stream.isTTY ? TERMINAL_SECONDS : LOG_SECONDS;
      if (quiet || (now - start) / 1000 < QUIET_SECONDS || (now - last) / 1000 < interval) return;
      last = now;
      const text = `${describe(stage, done, total, (now - stepStart) / 1000)}`;
      stream.write(stream.isTTY ? `\r\u001B[K${text}` : `${text}\n`);
      shown = true;
    },
    clear() {
      if (shown && stream.isTTY) stream.write("\r\u001B[K");
      shown = false;
    },
  };
}

function describe(stage: string, done: number | undefined, total: number | undefined, seconds: number): string {
  if (done === undefined || total === undefined) return `${stage} ...`;
  const left = done > 0 ? `, about ${Math.ceil((seconds / done) * (total - done))} s left` : "";
  return `${stage} ${done}/${total}${left}`;
}
