/**
 * @file Temporary files, and folders of them, are removed when the process that makes them exits, even in the middle of a
 * write (a second Ctrl-C).
 */
import { existsSync, rmSync } from "node:fs";

const present = new Set<string>();

/** Milliseconds between two looks for removed files, and the number of looks. */
const PAUSE = 5;
const LOOKS = 20;

/**
 * Removes all temporary files. System calls that began before the exit still go on, and may create a file or its folder again
 * just after it was removed, so that removed files are looked for again.
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

/**
 * Notes a file or folder that is about to be made.
 * @returns a function to call when it has been removed, or renamed to its final name
 */
export function noteTemporary(path: string): () => void {
  if (present.size === 0) process.on("exit", removeAll);
  present.add(path);
  return () => {
    if (present.delete(path) && present.size === 0) process.off("exit", removeAll);
  };
}
