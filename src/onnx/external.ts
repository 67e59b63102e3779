/**
 * @file Tensors that lie in files beside the model (ONNX "external data"). This file says which range of which file; reading is up to
 * a function of the caller, as a browser has no file system. A location is a relative path below the folder of the model.
 */
import type { TensorProto } from "onnx-buf";
import { InputError } from "../error.ts";

/** A range of a file beside the model. */
export type ExternalRange = {
  /** Relative path with forward slashes, below the folder of the model. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
};

/** Reads a range of a file beside the model; throws an InputError where there is none. */
export type ReadExternal = (range: ExternalRange) => Promise<Uint8Array> | Uint8Array;

/** Whether a location stays below the folder of the model, on every system. */
const staysBelow = (location: string): boolean =>
  location !== "" &&
  !/^[/\\]|^[a-z][a-z0-9+.-]*:|\\|\0/i.test(location) &&
  location.split("/").every((part) => part !== "..");

/**
 * Where the numbers of a tensor of so many bytes lie.
 * @throws InputError for a location outside the folder of the model, or an offset or a length that cannot be.
 */
export function externalRange(tensor: TensorProto, what: string, bytes: number): ExternalRange {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get("location") ?? "";
  if (!staysBelow(location)) {
    throw new InputError({
      what,
      wanted: "external data in a file below the folder of the model",
      got: location === "" ? "no location" : location,
    });
  }
  const offset = whole(what, "offset", entries.get("offset") ?? "0");
  const length = whole(what, "length", entries.get("length") ?? String(bytes));
  if (length !== bytes) {
    throw new InputError({
      what,
      wanted: `${bytes} bytes of external data for its shape`,
      got: `a length of ${length}`,
    });
  }
  return { location, offset, length };
}

function whole(what: string, key: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InputError({ what, wanted: `a whole number as ${key} of its external data`, got: text || '""' });
}

/** The bytes of a range, checked. */
export async function readRange(
  range: ExternalRange,
  what: string,
  read: ReadExternal | undefined,
): Promise<Uint8Array> {
  if (!read) {
    throw new InputError({
      what,
      wanted: "a way to read external data (the option `external`)",
      got: `none for ${range.location}`,
    });
  }
  const bytes = await read(range);
  if (bytes.byteLength === range.length) return bytes;
  throw new InputError({
    what,
    wanted: `${range.length} bytes at ${range.offset} of ${range.location}`,
    got: `${bytes.byteLength}`,
  });
}
