/**
 * @file Windows (windows.ts) the other way round: which of their places hold each position of a sample.
 */
import type { Windows } from "./windows.ts";

/**
 * The other way round: for each of `count` positions the places that hold it, [count, most] with -1 where there are fewer. Padding
 * (-1) has no list.
 */
export function placesOf(
  sources: readonly number[],
  count: number,
): { readonly most: number; readonly places: number[] } {
  const lists = holdersOf(sources, count);
  const most = lists.reduce((least, { length }) => Math.max(least, length), 1);
  return { most, places: lists.flatMap((list) => padded(list, most)) };
}

/** For each of `count` positions the places that hold it. */
function holdersOf(sources: readonly number[], count: number): number[][] {
  const lists = Array.from({ length: count }, (): number[] => []);
  for (const [place, source] of sources.entries()) lists[source]?.push(place);
  return lists;
}

const padded = (list: readonly number[], length: number): number[] => [
  ...list,
  ...Array.from({ length: length - list.length }, () => -1),
];

/** Positions that are held by the same places of their windows. */
export type PositionClass = {
  /** Places in a window, of 0 to K - 1. */
  readonly offsets: readonly number[];
  readonly pixels: readonly number[];
  /** For each of the positions the window that has it in each of these places, [pixels, offsets]; -1 for none. */
  readonly windows: readonly number[];
};

/** A place of a window, and a position with the places that hold it. */
type Place = { readonly offset: number; readonly window: number };
type Held = { readonly pixel: number; readonly places: readonly Place[] };

/**
 * The positions of a sample by the places of windows that hold them: with stride s the s^2 phases of an image, where those at its edges
 * count to the class that has all of their places. Positions that no window holds are in none.
 */
export function positionClasses({ sources, size, pixels }: Windows): PositionClass[] {
  const groups = new Map<string, Held[]>();
  for (const [pixel, list] of holdersOf(sources, pixels).entries()) {
    const places = list
      .map((at): Place => ({ offset: at % size, window: Math.floor(at / size) }))
      .toSorted((a, b) => a.offset - b.offset);
    const key = places.map(({ offset }) => offset).join();
    const known = groups.get(key);
    if (known) known.push({ pixel, places });
    else groups.set(key, [{ pixel, places }]);
  }
  const classes: { offsets: number[]; pixels: number[]; windows: number[] }[] = [];
  // Those with most places first.
  for (const group of [...groups.values()].toSorted((a, b) => b[0]!.places.length - a[0]!.places.length)) {
    const offsets = group[0]!.places.map(({ offset }) => offset);
    if (offsets.length === 0) continue;
    let target = classes.find((known) => slots(known.offsets, offsets) !== undefined);
    if (!target) classes.push((target = { offsets, pixels: [], windows: [] }));
    const into = slots(target.offsets, offsets)!;
    for (const { pixel, places } of group) {
      const windows = target.offsets.map(() => -1);
      for (const [i, { window }] of places.entries()) windows[into[i]!] = window;
      target.pixels.push(pixel);
      target.windows.push(...windows);
    }
  }
  return classes;
}

/** Where each of some numbers stands in a list that has all of them, both ascending; undefined where one is missing. */
function slots(list: readonly number[], some: readonly number[]): number[] | undefined {
  const found: number[] = [];
  for (const value of some) {
    const at = list.indexOf(value, (found.at(-1) ?? -1) + 1);
    if (at < 0) return undefined;
    found.push(at);
  }
  return found;
}
