/**
 * @file Standard output that reports every lost write. Where it is a file or a device, Node's own stream counts a write
 * that was cut short as whole, and reports an error only after the program has ended; pipes and terminals report it in
 * time.
 */
import { fstatSync, writeSync } from "node:fs";
import { errorCode } from "../data/node/files.ts";
import { InputError } from "../error.ts";
import type { Output } from "./terminal.ts";

/** The error of an output that was refused. */
export const unwritable = (name: string, error: unknown): InputError =>
  new InputError(`${name}: wanted an output that can be written, got ${errorCode(error)}`);

/** An output whose `write` throws when not all of the text could be written: ENOSPC on a full disk. */
export function wholeOutput(name: string, stream: NodeJS.WriteStream & { fd: number }): Output {
  if (stream.isTTY || !isFile(stream.fd)) return stream;
  return {
    write(text) {
      const bytes = Buffer.from(text);
      try {
        for (let at = 0; at < bytes.length;) at += writeSync(stream.fd, bytes, at);
      } catch (error) {
        throw unwritable(name, error);
      }
    },
  };
}

function isFile(fd: number): boolean {
  // As bigint: in Node 20 the numbers of a pipe, in the memory that Node shares among such calls, make every later realpath fail,
  // and with it the resolution of packages that are links.
  const found = fstatSync(fd, { bigint: true });
  return found.isFile() || found.isCharacterDevice() || found.isBlockDevice();
}
