/**
 * @file Long work on the host that lets others live. JavaScript has one thread for everything: while a loop runs, no Ctrl-C
 * is heard and no page answers. So whatever may take longer than a blink calls {@link breathe} as it goes along: the event
 * loop gets its turn when the last one is long past, and work that is not wanted any more ends there. When nothing is due
 * a call costs less than a microsecond.
 */

/** What can be stopped from outside. */
export type Stoppable = {
  /** Ends the work early when it is aborted: what was called then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
};

/** Milliseconds of work between two turns of the event loop. */
const SPAN = 40;

/** When the event loop last had its turn from here. The loop is one for all work of a thread, and so is this. */
let last = 0;

/**
 * A place where long work may be left: `await breathe(signal)` in a loop whose rounds take microseconds or more.
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

/** What this platform may have to let waiting events come first. */
type Platform = {
  readonly setImmediate?: (then: () => void) => unknown;
  readonly scheduler?: { readonly yield?: () => Promise<void> };
};

/** One turn of the event loop: what waits to be heard is heard. */
export const turn: () => Promise<void> = createTurn(globalThis);

/** The turn of a platform: `setImmediate` of Node, else the browser's `scheduler.yield`, else a message to oneself. */
export function createTurn({ setImmediate, scheduler }: Platform): () => Promise<void> {
  if (setImmediate) return () => new Promise((resolve) => void setImmediate(resolve));
  if (scheduler?.yield) return () => scheduler.yield!();
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
