/**
 * @file Bytes of a stream, or of what it inflates to, taken piece by piece, so that no more is read or held than is needed.
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
 * What raw deflate's `packed` inflates to, a chunk at a time and only as it is asked for.
 * @throws what `corrupt` makes, when it is cut short or no deflated data.
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
    // What is damaged has ended already.
    await reader.cancel().catch(() => undefined);
  }
  return undefined;
}
