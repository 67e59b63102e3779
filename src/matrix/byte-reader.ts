/**
 * @file Bytes of a stream taken piece by piece, so that nothing is asked of it, or held, that is not wanted.
 */

/** Fills `into` with the next bytes of a stream, and returns the part that is filled: less than all at its end. */
export type ByteReader = (into: Uint8Array) => Promise<Uint8Array>;

/** A reader of chunks as they come. */
export function byteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  return async (into) => {
    let done = 0;
    while (done < into.length) {
      if (rest.length === 0) {
        const next = await chunks.next();
        if (next.done) break;
        rest = next.value;
      }
      const part = rest.subarray(0, into.length - done);
      into.set(part, done);
      done += part.length;
      rest = rest.subarray(part.length);
    }
    return into.subarray(0, done);
  };
}
