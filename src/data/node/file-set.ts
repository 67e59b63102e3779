/**
 * @file Files of one folder that belong together and are replaced together: a reader of the folder finds the old set or the
 * new one, or, where the machine stopped in between, no set at all, and never some files of each.
 *
 * New files are written into a folder of their own beside the old ones: nearly everything that can fail fails there. Then the old
 * set moves out and the new one in, by renaming, and back again if that fails. The first file of a set, without which the
 * set is not read, leaves first and arrives last.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../error.ts";
import { errorCode, writeWhole } from "./files.ts";
import { noteTemporary } from "./temporaries.ts";

/** A file of a set: its name in the folder, and its bytes. */
export type SetFile = readonly [name: string, bytes: Uint8Array | Iterable<Uint8Array>];

/**
 * Writes a set of files into `folder`, made where it is not there, in place of the one that is there.
 * @param files one after the other, so that only one is in memory; no set can be read without the first
 * @param isMember whether a name in the folder is of such a set; files of other names are not touched
 * @throws InputError naming the file that cannot be written, or what `files` throws; the folder is then as it was.
 */
export async function writeSet(
  folder: string,
  files: Iterable<SetFile>,
  isMember: (name: string) => boolean,
): Promise<void> {
  const staging = join(folder, `.set.${randomUUID().slice(0, 8)}.tmp`);
  const [coming, leaving] = [join(staging, "new"), join(staging, "old")];
  const forget = noteTemporary(staging);
  try {
    const names: string[] = [];
    for (const [name, bytes] of files) {
      await writeWhole(join(coming, name), bytes);
      names.push(name);
    }
    await swap(folder, { coming, leaving }, names, isMember).catch((error: unknown) => {
      throw new InputError(`${folder}: wanted a folder whose files can be replaced, got ${errorCode(error)}`);
    });
  } finally {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined);
    forget();
  }
}

/** A file that is renamed. */
type Move = readonly [from: string, to: string];

async function swap(
  folder: string,
  { coming, leaving }: { coming: string; leaving: string },
  names: readonly string[],
  isMember: (name: string) => boolean,
): Promise<void> {
  await mkdir(leaving, { recursive: true });
  const entries = await readdir(folder, { withFileTypes: true });
  const old = entries.filter((entry) => isMember(entry.name) && !entry.isDirectory()).map(({ name }) => name);
  const move = (name: string, from: string, to: string): Move => [join(from, name), join(to, name)];
  const firstOut = old.toSorted((a, b) => Number(b === names[0]) - Number(a === names[0]));
  const moves = [
    ...firstOut.map((name) => move(name, folder, leaving)),
    ...names.toReversed().map((name) => move(name, coming, folder)),
  ];
  const done: Move[] = [];
  try {
    for (const [from, to] of moves) {
      await rename(from, to);
      done.push([from, to]);
    }
  } catch (error) {
    // The first file of the old set is the last to come back, so that half a set is still none.
    for (const [from, to] of done.toReversed()) await rename(to, from);
    throw error;
  }
}
