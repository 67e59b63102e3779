import { describe, expect, it } from "vitest";
import { createProgress, duration, type ProgressOptions } from "../../src/cli/progress.ts";

/** A progress line on a terminal or a log, and a clock that stands until it is moved. */
function setUp({ isTTY, columns, ...options }: { isTTY: boolean; columns?: number } & ProgressOptions) {
  let time = 0;
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  const progress = createProgress(stream, { now: () => time, ...options });
  return {
    progress,
    stream,
    after: (seconds: number) => (time += 1000 * seconds),
    /** What was written since the last call. */
    take: () => written.splice(0).join(""),
  };
}

const CLEAR = "\r\u001B[K";

describe("progress on a terminal", () => {
  it("names a stage at once", () => {
    const { progress, take } = setUp({ isTTY: true });
    progress.show("data");
    progress.show("weights");
    expect(take()).toBe(`${CLEAR}reading the data ...${CLEAR}drawing the weights ...`);
  });

  it("is rewritten ten times per second at most", () => {
    const { progress, after, take } = setUp({ isTTY: true });
    for (let step = 0; step < 300; step++) {
      progress.show("step", step, 300);
      after(0.01);
    }
    const updates = take().split(CLEAR).slice(1);
    expect(updates.length).toBeGreaterThan(20);
    expect(updates.length).toBeLessThanOrEqual(31);
  });

  it("estimates the time that is left, from half a second on", () => {
    const { progress, after, take } = setUp({ isTTY: true });
    progress.show("step", 0, 10);
    after(0.4);
    progress.show("step", 1, 10);
    after(0.4);
    progress.show("step", 2, 10);
    after(3.2);
    progress.show("step", 10, 10);
    expect(take().split(CLEAR).slice(1)).toEqual([
      "step 0/10",
      "step 1/10",
      "step 2/10, about 4 s left",
      "step 10/10",
    ]);
  });

  it("stays below what is printed, in one write", () => {
    const { progress, stream, take } = setUp({ isTTY: true });
    progress.print(stream, "before\n");
    progress.show("step", 1, 2);
    take();
    progress.print(stream, "row\n");
    expect(take()).toBe(`${CLEAR}row\nstep 1/2`);
    progress.clear();
    expect(take()).toBe(CLEAR);
    progress.print(stream, "after\n");
    expect(take()).toBe("after\n");
  });

  it("leaves output that goes elsewhere alone", () => {
    const { progress } = setUp({ isTTY: true });
    const file: string[] = [];
    progress.show("step", 1, 2);
    progress.print({ write: (text) => file.push(text) }, "row\n");
    expect(file).toEqual(["row\n"]);
  });

  it("never wraps", () => {
    const { progress, take } = setUp({ isTTY: true, columns: 10 });
    progress.show("kernel");
    expect(take()).toBe(`${CLEAR}computing`);
  });
});

describe("progress in a log", () => {
  it("says nothing of short work, then a line every ten seconds", () => {
    const { progress, after, take } = setUp({ isTTY: false });
    progress.show("data");
    after(9);
    progress.show("step", 0, 100);
    expect(take()).toBe("");
    for (let step = 1; step <= 100; step++) {
      after(0.5);
      progress.show("step", step, 100);
    }
    expect(take().split("\n")).toEqual([
      "natgrad: step 2/100, about 49 s left",
      "natgrad: step 22/100, about 39 s left",
      "natgrad: step 42/100, about 29 s left",
      "natgrad: step 62/100, about 19 s left",
      "natgrad: step 82/100, about 9 s left",
      "",
    ]);
    progress.clear();
    expect(take()).toBe("");
  });
});

describe("progress", () => {
  it("is silent when quiet", () => {
    const { progress, after, take } = setUp({ isTTY: true, quiet: true });
    progress.show("data");
    after(60);
    progress.show("step", 1, 2);
    expect(take()).toBe("");
  });

  it("is where an interrupted run stops, quiet or not, with the exit code", () => {
    for (const quiet of [true, false]) {
      const controller = new AbortController();
      const { progress } = setUp({ isTTY: true, quiet, signal: controller.signal });
      progress.show("data");
      controller.abort(130);
      let thrown: unknown;
      try {
        progress.show("step", 0, 2);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBe(130);
    }
  });

  it.each([
    [0.2, "1 s"],
    [12.1, "13 s"],
    [99, "99 s"],
    [150, "3 min"],
    [3600, "60 min"],
    [9000, "2.5 h"],
  ])("calls %d seconds %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});
