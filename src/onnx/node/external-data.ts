/**
 * @file External data of an ONNX model from files beside it. A file that is reached through a symbolic link may lie nowhere else than
 * below the model's own folder.
 */
import { realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { errorCode, openPlain } from "../../data/node/files.ts";
import { InputError } from "../../error.ts";
import type { ExternalRange, ReadExternal } from "../external.ts";

/** Bytes of one read: the system reads no more than 2 GiB at once. */
const PIECE = 2 ** 30;

/**
 * Reads external data of the model in this file.
 * @returns a function that throws an InputError for a file that is missing, too short, or outside the folder of the model.
 */
export function externalDataOf(model: string): ReadExternal {
  return async ({ location, offset, length }) => {
    const path = await below(dirname(model), location);
    const file = await openPlain(path).catch((error: unknown) => {
      throw unreadable(location, error);
    });
    try {
      const { size } = await file.stat();
      if (offset + length > size) throw tooShort({ location, offset, length }, size);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const { bytesRead } = await file.read(bytes, done, Math.min(length - done, PIECE), offset + done);
        if (bytesRead === 0) throw tooShort({ location, offset, length }, offset + done);
        done += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  };
}

/** The path of a location with all links resolved. */
async function below(folder: string, location: string): Promise<string> {
  let root: string, path: string;
  try {
    root = await realpath(folder);
    path = await realpath(join(root, location));
  } catch (error) {
    throw unreadable(location, error);
  }
  if (path.startsWith(root.endsWith(sep) ? root : root + sep)) return path;
  throw new InputError({
    what: "external data",
    wanted: "files below the folder of the model",
    got: `${location}, which leads outside`,
  });
}

const unreadable = (location: string, error: unknown): InputError =>
  new InputError({ what: "external data", wanted: `a readable file ${location}`, got: errorCode(error) });

const tooShort = ({ location, offset, length }: ExternalRange, size: number): InputError =>
  new InputError({
    what: "external data",
    wanted: `${offset + length} bytes in ${location}`,
    got: `${size} (truncated)`,
  });
