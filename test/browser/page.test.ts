/**
 * @file The example page in Chromium: its worker trains, its rows appear, a training is cancelled and another started, and
 * meanwhile the page answers: its thread is never busy for more than 50 ms.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser, Page } from "playwright-core";
import { serve } from "../../examples/browser/serve.ts";
import { foundChromium, launch } from "./chromium.ts";

/** Milliseconds that the thread of a page may be busy. */
const MOST = 50;

/** Counts turns of the thread of a page. As text, which the test runner leaves as it is. */
const PROBE = `(() => {
  globalThis.turns = 0;
  globalThis.since = performance.now();
  setInterval(() => globalThis.turns++, 4);
})()`;

type TraceEvent = {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of the processor, for a task: those in which others had it do not count. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
};

/** The longest task of a page's own thread in a trace, in milliseconds of the processor. */
function longestTask(trace: Buffer): number {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: readonly TraceEvent[] };
  const own = traceEvents.find(({ args }) => args?.name === "CrRendererMain")!;
  const tasks = traceEvents.filter(
    ({ name, pid, tid }) => name.endsWith("RunTask") && pid === own.pid && tid === own.tid,
  );
  expect(tasks.length).toBeGreaterThan(100);
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000));
}

describe.skipIf(!foundChromium)("the example page", () => {
  let server: Awaited<ReturnType<typeof serve>>;
  let browser: Browser;

  beforeAll(async () => {
    server = await serve(0);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** Waits until the status matches. */
  const shows = (page: Page, pattern: string) =>
    page.waitForFunction(
      `new RegExp(${JSON.stringify(pattern)}).test(document.querySelector("#status").value)`,
    );
  const rowsOf = (page: Page) => page.locator("#rows tr").count();
  const fill = async (page: Page, settings: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(settings)) await page.fill(`input[name=${name}]`, value);
  };

  it("trains in its worker, cancels and starts again, and answers all the while", async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(server.address);
    await page.evaluate(PROBE);
    await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });

    await fill(page, { width: "512", samples: "200", steps: "500", size: "0.05" });
    await page.click("button[type=submit]");
    await shows(page, "^Step ([3-9]|\\d{2,}) of 500$");
    await page.click("#cancel");
    await shows(page, "^Cancelled");
    expect(await rowsOf(page)).toBeGreaterThan(2);
    expect(await rowsOf(page)).toBeLessThan(500);

    await page.selectOption("select", "block_diagonal");
    await fill(page, { width: "256", samples: "60", steps: "6", size: "0.5" });
    await page.click("button[type=submit]");
    await shows(page, "^Done");
    await page.waitForFunction(`document.querySelectorAll("#rows tr").length === 7`);
    const losses = await page
      .locator("#rows tr")
      .evaluateAll((rows) => rows.map((row) => Number(row.children[1]!.textContent)));
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 10);
    expect(problems).toEqual([]);
    expect(longestTask(await browser.stopTracing())).toBeLessThanOrEqual(MOST);
    expect(await page.evaluate<number>("(performance.now() - since) / turns")).toBeLessThanOrEqual(MOST);
    await page.close();
  });

  it("says what is wrong", async () => {
    const page = await browser.newPage();
    await page.goto(server.address);
    await page.evaluate(`document.querySelector("[name=samples]").min = 0`);
    await fill(page, { samples: "0" });
    await page.click("button[type=submit]");
    await shows(page, "trainSize: wanted");
    await page.close();
  });
});
