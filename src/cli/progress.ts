/**
 * @file Progress on stderr. On a terminal it is one line that rewrites itself below whatever is printed; in a log it is
 * a line every ten seconds, and nothing for short work.
 */
import { interruption } from "./interrupt.ts";
import type { Output } from "./terminal.ts";

/** Shows what a run is doing. */
export type ProgressLine = {
  /**
   * Says what is being done, and `done` of `total` where that is known.
   * @throws the exit code when the process was asked to stop: every call is a place to stop at.
   */
  show(stage: string, done?: number, total?: number): void;
  /** Prints text to `output`, above the line when both are on a terminal. */
  print(output: Output, text: string): void;
  /** Removes the line. */
  clear(): void;
};

/** Options of {@link createProgress}. */
export type ProgressOptions = { quiet?: boolean; signal?: AbortSignal; now?: () => number };

const TERMINAL_SECONDS = 0.1;
const LOG_SECONDS = 10;
/** No time left is shown before this many seconds: the estimate would be a guess. */
const ESTIMATE_SECONDS = 0.5;

const CLEAR = "\r\u001B[K";

/** Progress on `stream`. */
export function createProgress(stream: Output, options: ProgressOptions = {}): ProgressLine {
  const { quiet = false, signal = interruption, now = () => performance.now() } = options;
  const terminal = stream.isTTY === true;
  const interval = terminal ? TERMINAL_SECONDS : LOG_SECONDS;
  let last = terminal ? -Infinity : now();
  let stage = "";
  let stageStart = now();
  /** What stands on the terminal now. */
  let line = "";

  return {
    show(name, done, total) {
      signal.throwIfAborted();
      if (quiet) return;
      const time = now();
      const changed = name !== stage && done === undefined;
      if (name !== stage || done === 0) stageStart = time;
      stage = name;
      if ((time - last) / 1000 < interval && !(terminal && changed)) return;
      last = time;
      const text = describe(name, done, total, (time - stageStart) / 1000);
      if (terminal) {
        line = text.slice(0, (stream.columns || 80) - 1);
        stream.write(`${CLEAR}${line}`);
      } else {
        stream.write(`natgrad: ${text}\n`);
      }
    },
    print(output, text) {
      // One write, so that the line never blinks.
      if (line !== "" && output.isTTY === true)
        output.write(`${CLEAR}${text}${text.endsWith("\n") ? line : ""}`);
      else output.write(text);
    },
    clear() {
      if (line !== "") stream.write(CLEAR);
      line = "";
    },
  };
}

/** The stages of a run, in words. */
const STAGES: Readonly<Record<string, string>> = {
  data: "reading the data",
  engine: "building the network",
  weights: "drawing the weights",
  kernel: "computing the kernel that predicts",
};

function describe(
  stage: string,
  done: number | undefined,
  total: number | undefined,
  seconds: number,
): string {
  if (done === undefined || total === undefined) return `${STAGES[stage] ?? stage} ...`;
  const known = done > 0 && done < total && seconds >= ESTIMATE_SECONDS;
  return `${stage} ${done}/${total}${known ? `, about ${duration((seconds / done) * (total - done))} left` : ""}`;
}

/** Seconds in words: `40 s`, `5 min`. */
export function duration(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
