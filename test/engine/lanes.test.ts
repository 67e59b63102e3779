/**
 * @file Lanes: as many pieces at a time as allowed, and a clean end when one fails.
 */
import { describe, expect, it } from "vitest";
import { onLanes } from "../../src/engine/lanes.ts";

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("work on lanes", () => {
  it.each([1, 2, 3, 9])("is all done, with %i at a time at most", async (lanes) => {
    const items = [0, 1, 2, 3, 4, 5, 6];
    const done: number[] = [];
    const busy = new Set<number>();
    let most = 0;
    await onLanes(items, lanes, async (item, lane) => {
      expect(busy.has(lane)).toBe(false);
      busy.add(lane);
      most = Math.max(most, busy.size);
      for (let i = 0; i < 7 - item; i++) await later();
      busy.delete(lane);
      done.push(item);
    });
    expect(new Set(done)).toEqual(new Set(items));
    expect(most).toBe(Math.min(lanes, items.length));
  });

  it("ends after the first error, when what runs beside it is done", async () => {
    const done: number[] = [];
    const work = onLanes([0, 1, 2, 3, 4], 2, async (item) => {
      if (item === 0) throw new Error("no");
      for (let i = 0; i < 3; i++) await later();
      done.push(item);
    });
    await expect(work).rejects.toThrow("no");
    expect(done).toEqual([1]);
  });

  it("is nothing where there is nothing to do", async () => {
    await onLanes([], 3, () => Promise.reject(new Error("no")));
  });
});
