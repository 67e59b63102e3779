/**
 * @file Independent pieces of work, as many at a time as the engine has lanes. Each piece has its own place for its result,
 * so that the result depends neither on the number of lanes nor on the order in which pieces end.
 */

/**
 * Runs `work` on every item, at most `lanes` at a time, starting them in order. A lane takes its next item when it is done
 * with the last, so that scratch memory may be kept by lane. After an error no further item is started; those that run are
 * awaited, then the first error is thrown.
 */
export async function onLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T, lane: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  const lane = async (_: unknown, index: number): Promise<void> => {
    while (next < items.length && errors.length === 0) {
      try {
        await work(items[next++]!, index);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
  if (errors.length > 0) throw errors[0];
}
