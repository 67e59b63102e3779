/**
 * @file Values that are made when they are first asked for.
 */

/** The value of `make`, kept from the first call on. One that failed or was aborted is not kept: the next call makes it anew. */
export function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined;
  return () =>
    (kept ??= make().catch((error: unknown) => {
      kept = undefined;
      throw error;
    }));
}
