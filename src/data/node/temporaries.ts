/**
 * @file Temporary files, and folders of them, are removed when the process that makes them exits, even in the middle of a
 * write (a second Ctrl-C).
 */
import { existsSync, rmSync } from "node:fs";

const present = new Set<string>();

/** Milliseconds between two looks, and how many. */
const PAUSE = 5;
const LOOKS = 20;

/**
 * Calls to the system that began before the exit still run beside it, and may make a file, or its folder, that was just
 * removed. So a removed file is looked for again.
 */
function removeAll(): void {
  const paths = [...present];
  const timer = new Int32Array(new SharedArrayBuffer(4));
  let gone = 0;
  for (let look = 0; look < LOOKS && gone < 2; look++) {
    if (look > 0) Atomics.wait(timer, 0, 0, PAUSE);
    gone = paths.some((path) => existsSync(path)) ? 0 : gone + 1;
    for (const path of paths) {
      try {
        rmSync(path, { recursive: true, force: true });
      } catch {
        // The process ends whatever happens.
      }
    }
  }
}

/** Notes a file or folder that is about to be made; what is returned is to be called when it is gone or has its own name. */
export function noteTemporary(path: string): () => void {
  if (present.size === 0) process.on("exit", removeAll);
  present.add(path);
  return () => {
    if (present.delete(path) && present.size === 0) process.off("exit", removeAll);
  };
}
