/**
 * @file Where fetched files are kept between runs.
 */
import { homedir } from "node:os";
import { join } from "node:path";

/** What the place depends on. */
export type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
};

/**
 * The cache folder: NATGRAD_CACHE, else natgrad's part of the platform's: XDG_CACHE_HOME where it is set,
 * %LOCALAPPDATA% on Windows, ~/Library/Caches on macOS, ~/.cache elsewhere. It need not exist.
 */
export function cacheFolder(
  { env, platform, home }: Surroundings = { env: process.env, platform: process.platform, home: homedir() },
): string {
  if (env.NATGRAD_CACHE) return env.NATGRAD_CACHE;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "natgrad");
  if (platform === "win32") {
    return join(env.LOCALAPPDATA || join(home, "AppData", "Local"), "natgrad", "Cache");
  }
  return platform === "darwin" ? join(home, "Library", "Caches", "natgrad") : join(home, ".cache", "natgrad");
}
