/**
 * @file Wall-clock seconds of work by name. Names stand in the order in which they were first timed.
 */

/** Adds up seconds by name. */
export type Stopwatch<Name extends string = string> = {
  readonly seconds: Readonly<Partial<Record<Name, number>>>;
  add(name: Name, seconds: number): void;
  /** Adds what the work takes. */
  time<T>(name: Name, work: () => T | Promise<T>): Promise<T>;
  /** Adds what has passed since the last lap, or since the stopwatch was made. */
  lap(name: Name): void;
};

/** A stopwatch at zero, which runs. */
export function createStopwatch<Name extends string = string>(): Stopwatch<Name> {
  const seconds: Partial<Record<Name, number>> = {};
  let last = performance.now();
  const add = (name: Name, value: number): void => {
    seconds[name] = (seconds[name] ?? 0) + value;
  };
  return {
    seconds,
    add,
    async time(name, work) {
      const start = performance.now();
      const result = await work();
      add(name, (performance.now() - start) / 1000);
      return result;
    },
    lap(name) {
      const now = performance.now();
      add(name, (now - last) / 1000);
      last = now;
    },
  };
}
