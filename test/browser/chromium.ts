/**
 * @file The Chromium of tests: looked for in CHROMIUM_PATH or where Debian puts it; without one they are skipped.
 */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

/** Whether there is one. */
export const foundChromium = existsSync(executablePath);
if (!foundChromium) console.log(`skipped: no Chromium at ${executablePath} (set CHROMIUM_PATH)`);

/** Starts it, with flags beside its usual ones. */
export const launch = (...flags: readonly string[]): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      ...flags,
    ],
  });
