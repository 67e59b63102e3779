/**
 * @file Temporary files do not outlive the process that makes them, even where it has to exit while it writes them (a second
 * Ctrl-C): those that are there then are removed on the way out.
 */
import { rmSync } from "node:fs";

const present = new Set<string>();

function removeAll(): void {
  for (const path of present) {
    try {
      rmSync(path, { force: true });
    } catch {
      // The process ends whatever happens.
    }
  }
}

/** Notes a file that is about to be made; what is returned is to be called when it is gone or has its own name. */
export function noteTemporary(path: string): () => void {
  if (present.size === 0) process.on("exit", removeAll);
  present.add(path);
  return () => {
    if (present.delete(path) && present.size === 0) process.off("exit", removeAll);
  };
}
