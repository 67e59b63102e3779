/**
 * @file Keeps long work on the host from blocking the event loop. JavaScript has one thread for everything: while a loop
 * runs, Ctrl-C is not handled and a page does not respond. So code that may take longer than some tens of milliseconds
 * calls {@link breathe} in its loops: it yields to the event loop when the last yield is long past, and throws when the
 * work was aborted. A call that does not yield costs less than a microsecond.
 */

/** What can be stopped from outside. */
export type Stoppable = {
  /** Ends the work early when it is aborted: what was called then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
};

/** Milliseconds of work between two yields to the event loop. */
const SPAN = 40;

/**
 * When this module last yielded to the event loop. A thread has one event loop, so this is one number for all of its work.
 */
let last = 0;

/**
 * Yields to the event loop when that is due: `await breathe(signal)` in a loop whose rounds take microseconds or more.
 * @throws the reason of the signal, when it is aborted.
 */
export function breathe(signal?: AbortSignal): Promise<void> | undefined {
  signal?.throwIfAborted();
  return performance.now() - last < SPAN ? undefined : pause(signal);
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  await turn();
  last = performance.now();
  signal?.throwIfAborted();
}

/** One yield to the event loop: events that wait are handled. */
export const turn: () => Promise<void> = createTurn(globalThis);

/**
 * The yield of a platform: `setImmediate` of Node, else a message to itself. The browser's `scheduler.yield` is no yield to
 * all: what it puts off goes on before messages and timers that wait, so that a worker would never hear that it is to end.
 */
export function createTurn({
  setImmediate,
}: {
  readonly setImmediate?: (then: () => void) => unknown;
}): () => Promise<void> {
  if (setImmediate) return () => new Promise((resolve) => void setImmediate(resolve));
  // Timers are held back by some milliseconds, and by a second in a page in the background; messages are not.
  return () =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener("message", () => {
        port1.close();
        resolve();
      });
      port1.start();
      port2.postMessage(undefined);
    });
}
