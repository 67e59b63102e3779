/**
 * @file The bytes of a stream, inflated or as they are, read piece by piece, so that no more is read or held than is needed.
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

/**
 * Inflates raw deflate data, one chunk at a time and only as it is asked for.
 * @throws the error that `corrupt` makes, when `packed` is cut short or is not deflate data.
 */
export async function* inflatedChunks(
  packed: Uint8Array,
  corrupt: () => Error,
): AsyncGenerator<Uint8Array, undefined> {
  const source = new Blob([packed as Uint8Array<ArrayBuffer>]).stream();
  const reader = source.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const next = () =>
    reader.read().catch(() => {
      throw corrupt();
    });
  try {
    for (let chunk = await next(); !chunk.done; chunk = await next()) yield chunk.value;
  } finally {
    // A stream of damaged data has already ended, and cannot be cancelled.
    await reader.cancel().catch(() => undefined);
  }
  return undefined;
}
