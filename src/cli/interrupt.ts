/**
 * @file Stopping a run from outside: Ctrl-C, a scheduler's SIGTERM, a reader of the output that goes away. The run ends at
 * its next call of `breathe`, within milliseconds; a second signal, or half a second in which the run has not ended, ends the process at
 * once. Files and rows of output are written whole or not at all.
 */
import { unwritable } from "./output.ts";

const controller = new AbortController();

/** Aborted when the process is asked to stop; its reason is the exit code, or the error of an output. */
export const interruption: AbortSignal = controller.signal;

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
/** How long the process waits for work that does not call `breathe`: a run of the engine, a file that is being written. */
const GRACE_SECONDS = 0.5;

/** What clears the line of a terminal that progress may stand on. */
const CLEAR = "\r\u001B[K";

/** Listens to signals and to the ends of the output streams. */
export function listenForInterruption(): void {
  for (const [signal, exitCode] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      if (interruption.aborted) process.exit(exitCode);
      controller.abort(exitCode);
      setTimeout(() => {
        process.stderr.write(`${process.stderr.isTTY ? CLEAR : ""}natgrad: interrupted\n`);
        process.exit(exitCode);
      }, 1000 * GRACE_SECONDS).unref();
    });
  }
  // A reader that goes away (`| head`) is no error.
  for (const name of ["stdout", "stderr"] as const) {
    process[name].on("error", (error: NodeJS.ErrnoException) =>
      controller.abort(error.code === "EPIPE" ? 0 : unwritable(name, error)),
    );
  }
}
