/** @file The cache folder of each platform. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { cacheFolder } from "../../../src/data/node/cache.ts";

const home = join("/", "home", "ada");

it.each([
  ["linux", {}, join(home, ".cache", "natgrad")],
  ["linux", { XDG_CACHE_HOME: "/xdg" }, join("/xdg", "natgrad")],
  ["linux", { XDG_CACHE_HOME: "/xdg", NATGRAD_CACHE: "/mine" }, "/mine"],
  ["darwin", {}, join(home, "Library", "Caches", "natgrad")],
  ["win32", { LOCALAPPDATA: "/local" }, join("/local", "natgrad", "Cache")],
  ["win32", {}, join(home, "AppData", "Local", "natgrad", "Cache")],
] as const)("the cache folder on %s with %o is %s", (platform, env, folder) => {
  expect(cacheFolder({ env, platform, home })).toBe(folder);
});
